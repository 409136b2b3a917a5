"""Having a model find what is wrong with an agent's instructions, and mending a few clauses.

What the model replies is checked, and made into a candidate here. Nothing is deployed: whether the
candidate is any better is for held-out tasks to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from toolguild.agent.improvement.artefacts import Instructions
from toolguild.agent.improvement.instructions.clauses import changed_clauses, clauses_of
from toolguild.agent.improvement.instructions.edits import Edit, edited
from toolguild.agent.improvement.instructions.similarity import Similarity, drift_reason, similarity
from toolguild.agent.improvement.shown_runs import ShownRuns, cut
from toolguild.policies.improvement import ImprovementRules
from toolguild.policies.wording import plain_line
from toolguild.registry.improvement import ChangeKind, NewChange, ScoredRun, Standing
from toolguild.registry.retrieval import Embedder
from toolguild.sandbox import JsonObject
from toolguild.synth.models import (
    AsyncModel,
    ModelError,
    Prompt,
    Reply,
    Request,
    UnfitReplyError,
)
from toolguild.synth.traces.errors import RedactionError

__all__ = ["Finding", "Problem", "Refinement", "Refining", "refine"]

_PROMPT = Prompt.load("refine", "toolguild.agent.improvement.instructions")
_MOST_CLAUSE = 1000
"""Characters that are shown of a clause."""
_MOST_REASON = 500
"""Characters of why a model gave nothing that can be used."""


class Problem(StrEnum):
    """What may be wrong with instructions."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    COUNTERPRODUCTIVE = "counterproductive"


class Finding(BaseModel):
    """Something that is wrong with instructions, and the runs that show it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: Problem
    clause: int = Field(ge=0)
    """Number of the clause that is at fault; where one is missing, of the one that it belongs
    after, or 0."""
    runs: list[int] = Field(min_length=1, max_length=20)
    """Numbers of runs."""
    what: str = Field(min_length=1, max_length=500)


class Refinement(BaseModel):
    """What a model finds, and how it would mend it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: list[Finding] = Field(max_length=10)
    edits: list[Edit] = Field(max_length=100)
    """The rules say how many are allowed, and the model is told so."""


@dataclass(frozen=True, slots=True)
class Refining:
    """What came of looking for a refinement."""

    change: NewChange | None = None
    """The candidate; it has passed no held-out task yet."""
    why_not: str = ""
    """Why there is none."""
    drift: str = ""
    """Why a person has to decide on the candidate; empty where nobody has to."""


async def refine(
    model: AsyncModel | None,
    standing: Standing,
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
    agent: str,
    cycle: str,
    embedder: Embedder | None = None,
) -> Refining:
    """Look for a refinement of an agent's instructions that changes a few clauses.

    Args:
        model: Finds what is wrong; it is told what does not fit in its reply, and asked again.
        standing: What the agent is told at present.
        runs: Its scored runs, the oldest first.
        rules: What counts as a success, how many clauses may change, and how similar the
            instructions have to stay to the original ones.
        agent: Whose instructions they are.
        cycle: The changes that this one is watched with.
        embedder: Compares the candidate with the original by meaning.

    Raises:
        TamperedError: the instructions hold something else.
    """
    if standing.instructions is None:
        return Refining(why_not="the agent has no instructions")
    shown = ShownRuns.of(runs, rules.success)
    if why_not := _hindrance(standing, shown, rules):
        return Refining(why_not=why_not)
    if model is None:
        return Refining(why_not="instructions are refined by a model, and there is none")
    present = Instructions.of(standing.instructions).text
    try:
        reply = await _asked(model, present, shown, rules)
    except (ModelError, RedactionError) as error:
        # It may quote the model.
        return Refining(why_not=plain_line(str(error), limit=_MOST_REASON))
    written = reply.value
    if not written.edits:
        return Refining(why_not="the model finds nothing that the instructions are to blame for")
    candidate = edited(present, written.edits)
    original = Instructions.of(standing.original or standing.instructions).text
    # An embedding model may be an endpoint, which takes its time.
    near = await asyncio.to_thread(similarity, original, candidate, embedder)
    drift = drift_reason(near, rules)
    change = NewChange(
        agent,
        ChangeKind.INSTRUCTIONS,
        _why(written),
        adds=(Instructions(text=candidate).artefact,),
        runs=tuple(sorted({run for finding in written.findings for run in finding.runs})),
        cycle=cycle,
        evidence=_evidence(reply, changed_clauses(present, candidate), near, drift),
    )
    return Refining(change, drift=drift)


def _hindrance(standing: Standing, shown: ShownRuns, rules: ImprovementRules) -> str:
    """Return why no model need be asked; empty where one is to be."""
    if standing.open_alerts:
        return f"a person has to decide on alert {standing.open_alerts[0]} first"
    if not rules.clauses:
        return "the rules let no clause be changed (improvement.clauses)"
    return "" if shown.failed else "no run failed"


async def _asked(
    model: AsyncModel, present: str, shown: ShownRuns, rules: ImprovementRules
) -> Reply[Refinement]:
    """Have a model write a refinement that can be made.

    Raises:
        ModelError: there is none, however often the model was told why.
        RedactionError: the runs hold more secrets than can be followed.
    """
    clauses = clauses_of(present)
    data: JsonObject = {
        "most_edits": rules.clauses,
        "clauses": [
            {"number": number, "text": cut(clause.body, _MOST_CLAUSE)}
            for number, clause in enumerate(clauses, start=1)
        ],
        **shown.to_json(),
    }

    def check(written: Refinement) -> None:
        _check_findings(written, len(clauses), shown)
        _check_edits(written, present, rules.clauses)

    return await model.ask(Request(_PROMPT, data, Refinement, check))


def _check_findings(written: Refinement, clauses: int, shown: ShownRuns) -> None:
    for place, finding in enumerate(written.findings):
        where = f"findings.{place}"
        if finding.clause > clauses:
            msg = f"{where}: there is no clause {finding.clause}; the last one is {clauses}"
            raise UnfitReplyError(msg)
        if finding.clause == 0 and finding.problem is not Problem.MISSING:
            msg = f"{where}: name the clause that is {finding.problem}; they are numbered from 1"
            raise UnfitReplyError(msg)
        if unknown := [run for run in finding.runs if run not in shown.numbers]:
            msg = f"{where}: there is no run {unknown[0]}; there are {sorted(shown.numbers)}"
            raise UnfitReplyError(msg)
        if not shown.failed_numbers.intersection(finding.runs):
            msg = f"{where}: name a run that failed; those are {sorted(shown.failed_numbers)}"
            raise UnfitReplyError(msg)


def _check_edits(written: Refinement, present: str, most: int) -> None:
    edits = written.edits
    if bool(edits) is not bool(written.findings):
        msg = "edits: findings and edits go together; give both, or none of either"
        raise UnfitReplyError(msg)
    if not edits:
        return
    if len(edits) > most:
        msg = f"edits: {len(edits)} of them; {most} are allowed, keep those that matter most"
        raise UnfitReplyError(msg)
    candidate = edited(present, edits)
    if not candidate.strip():
        msg = "edits: nothing would be left of the instructions"
        raise UnfitReplyError(msg)
    changed = changed_clauses(present, candidate)
    if changed == 0:
        msg = "edits: they change nothing"
        raise UnfitReplyError(msg)
    if changed > most:
        msg = (
            f"edits: they change {changed} clauses, as a sentence of a paragraph is a clause;"
            f" {most} are allowed"
        )
        raise UnfitReplyError(msg)


def _why(refinement: Refinement) -> str:
    problems = [finding.problem for finding in refinement.findings]
    counts = [f"{problems.count(one)} {one}" for one in Problem if one in problems]
    return f"instructions refined, as runs that failed show: {', '.join(counts)}"


def _evidence(reply: Reply[Refinement], changed: int, near: Similarity, drift: str) -> JsonObject:
    return {
        "findings": [
            finding.model_copy(
                update={"what": plain_line(finding.what, limit=_MOST_REASON)}
            ).model_dump(mode="json")
            for finding in reply.value.findings
        ],
        "edits": [edit.model_dump(mode="json") for edit in reply.value.edits],
        "clauses_changed": changed,
        "similarity": near.to_json(),
        "drift": drift,
        "model": reply.model,
        "prompt": reply.prompt,
        "tokens": reply.usage.tokens,
    }
