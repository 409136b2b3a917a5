"""Choosing among candidates that claim the same parts of the traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from toolguild.synth.mining.opportunity import (
    RepeatedCode,
    RepeatedSequence,
    Unit,
    saving_of,
    support_of,
)

__all__ = ["choose"]

C = TypeVar("C", RepeatedSequence, RepeatedCode)


def choose(
    candidates: Sequence[C],
    *,
    worth_keeping: Callable[[C, Sequence[C]], bool],
    limit: int,
) -> list[C]:
    """Pick candidates greedily by what each still saves where no better one applies.

    Args:
        candidates: What was found, in any order.
        worth_keeping: Whether a candidate, cut down to what is left of it, is still worth a tool
            beside those chosen already.
        limit: How many to choose at most.
    """
    chosen: list[C] = []
    taken: set[Unit] = set()
    remaining = list(candidates)
    while remaining and len(chosen) < limit:
        trimmed = [_outside(candidate, taken) for candidate in remaining]
        remaining = [candidate for candidate in trimmed if worth_keeping(candidate, chosen)]
        if remaining:
            best = min(remaining, key=_rank)
            remaining.remove(best)
            chosen.append(best)
            taken.update(*(occurrence.units for occurrence in best.occurrences))
    return chosen


def _rank(candidate: RepeatedSequence | RepeatedCode) -> tuple[int, int, int, str]:
    saving = saving_of(candidate.occurrences)
    subject = candidate.plan if isinstance(candidate, RepeatedSequence) else candidate.source
    return -saving.calls, -saving.characters, -support_of(candidate.occurrences), str(subject)


def _outside(candidate: C, taken: set[Unit]) -> C:
    """Return the candidate without the occurrences that overlap a taken unit, or each other."""
    kept = []
    seen: set[Unit] = set()
    for occurrence in candidate.occurrences:
        units = occurrence.units
        if not units & taken and not units & seen:
            seen |= units
            kept.append(occurrence)
    if len(kept) == len(candidate.occurrences):
        return candidate
    return replace(candidate, occurrences=tuple(kept))
