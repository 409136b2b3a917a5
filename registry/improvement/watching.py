"""Whether an agent has become worse since it was changed.

Every recent cycle is watched, and not the newest one alone: otherwise any later change, however
harmless, would begin the count anew, and promise no more than what the harmful one has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from toolguild.policies.decline import has_declined
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement.history import effective, standing_of, with_effect
from toolguild.registry.improvement.model import Change, ScoredRun

__all__ = ["MOST_WATCHED", "begin_of_watch", "dropped_cycle"]

MOST_WATCHED = 300
"""Runs after which a cycle is no more watched."""
_LOWEST, _HIGHEST = 0.05, 0.95
"""Rates beyond which a single run would decide, or none ever could."""


def begin_of_watch(changes: Sequence[Change]) -> datetime | None:
    """Return when anything was changed last that is of no cycle, such as by undoing or a person.

    What came before says nothing of what is now.
    """
    return max((one.at for one in with_effect(changes) if not one.new.cycle), default=None)


def dropped_cycle(
    changes: Sequence[Change], runs: Sequence[ScoredRun], rules: ImprovementRules
) -> list[Change]:
    """Return the changes of the cycle since which fewer runs succeed than did before it.

    Of several such cycles it is the newest: what it was watched by began to fall after it.

    Args:
        changes: All of the agent's, the oldest first.
        runs: Its latest runs since the watch began, the oldest first.
        rules: What counts as a success, and how sure one has to be.

    Returns:
        As far as they hold; nothing where no cycle shows a drop.
    """
    holding = effective(changes)
    cycles: dict[str, list[Change]] = {}
    for change in with_effect(holding):
        if change.new.cycle:
            cycles.setdefault(change.new.cycle, []).append(change)
    for cycle in reversed(cycles.values()):
        since = [run for run in runs if run.at > cycle[-1].at]
        if _has_dropped(cycle, _told_since(holding, cycle[-1].number), since, rules):
            return cycle
        if len(since) >= MOST_WATCHED:
            break
    return []


def _told_since(holding: Sequence[Change], number: int) -> set[str]:
    """Return digests of all that a run can have been told that began after a change."""
    standing = standing_of([change for change in holding if change.number <= number])
    later = (change for change in with_effect(holding) if change.number > number)
    return {*standing.artefacts, *(one.digest for change in later for one in change.new.adds)}


def _has_dropped(
    cycle: Sequence[Change], told: set[str], runs: Sequence[ScoredRun], rules: ImprovementRules
) -> bool:
    """Say whether fewer runs succeed than a cycle's changes say in their evidence, as `rate`."""
    rates = [change.new.evidence.get("rate") for change in cycle]
    promised = [float(rate) for rate in rates if isinstance(rate, int | float)]
    if not promised:
        return False
    rate = min(max(*promised, _LOWEST), _HIGHEST)
    # A run that began before the change was told other things.
    since = [run for run in runs if told.issuperset(run.shown)]
    succeeded = [run.score >= rules.success for run in since]
    return has_declined(succeeded, rate, rules.runs_between_false_alarms)
