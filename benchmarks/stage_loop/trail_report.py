"""What is shown of the task of many hops, and which bounds it keeps."""

from __future__ import annotations

from typing import TypeAlias

from benchmarks.sandbox.tables import table
from benchmarks.stage_loop.trail import Cost

__all__ = ["HOPS", "trail_broken", "trail_table"]

HOPS = (12, 24, 48)
_GROWTH = 1.10
"""Of the largest request, from the shortest task to the longest, which has four times the steps."""

Costs: TypeAlias = dict[int, Cost]
"""By the number of hops."""


def trail_table(stages: Costs, history: Costs) -> str:
    """Show what both ways of running the task took."""
    rows = [
        (
            f"{hops}",
            f"{stages[hops].most_input:,}",
            f"{history[hops].most_input:,}",
            f"{stages[hops].all_input:,}",
            f"{history[hops].all_input:,}",
            f"{stages[hops].requests}",
            f"{history[hops].requests}",
        )
        for hops in HOPS
    ]
    growths = (
        f"{HOPS[-1]} / {HOPS[0]}",
        f"{_growth(stages):.2f} x",
        f"{_growth(history):.2f} x",
        *("",) * 4,
    )
    head = (
        "records to follow",
        "largest request, in stages",
        "with full history",
        "all requests, in stages",
        "with full history",
        "requests, in stages",
        "with full history",
    )
    return table(head, [*rows, growths])


def trail_broken(stages: Costs, history: Costs) -> list[str]:
    """Name the bounds that are broken."""
    broken = [
        f"{hops} records: the answers are {stages[hops].answer} and {history[hops].answer}"
        for hops in HOPS
        if stages[hops].answer != history[hops].answer
    ]
    if _growth(stages) > _GROWTH:
        broken.append(f"the largest request grows {_growth(stages):.2f} times, {_GROWTH} at most")
    return broken


def _growth(costs: Costs) -> float:
    return costs[HOPS[-1]].most_input / costs[HOPS[0]].most_input
