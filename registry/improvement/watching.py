"""Whether an agent has become worse since it was changed last."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.policies.decline import has_declined
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement.history import effective
from toolguild.registry.improvement.model import Change, ScoredRun, Standing

__all__ = ["has_dropped", "newest_cycle"]

_LOWEST, _HIGHEST = 0.05, 0.95
"""Rates beyond which a single run would decide, or none ever could."""


def newest_cycle(changes: Sequence[Change]) -> list[Change]:
    """Return the changes of the newest cycle of which any holds, as far as they hold."""
    holding = [change for change in effective(changes) if change.new.cycle]
    return [change for change in holding if change.new.cycle == holding[-1].new.cycle]


def has_dropped(
    watched: Sequence[Change],
    standing: Standing,
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
) -> bool:
    """Say whether runs show that fewer succeed than did before some changes.

    Args:
        watched: The changes, which say in their evidence, as `rate`, what share succeeded before.
        standing: What the agent is told since.
        runs: Its runs since anything was changed last, the oldest first.
        rules: What counts as a success, and how sure one has to be.
    """
    rates = [change.new.evidence.get("rate") for change in watched]
    promised = [float(rate) for rate in rates if isinstance(rate, int | float)]
    if not promised:
        return False
    rate = min(max(*promised, _LOWEST), _HIGHEST)
    # A run that began before the change was told other things.
    since = [run for run in runs if standing.artefacts.keys() >= set(run.shown)]
    succeeded = [run.score >= rules.success for run in since]
    return has_declined(succeeded, rate, rules.runs_between_false_alarms)
