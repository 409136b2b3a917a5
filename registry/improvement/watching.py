"""Whether an agent has become worse since a change was made."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.policies.decline import has_declined
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement.model import Change, ScoredRun

__all__ = ["has_dropped"]

_LOWEST, _HIGHEST = 0.05, 0.95
"""Rates beyond which a single run would decide, or none ever could."""


def has_dropped(change: Change, runs: Sequence[ScoredRun], rules: ImprovementRules) -> bool:
    """Say whether the runs since a change show that fewer of them succeed than it promised.

    Args:
        change: Which says in its evidence, as `rate`, what share of runs succeeds without it.
        runs: The agent's runs, the oldest first.
        rules: What counts as a success, and how sure one has to be.
    """
    rate = change.new.evidence.get("rate")
    if not isinstance(rate, int | float):
        return False
    since = [run.score >= rules.success for run in runs if run.at > change.at]
    promised = min(max(float(rate), _LOWEST), _HIGHEST)
    return has_declined(since, promised, rules.runs_between_false_alarms)
