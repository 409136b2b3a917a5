"""What a cycle of improvement looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from toolguild.policies.improvement import ImprovementRules
from toolguild.registry import Registry
from toolguild.registry.improvement import Change, NewChange, ScoredRun, Standing
from toolguild.registry.improvement.history import with_change

__all__ = ["View"]

_RECENT = 500
"""Runs that proposals are made of, at most."""


@dataclass(frozen=True, slots=True)
class View:
    """An agent, at one moment of a cycle."""

    agent: str
    cycle: str
    standing: Standing
    runs: tuple[ScoredRun, ...]
    """The recent ones, the oldest first."""
    new_runs: tuple[ScoredRun, ...]
    """Those of them that no cycle has looked at."""
    changes: tuple[Change, ...]
    """All of the agent's, the oldest first."""
    rules: ImprovementRules
    now: datetime

    @classmethod
    def of(cls, registry: Registry, agent: str, cycle: str) -> View:
        """Look at an agent."""
        improvements = registry.improvements
        runs = improvements.runs(agent)[-_RECENT:]
        seen = improvements.last_looked_at(agent)
        return cls(
            agent=agent,
            cycle=cycle,
            standing=improvements.standing(agent),
            runs=tuple(runs),
            new_runs=tuple(run for run in runs if run.number > seen),
            changes=tuple(improvements.changes(agent)),
            rules=improvements.rules,
            now=registry.now(),
        )

    def after(self, *changes: NewChange | None) -> Standing:
        """Return what the agent would be told if some changes were made."""
        standing = self.standing
        for change in changes:
            standing = standing if change is None else with_change(standing, change)
        return standing
