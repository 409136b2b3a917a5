"""Finding drift: what tools answer otherwise today, and which registered tools that concerns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolguild.policies import Profile
from toolguild.policies.drift import Consequence, FieldChange, consequence_of, is_drift
from toolguild.registry import Registry, ToolVersion
from toolguild.registry.gateway import MAX_DEPTH
from toolguild.sandbox import Access, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.drift.answers import answers_of, calls_of_cases
from toolguild.synth.drift.comparing import ToolChange, changes_of, counted
from toolguild.synth.drift.composites import Composite, composites_of
from toolguild.synth.drift.replaying import Replayed, Replays
from toolguild.synth.traces import ToolCall

__all__ = ["Dependence", "Drift", "DriftReport", "find_drift"]


@dataclass(frozen=True, slots=True)
class Dependence:
    """What a change of a field does to one version."""

    version: ToolVersion
    replayed: Replayed
    consequence: Consequence
    through: tuple[str, ...] = ()
    """The versions, as `name@number`, between it and the tool that drifted."""

    @property
    def words(self) -> str:
        """What its recorded runs do under the change."""
        replayed = self.replayed
        if not replayed.runs:
            told = "none of its recorded runs can be replayed here"
            return told if replayed.reached else "none of its recorded runs calls the tool"
        told = f"{replayed.differing} of {replayed.runs} recorded runs come out otherwise"
        if replayed.broken:
            told += f", {replayed.broken} fail"
        return f"{told}, through {' and '.join(self.through)}" if self.through else told


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that is different."""

    change: FieldChange
    is_drift: bool
    """Whether it is drift, by the profile."""
    dependences: tuple[Dependence, ...] = ()
    """The versions whose recorded runs call the tool, where it is drift."""


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

    Each version is held against its own recordings. Whether it depends on a field that drifted is
    seen by replaying them in the sandbox, once as recorded and once with that field as it is now.
    A composite whose result is another one then is to its callers a tool that drifted.

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
    changes = [
        _Change(composite, change)
        for composite, answers in zip(composites, recorded, strict=True)
        for change in changes_of(answers, today)
    ]
    replays = _Dependences(composites, Replays(sandbox, access), profile)
    return DriftReport(len(today), _drifts(changes, replays, profile), tuple(without))


@dataclass(frozen=True, slots=True)
class _Change:
    """A change as one composite's recordings show it."""

    composite: Composite
    change: ToolChange


def _drifts(
    changes: Sequence[_Change], dependences: _Dependences, profile: Profile
) -> tuple[Drift, ...]:
    """Return the changes, each counted over all recordings, those first that concern most calls."""
    alike: dict[object, list[_Change]] = {}
    for one in changes:
        alike.setdefault(one.change.name, []).append(one)
    found: list[Drift] = []
    for same in alike.values():
        told = counted(one.change for one in same)
        drifted = is_drift(told, profile.drift)
        found.append(Drift(told, drifted, tuple(dependences.of(same)) if drifted else ()))
    return tuple(sorted(found, key=_place))


def _place(drift: Drift) -> tuple[bool, int, str]:
    return not drift.is_drift, -drift.change.changed, str(drift.change)


class _Dependences:
    """Replays what calls a tool that drifted, and what calls that."""

    def __init__(self, composites: Sequence[Composite], replays: Replays, profile: Profile) -> None:
        self._composites, self._replays, self._rules = composites, replays, profile.drift

    def of(self, changes: Sequence[_Change]) -> list[Dependence]:
        """Return what one change does to each version, the nearest way to it first."""
        found: dict[str, Dependence] = {}
        pending = deque(
            _Step(composite, tuple(one.change for one in changes if one.composite is composite))
            for composite in self._composites
            if any(one.composite is composite for one in changes)
        )
        while pending:
            step = pending.popleft()
            version = step.composite.version
            known = found.get(version.digest)
            if known is not None and known.consequence is not Consequence.UNTOUCHED:
                continue
            replayed = self._replays.under(step.composite, step.changes)
            found[version.digest] = Dependence(
                version, replayed, self._consequence(replayed), step.through
            )
            if replayed.changes and step.composite.is_meant and len(step.through) < MAX_DEPTH:
                through = (*step.through, version.ref)
                callers = self._callers(version.spec.name)
                pending.extend(_Step(caller, replayed.changes, through) for caller in callers)
        return [*found.values()]

    def _consequence(self, replayed: Replayed) -> Consequence:
        return consequence_of(
            reached=replayed.reached,
            runs=replayed.runs,
            differing=replayed.differing,
            broken=replayed.broken,
            rules=self._rules,
        )

    def _callers(self, name: str) -> list[Composite]:
        return [one for one in self._composites if name in one.version.spec.calls]


@dataclass(frozen=True, slots=True)
class _Step:
    """A composite that has to be replayed, and how a tool that it calls is different."""

    composite: Composite
    changes: tuple[ToolChange, ...]
    through: tuple[str, ...] = ()
