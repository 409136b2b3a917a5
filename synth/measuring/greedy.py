"""Choosing some of many things by what they are worth together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

__all__ = ["Pick", "choose_greedily"]


class Pick(NamedTuple):
    """One thing that was chosen."""

    number: int
    """Which one, counted from 0."""
    gain: float
    """What it adds to the worth of those chosen before it."""


def choose_greedily(count: int, worth: Callable[[Sequence[int]], float], most: int) -> list[Pick]:
    """Choose the things that are worth most together, the one that adds most first.

    Greedily: always the one that adds most to those chosen, which for a worth of this kind, where
    a thing adds the less the more there are, is not far from the best choice (G. L. Nemhauser,
    L. A. Wolsey and M. L. Fisher, Mathematical Programming 14, 1978, section 4). For the same
    reason a thing is only looked at again while what it last added would make it the best (M.
    Minoux, "Accelerated greedy algorithms", 1978). What adds nothing is left out.

    Args:
        count: How many things there are.
        worth: What things are worth together, given by their numbers in the order of their choice.
        most: How many to choose at most.
    """
    picks: list[Pick] = []
    chosen: list[int] = []
    total = 0.0
    # What each adds at most, the best first, and beside how many others that was found.
    queue = [(-worth([number]), number, 0) for number in range(count)]
    heapify(queue)
    while queue and len(chosen) < most:
        negative, number, beside = heappop(queue)
        if negative >= 0:
            break
        if beside == len(chosen):
            chosen.append(number)
            total -= negative
            picks.append(Pick(number, -negative))
        else:
            heappush(queue, (total - worth([*chosen, number]), number, len(chosen)))
    return picks
