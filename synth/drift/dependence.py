"""Which versions depend on a field that drifted: those that call the tool, and their callers."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.policies.drift import Consequence, DriftRules, consequence_of
from toolguild.registry import ToolVersion
from toolguild.synth.drift.comparing import ToolChange
from toolguild.synth.drift.composites import Composite
from toolguild.synth.drift.replaying import Replayed, Replays

__all__ = ["Compared", "Dependence", "Dependences"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A composite, and how today's answers are others than its recorded ones."""

    composite: Composite
    changes: tuple[ToolChange, ...]
    tools: frozenset[str]
    """The tools of which recorded calls could be compared."""


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


class Dependences:
    """Replays what calls a tool that drifted, and what calls that."""

    def __init__(self, compared: Sequence[Compared], replays: Replays, rules: DriftRules) -> None:
        """Take the composites, what runs them, and what follows from it."""
        self._compared, self._replays, self._rules = compared, replays, rules

    def of(self, changes: Sequence[ToolChange]) -> list[Dependence]:
        """Return what one change does to the versions that call the tool, the nearest first.

        Args:
            changes: The change, as it is in each of the composites whose recordings show it.
        """
        found: dict[str, Dependence] = {}
        pending = deque(self._first_steps(changes))
        while pending:
            step = pending.popleft()
            version = step.composite.version
            known = found.get(version.digest)
            if known is not None and known.consequence is not Consequence.UNTOUCHED:
                continue
            replayed = self._replays.under(step.composite, step.changes)
            follows = self._consequence(replayed)
            found[version.digest] = Dependence(version, replayed, follows, step.through)
            if replayed.changes and step.composite.is_meant:
                pending.extend(self._steps_of_callers(step, replayed.changes))
        return [*found.values()]

    def _first_steps(self, changes: Sequence[ToolChange]) -> list[_Step]:
        """Return the composites that call the tool, each with the change as it is for it.

        One of which no recorded call came again is held against what the others show. One whose
        recordings agree with today's answers has nothing to fear.
        """
        tool = changes[0].tool
        steps = []
        for one in self._compared:
            own = [change for change in one.changes if change.name == changes[0].name]
            if own or (tool in one.composite.version.spec.calls and tool not in one.tools):
                steps.append(_Step(one.composite, tuple(own or changes)))
        return steps

    def _steps_of_callers(self, step: _Step, changes: tuple[ToolChange, ...]) -> list[_Step]:
        version = step.composite.version
        through = (*step.through, version.ref)
        return [
            _Step(one.composite, changes, through)
            for one in self._compared
            if version.spec.name in one.composite.version.spec.calls
        ]

    def _consequence(self, replayed: Replayed) -> Consequence:
        return consequence_of(
            reached=replayed.reached,
            runs=replayed.runs,
            differing=replayed.differing,
            broken=replayed.broken,
            rules=self._rules,
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """A composite that has to be replayed, and how a tool that it calls is different."""

    composite: Composite
    changes: tuple[ToolChange, ...]
    through: tuple[str, ...] = ()
