"""Choosing among candidates that claim the same parts of the traces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from toolguild.synth.mining.opportunity import (
    CodeOccurrence,
    RepeatedCode,
    RepeatedSequence,
    SequenceOccurrence,
    Unit,
    saving_of,
    support_of,
)

__all__ = ["choose", "rank"]

C = TypeVar("C", RepeatedSequence, RepeatedCode)
P = TypeVar("P", SequenceOccurrence, CodeOccurrence)


def choose(
    candidates: Sequence[C],
    *,
    worth_keeping: Callable[[C, Sequence[C]], bool],
    limit: int,
    taken: Collection[Unit] = (),
) -> list[C]:
    """Pick candidates greedily by what each still saves where no better one applies.

    Args:
        candidates: What was found, in any order.
        worth_keeping: Whether a candidate, cut down to what is left of it, is still worth a tool
            beside those chosen already.
        limit: How many to choose at most.
        taken: Parts of the traces that none may claim.
    """
    chosen: list[C] = []
    taken = set(taken)
    remaining = list(candidates)
    while remaining and len(chosen) < limit:
        trimmed = [_outside(candidate, taken) for candidate in remaining]
        remaining = [candidate for candidate in trimmed if worth_keeping(candidate, chosen)]
        if remaining:
            best = min(remaining, key=rank)
            remaining.remove(best)
            chosen.append(best)
            taken.update(*(occurrence.units for occurrence in best.everywhere))
    return chosen


def rank(candidate: RepeatedSequence | RepeatedCode) -> tuple[bool, int, int, int, str]:
    """Return what candidates are sorted by, the best first."""
    everywhere = candidate.everywhere
    saving = saving_of(everywhere)
    size = (-saving.calls, -saving.characters, -support_of(everywhere))
    if isinstance(candidate, RepeatedCode):
        return False, *size, candidate.source
    # What is overfitted takes no place from what is not, however much it seems to save.
    return candidate.is_overfitted, *size, str(candidate.plan)


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
