"""Having a model find what is wrong with an agent's instructions, and mending a few clauses.

What the model replies is checked, and made into a candidate here. Nothing is deployed: whether the
candidate is any better is for held-out tasks to say.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from toolguild.agent.improvement.artefacts import Instructions
from toolguild.agent.improvement.clauses import changed_clauses, clauses_of
from toolguild.agent.improvement.edits import Edit, edited
from toolguild.agent.improvement.similarity import Similarity, drift_reason, similarity
from toolguild.policies.improvement import ImprovementRules
from toolguild.policies.wording import visible_line
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

_PROMPT = Prompt.load("refine", "toolguild.agent.improvement")
_MOST_FAILED = 6
_MOST_SUCCESSFUL = 3
"""Runs that are shown."""
_MOST_TEXT = 500
"""Characters that are shown of each text of a run."""
_MOST_STEPS = 6
_MOST_STEP = 200
_MOST_CLAUSE = 1000
"""Characters that are shown of a clause."""
_VALUES = re.compile(r"\w*\d\w*|\W+")
"""In what errors of one kind differ: numbers, ids and punctuation."""


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
    runs: list[int] = Field(min_length=1, max_length=_MOST_FAILED + _MOST_SUCCESSFUL)
    """Numbers of runs."""
    what: str = Field(min_length=1, max_length=_MOST_TEXT)


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
    shown = _Shown.of(runs, rules.success)
    if why_not := _hindrance(standing, shown, rules):
        return Refining(why_not=why_not)
    if model is None:
        return Refining(why_not="instructions are refined by a model, and there is none")
    present = Instructions.of(standing.instructions).text
    try:
        reply = await _asked(model, present, shown, rules)
    except (ModelError, RedactionError) as error:
        return Refining(why_not=str(error))
    written = reply.value
    if not written.edits:
        return Refining(why_not="the model finds nothing that the instructions are to blame for")
    candidate = edited(present, written.edits)
    original = Instructions.of(standing.original or standing.instructions).text
    # An embedding model may be an endpoint, which takes its time.
    near = await asyncio.to_thread(similarity, original, candidate, embedder)
    change = NewChange(
        agent,
        ChangeKind.INSTRUCTIONS,
        _why(written),
        adds=(Instructions(text=candidate).artefact,),
        runs=tuple(sorted({run for finding in written.findings for run in finding.runs})),
        cycle=cycle,
        evidence=_evidence(reply, changed_clauses(present, candidate), near),
    )
    return Refining(change, drift=drift_reason(near, rules))


@dataclass(frozen=True, slots=True)
class _Shown:
    """The runs that a model is shown, the newest first."""

    failed: list[ScoredRun]
    successful: list[ScoredRun]

    @classmethod
    def of(cls, runs: Sequence[ScoredRun], success: float) -> _Shown:
        """Choose the most telling of some runs: the newest of each kind of error, and of tasks."""
        newest = [run for run in reversed(runs) if run.number]
        failed = [run for run in newest if not run.score >= success]
        successful = [run for run in newest if run.score >= success]
        return cls(
            _distinct_first(failed, [_kind(run.error or run.why) for run in failed], _MOST_FAILED),
            _distinct_first(successful, [_kind(run.task) for run in successful], _MOST_SUCCESSFUL),
        )


def _hindrance(standing: Standing, shown: _Shown, rules: ImprovementRules) -> str:
    """Return why no model need be asked; empty where one is to be."""
    if standing.open_alerts:
        return f"a person has to decide on alert {standing.open_alerts[0]} first"
    if not rules.clauses:
        return "the rules let no clause be changed (improvement.clauses)"
    return "" if shown.failed else "no run failed"


async def _asked(
    model: AsyncModel, present: str, shown: _Shown, rules: ImprovementRules
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
            {"number": number, "text": _cut(clause.body, _MOST_CLAUSE)}
            for number, clause in enumerate(clauses, start=1)
        ],
        "failed_runs": [_told(run) for run in shown.failed],
        "successful_runs": [_told(run) for run in shown.successful],
    }

    def check(written: Refinement) -> None:
        _check_findings(written, len(clauses), shown)
        _check_edits(written, present, rules.clauses)

    return await model.ask(Request(_PROMPT, data, Refinement, check))


def _check_findings(written: Refinement, clauses: int, shown: _Shown) -> None:
    failed = {run.number for run in shown.failed}
    there = failed | {run.number for run in shown.successful}
    for place, finding in enumerate(written.findings):
        where = f"findings.{place}"
        if finding.clause > clauses:
            msg = f"{where}: there is no clause {finding.clause}; the last one is {clauses}"
            raise UnfitReplyError(msg)
        if finding.clause == 0 and finding.problem is not Problem.MISSING:
            msg = f"{where}: name the clause that is {finding.problem}; they are numbered from 1"
            raise UnfitReplyError(msg)
        if unknown := [run for run in finding.runs if run not in there]:
            msg = f"{where}: there is no run {unknown[0]}; there are {sorted(there)}"
            raise UnfitReplyError(msg)
        if not failed.intersection(finding.runs):
            msg = f"{where}: name a run that failed and shows it; those are {sorted(failed)}"
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


def _kind(text: str) -> str:
    """Return what kind of error, or task, a text tells of."""
    return _VALUES.sub(" ", text[:_MOST_TEXT].casefold()).strip()


def _distinct_first(runs: Sequence[ScoredRun], kinds: Sequence[str], most: int) -> list[ScoredRun]:
    """Return the first of each kind; where there are too few kinds, others fill the places."""
    first: dict[str, ScoredRun] = {}
    others = [
        run for run, kind in zip(runs, kinds, strict=True) if first.setdefault(kind, run) is not run
    ]
    return [*first.values(), *others][:most]


def _told(run: ScoredRun) -> JsonObject:
    return {
        "number": run.number,
        "task": _cut(run.task),
        "score": run.score,
        "why": _cut(run.why),
        "error": _cut(run.error),
        "last_steps": [_cut(step, _MOST_STEP) for step in run.steps[-_MOST_STEPS:]],
        "result": _cut(run.result),
    }


def _cut(text: str, most: int = _MOST_TEXT) -> str:
    return text if len(text) <= most else f"{text[:most]} [...]"


def _why(refinement: Refinement) -> str:
    problems = [finding.problem for finding in refinement.findings]
    counts = [f"{problems.count(one)} {one}" for one in Problem if one in problems]
    return f"instructions refined, as runs that failed show: {', '.join(counts)}"


def _evidence(reply: Reply[Refinement], changed: int, near: Similarity) -> JsonObject:
    return {
        "findings": [
            finding.model_copy(update={"what": visible_line(finding.what)}).model_dump(mode="json")
            for finding in reply.value.findings
        ],
        "edits": [edit.model_dump(mode="json") for edit in reply.value.edits],
        "clauses_changed": changed,
        "similarity": near.to_json(),
        "model": reply.model,
        "prompt": reply.prompt,
        "tokens": reply.usage.tokens,
    }
