"""Finding drift: what tools answer otherwise today, and which registered tools that concerns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolguild.policies import Profile
from toolguild.policies.drift import FieldChange, is_drift
from toolguild.registry import Registry, ToolVersion
from toolguild.sandbox import Access, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.drift.answers import RecordedAnswers, answers_of, calls_of_cases
from toolguild.synth.drift.comparing import ToolChange, changes_of, counted
from toolguild.synth.drift.composites import Composite, composites_of
from toolguild.synth.drift.dependence import Compared, Dependence, Dependences
from toolguild.synth.drift.replaying import Replays
from toolguild.synth.traces import ToolCall

__all__ = ["Drift", "DriftReport", "find_drift"]


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that is different."""

    change: FieldChange
    is_drift: bool
    """Whether it counts, by the profile."""
    dependences: tuple[Dependence, ...] = ()
    """The versions that call the tool, and their callers, where it counts."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What came of comparing."""

    comparable: int
    """Distinct calls that were recorded and came again."""
    drifts: tuple[Drift, ...]
    without_recordings: tuple[ToolVersion, ...]
    """Versions that call other tools, of which nothing can be said."""

    @property
    def found(self) -> tuple[Drift, ...]:
        """What is drift."""
        return tuple(drift for drift in self.drifts if drift.is_drift)


def find_drift(
    registry: Registry,
    calls: Iterable[tuple[str, ToolCall]],
    sandbox: Sandbox,
    profile: Profile,
    access: Access = NOTHING,
) -> DriftReport:
    """Compare calls with those that registered tools were validated on; nothing is written.

    Each version is held against its own recordings, or where none of its calls of a tool came
    again, against what those of others show. Whether it depends on a field that drifted is seen by
    replaying them in the sandbox, once as recorded and once with that field as it is now. A
    composite whose result is another one then is to its callers a tool that drifted.

    Args:
        registry: Where the tools are.
        calls: Calls of today with their runs: of logs (`calls_of_traces`), or made now
            (`calls_of_live_tools`).
        sandbox: Where composites are replayed.
        profile: When a difference is drift, and what follows.
        access: What of the caller's files tools see that need it.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
        RegistryError: the registry cannot be read.
    """
    composites, without = composites_of(registry, profile)
    recorded = [answers_of(calls_of_cases(composite.cases)) for composite in composites]
    wanted = {key for answers in recorded for key in answers}
    today = answers_of(calls, wanted)
    compared = [
        _compared(composite, answers, today)
        for composite, answers in zip(composites, recorded, strict=True)
    ]
    dependences = Dependences(compared, Replays(sandbox, access), profile.drift)
    drifts = [_drift(changes, dependences, profile) for changes in _alike(compared)]
    return DriftReport(len(today), tuple(sorted(drifts, key=_place)), tuple(without))


def _compared(composite: Composite, recorded: RecordedAnswers, today: RecordedAnswers) -> Compared:
    tools = frozenset(tool for tool, _ in recorded.keys() & today.keys())
    return Compared(composite, tuple(changes_of(recorded, today)), tools)


def _alike(compared: Iterable[Compared]) -> Iterable[list[ToolChange]]:
    """Return the changes, those together that are the same in the recordings of several."""
    alike: dict[object, list[ToolChange]] = {}
    for one in compared:
        for change in one.changes:
            alike.setdefault(change.name, []).append(change)
    return alike.values()


def _drift(changes: Sequence[ToolChange], dependences: Dependences, profile: Profile) -> Drift:
    told = counted(changes)
    if not is_drift(told, profile.drift):
        return Drift(told, is_drift=False)
    return Drift(told, is_drift=True, dependences=tuple(dependences.of(changes)))


def _place(drift: Drift) -> tuple[bool, int, str]:
    """Return what sorts the changes: those that count first, then by the calls concerned."""
    return not drift.is_drift, -drift.change.changed, str(drift.change)
