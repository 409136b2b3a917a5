"""Choosing among candidates that claim the same parts of the traces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from toolguild.synth.mining.opportunity import (
    CodeOccurrence,
    RepeatedCode,
    RepeatedSequence,
    SequenceOccurrence,
    Unit,
    Weights,
    extent_in,
)

__all__ = ["choose", "estimated", "rank"]

C = TypeVar("C", RepeatedSequence, RepeatedCode)
P = TypeVar("P", SequenceOccurrence, CodeOccurrence)


def choose(
    candidates: Sequence[C],
    *,
    worth_keeping: Callable[[C, Sequence[C]], bool],
    limit: int,
    taken: Collection[Unit] = (),
    weights: Weights = MappingProxyType({}),
) -> list[C]:
    """Pick candidates greedily by what each still saves where no better one applies.

    Args:
        candidates: What was found, in any order.
        worth_keeping: Whether a candidate, cut down to what is left of it, is still worth a tool
            beside those chosen already.
        limit: How many to choose at most.
        taken: Parts of the traces that none may claim.
        weights: What the runs stand for.
    """
    trimmed = [_outside(candidate, set(taken)) for candidate in candidates]
    left = dict(enumerate(trimmed))
    ranks = {number: rank(candidate, weights) for number, candidate in left.items()}
    claims: defaultdict[Unit, set[int]] = defaultdict(set)
    for number, candidate in left.items():
        for unit in _units(candidate):
            claims[unit].add(number)
    chosen: list[C] = []
    while len(chosen) < limit:
        left = {n: candidate for n, candidate in left.items() if worth_keeping(candidate, chosen)}
        if not left:
            break
        best = left.pop(min(left, key=ranks.__getitem__))
        chosen.append(best)
        claimed = _units(best)
        # Only those that claim some of it as well are less than they were.
        for number in left.keys() & set().union(*(claims.pop(unit) for unit in claimed)):
            left[number] = _outside(left[number], claimed)
            ranks[number] = rank(left[number], weights)
    return chosen


def rank(
    candidate: RepeatedSequence | RepeatedCode, weights: Weights = MappingProxyType({})
) -> tuple[bool, int, int, int, str]:
    """Return what candidates are sorted by, the best first."""
    extent = extent_in(candidate.everywhere, weights)
    size = (-extent.saving.calls, -extent.saving.characters, -extent.tasks)
    if isinstance(candidate, RepeatedCode):
        return False, *size, candidate.source
    # What is overfitted takes no place from what is not, however much it seems to save.
    return candidate.is_overfitted, *size, str(candidate.plan)


def estimated(candidate: C, weights: Weights) -> C:
    """Return a candidate with what it comes to in all logs, if runs of it stand for others."""
    everywhere = candidate.everywhere
    if not any(one.trace_id in weights for one in everywhere):
        return candidate
    return replace(candidate, estimate=extent_in(everywhere, weights))


def _units(candidate: RepeatedSequence | RepeatedCode) -> set[Unit]:
    return {unit for one in candidate.everywhere for unit in one.units}


def _outside(candidate: C, taken: set[Unit]) -> C:
    """Return the candidate without the occurrences that overlap a taken unit, or each other."""
    kept = _apart(candidate.occurrences, taken)
    if isinstance(candidate, RepeatedSequence):
        held_out = _apart(candidate.held_out, taken)
        if len(held_out) < len(candidate.held_out):
            candidate = replace(candidate, held_out=held_out)
    if len(kept) == len(candidate.occurrences):
        return candidate
    return replace(candidate, occurrences=kept)


def _apart(occurrences: Sequence[P], taken: set[Unit]) -> tuple[P, ...]:
    kept = []
    seen: set[Unit] = set()
    for occurrence in occurrences:
        units = occurrence.units
        if not units & taken and not units & seen:
            seen |= units
            kept.append(occurrence)
    return tuple(kept)
