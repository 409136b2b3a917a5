"""Choosing among candidates that claim the same parts of the traces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

from toolguild.synth.mining.extent import Unit, Weights
from toolguild.synth.mining.opportunity import (
    CodeOccurrence,
    RepeatedCode,
    RepeatedSequence,
    SequenceOccurrence,
    extent_in,
)

__all__ = ["Prospect", "choose", "estimated", "rank", "ready"]

C = TypeVar("C", RepeatedSequence, RepeatedCode)
P = TypeVar("P", SequenceOccurrence, CodeOccurrence)
Rank: TypeAlias = tuple[bool, int, int, int, str]
_ROUNDING = 1
"""What candidates save is a whole number, and the bound on it is not."""


@dataclass(frozen=True, slots=True)
class Prospect(Generic[C]):
    """Places that candidates may be made of, which takes long."""

    most_calls: Callable[[Collection[Unit]], float]
    """Calls that any of the candidates may save at most, outside of parts that are taken; 0 where
    too little is left for one."""
    make: Callable[[], Sequence[C]]


def ready(candidates: Sequence[C]) -> list[Prospect[C]]:
    """Return candidates that are made already as what they may be chosen from."""
    return [Prospect(lambda taken: inf, lambda: candidates)]


def choose(
    prospects: Sequence[Prospect[C]],
    *,
    worth_keeping: Callable[[C, Sequence[C]], bool],
    limit: int,
    taken: Collection[Unit] = (),
    weights: Weights = MappingProxyType({}),
    progress: Callable[[float], None] = lambda done: None,
) -> list[C]:
    """Pick candidates greedily by what each still saves where no better one applies.

    Candidates are made only of prospects that may be better than the best one known, so the choice
    is that among all of them (lazy evaluation as in M. Minoux, "Accelerated greedy algorithms for
    maximizing submodular set functions", 1978).

    Args:
        prospects: What candidates are made of, in any order.
        worth_keeping: Whether a candidate, cut down to what is left of it, is still worth a tool
            beside those chosen already.
        limit: How many to choose at most.
        taken: Parts of the traces that none may claim.
        weights: What the runs stand for.
        progress: Called with the share of the prospects that have been looked into.
    """
    return _Choice(prospects, worth_keeping, set(taken), weights, progress).best(limit)


class _Choice(Generic[C]):
    def __init__(
        self,
        prospects: Sequence[Prospect[C]],
        worth_keeping: Callable[[C, Sequence[C]], bool],
        taken: set[Unit],
        weights: Weights,
        progress: Callable[[float], None],
    ) -> None:
        self._prospects: Sequence[Prospect[C]] = prospects
        self._worth_keeping: Callable[[C, Sequence[C]], bool] = worth_keeping
        self._taken = taken
        self._weights = weights
        self._progress = progress
        self._chosen: list[C] = []
        self._left: dict[int, C] = {}
        self._ranks: dict[int, Rank] = {}
        self._claims: defaultdict[Unit, set[int]] = defaultdict(set)
        """The candidates that take up each part of a trace."""
        self._numbers = count()
        self._pending = [
            (-prospect.most_calls(taken), number) for number, prospect in enumerate(prospects)
        ]
        heapify(self._pending)

    def best(self, limit: int) -> list[C]:
        while len(self._chosen) < limit:
            best = self._next()
            if best is None:
                break
            self._chosen.append(best)
            self._take(_units(best))
        return self._chosen

    def _next(self) -> C | None:
        """Return the best candidate of all, which is then no longer among those left."""
        self._left = {number: one for number, one in self._left.items() if self._is_worth(one)}
        while self._pending and not self._is_beaten(-self._pending[0][0]):
            self._look_into(heappop(self._pending)[1])
        if not self._left:
            return None
        return self._left.pop(min(self._left, key=self._ranks.__getitem__))

    def _is_worth(self, candidate: C) -> bool:
        return self._worth_keeping(candidate, self._chosen)

    def _is_beaten(self, most_calls: float) -> bool:
        """Say whether no candidate that saves so many calls at most can be the best."""
        if most_calls <= 0:
            return True
        ranks = (self._ranks[number] for number in self._left)
        is_overfitted, calls, *_ = min(ranks, default=(True, 0))
        return not is_overfitted and most_calls + _ROUNDING < -calls

    def _look_into(self, number: int) -> None:
        """Make the candidates of a prospect, unless less has been left of it than was thought."""
        most_calls = self._prospects[number].most_calls(self._taken)
        if self._is_beaten(most_calls):
            if most_calls > 0:
                heappush(self._pending, (-most_calls, number))
            return
        self._progress(1 - len(self._pending) / len(self._prospects))
        for made in self._prospects[number].make():
            candidate = _outside(_outside(made, set()), self._taken)
            if self._is_worth(candidate):
                self._add(candidate)

    def _add(self, candidate: C) -> None:
        number = next(self._numbers)
        self._left[number] = candidate
        self._ranks[number] = rank(candidate, self._weights)
        for unit in _units(candidate):
            self._claims[unit].add(number)

    def _take(self, units: set[Unit]) -> None:
        """Leave parts of the traces to a candidate that was chosen."""
        self._taken |= units
        # Only those that claim some of it as well are less than they were.
        for number in self._left.keys() & set().union(*(self._claims.pop(one) for one in units)):
            self._left[number] = _outside(self._left[number], units)
            self._ranks[number] = rank(self._left[number], self._weights)


def rank(
    candidate: RepeatedSequence | RepeatedCode, weights: Weights = MappingProxyType({})
) -> Rank:
    """Return what candidates are sorted by, the best first."""
    extent = extent_in(candidate.places, weights)
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
    return {unit for one in candidate.places for unit in one.units}


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
