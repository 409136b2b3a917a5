"""New tools for an agent, of what recurs in the traces of its own runs.

Synthesis registers what passes validation, each version by itself, before anybody has tried the
agent with it. That is why the provenance of each says whom it was made for: where a cycle ends
before its change is made, the next one finds what was left and proposes it again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolguild.registry import Registry, ToolVersion
from toolguild.registry.bundles.privacy import shared_evidence
from toolguild.registry.improvement import ChangeKind, NewChange, ScoredRun, made_for
from toolguild.sandbox import Access, Json, JsonObject, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth import Fate, Synthesized, mine, synthesize
from toolguild.synth.authoring import Author
from toolguild.synth.drafting import Draft
from toolguild.synth.mining import MiningSettings
from toolguild.synth.provenance import provenance_of
from toolguild.synth.spellings import group_spellings
from toolguild.synth.traces import Place, Problem, TraceFileError, read_traces, refusal
from toolguild.synth.validation import ValidationSettings

__all__ = ["Grown", "Workshop", "grow"]

_MOST_RUNS = 500
"""The newest ones, of which traces are read."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What tools are made with."""

    sandbox: Sandbox
    settings: ValidationSettings = ValidationSettings()
    mining: MiningSettings = MiningSettings()
    access: Access = NOTHING
    """What of the house's files drafts see that need it; they change nothing in them."""
    author: Author | None = None
    """A model that mends and words tools; what only a model could write is left out without."""
    on_trouble: Callable[[str], None] = lambda why: None
    """Called, from any thread, where the model gives nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Grown:
    """What came of the traces of an agent."""

    change: NewChange | None
    """Brings what passed; None where nothing is new."""
    made: tuple[Synthesized, ...]
    """What became of each opportunity."""
    problems: tuple[Problem, ...]
    """Traces that could not be read."""


def grow(
    registry: Registry, agent: str, traces: Path, runs: Sequence[ScoredRun], workshop: Workshop
) -> Grown:
    """Make tools of what recurs in successful runs of an agent, as far as the budget goes.

    What passes validation is registered when this returns, but no change was made. Whoever does
    not make the change has to take it back by `Improvements.withdraw`. It takes its time: call it
    in a thread of its own.

    Args:
        registry: Where the tools go.
        agent: Whose change is to bring them.
        traces: The folder that holds the trace of each run as `<run>.json`.
        runs: Scored runs of the agent, the oldest first.
        workshop: What tools are made with.

    Raises:
        SandboxUnavailableError: drafts cannot be run.
        RegistryError: the registry cannot be written.
    """
    success = registry.improvements.rules.success
    good = [run for run in runs if run.score >= success]
    recorded, problems = _recorded(traces, good[-_MOST_RUNS:])
    made = tuple(_made(registry, agent, recorded, workshop)) if recorded else ()
    return Grown(_change(registry, agent, made), made, tuple(problems))


def _recorded(
    folder: Path, runs: Sequence[ScoredRun]
) -> tuple[dict[Path, ScoredRun], list[Problem]]:
    """Return the traces of runs; what stands in a run's place but is not its trace is left out."""
    found: dict[Path, ScoredRun] = {}
    problems: list[Problem] = []
    for run in runs:
        path = folder / f"{run.run}.json"
        if path.name != f"{run.run}.json" or not path.is_file():
            continue
        try:
            ids = [trace.id for trace in read_traces([path], on_problem=problems.append)]
        except TraceFileError as error:
            problems.append(refusal(path, error))
            continue
        if ids == [run.run]:
            found[path] = run
        else:
            problems.append(Problem(Place(str(path), 1), f"is not the trace of run {run.run}"))
    return found, problems


def _made(
    registry: Registry, agent: str, recorded: Mapping[Path, ScoredRun], workshop: Workshop
) -> list[Synthesized]:
    mined = mine(
        recorded,
        settings=workshop.mining,
        merge=partial(group_spellings, sandbox=workshop.sandbox),
        episodes=workshop.author is not None,
    )
    numbers = {str(path): run.number for path, run in recorded.items()}

    def origin(draft: Draft) -> JsonObject:
        return {**provenance_of(draft), **made_for(agent, _runs_of(draft, numbers))}

    with ThreadPoolExecutor(os.cpu_count()) as executor:
        return list(
            synthesize(
                mined.everything,
                registry,
                workshop.sandbox,
                executor,
                workshop.settings,
                workshop.access,
                author=workshop.author,
                on_trouble=workshop.on_trouble,
                origin=origin,
            )
        )


def _runs_of(draft: Draft, numbers: Mapping[str, int]) -> list[int]:
    places = draft.opportunity.everywhere if draft.opportunity else ()
    return sorted({numbers[one.place.file] for one in places if one.place.file in numbers})


def _change(registry: Registry, agent: str, made: Sequence[Synthesized]) -> NewChange | None:
    """Return the change that brings all that was made for an agent and that no change speaks of."""
    new = registry.improvements.unclaimed_tools(agent)
    if not new:
        return None
    versions = [version for version, _ in new]
    fates = Counter(one.fate for one in made)
    return NewChange(
        agent=agent,
        kind=ChangeKind.TOOLS,
        why=f"new tools: {', '.join(version.ref for version in versions)}",
        brings=tuple(version.digest for version in versions),
        runs=tuple(sorted({number for _, numbers in new for number in numbers})),
        evidence={
            "tools": {version.ref: _found(version) for version in versions},
            "opportunities": {str(fate): fates[fate] for fate in Fate if fates[fate]},
        },
    )


def _found(version: ToolVersion) -> Json:
    """Return what validation found of a version, without any recorded value."""
    origin = version.provenance.get("origin")
    return {
        "origin": origin,
        "state": version.state.value,
        **shared_evidence(version.evidence),
    }
