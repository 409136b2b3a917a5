"""Choices within a draw: which part, which place, which of several strategies."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias, TypeVar

from hypothesis import strategies
from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["Pick", "by_shares", "picks", "varied"]

Pick: TypeAlias = Callable[[int], int]
"""Gives a number from zero to below the one that it is asked with."""

_Value = TypeVar("_Value")


def picks(draw: DrawFn) -> Pick:
    """Return what picks numbers as a part of a draw."""
    return lambda below: draw(_below(below))


@lru_cache(maxsize=512)
def _below(number: int) -> SearchStrategy[int]:
    return strategies.integers(0, number - 1)


def by_shares(*shares: tuple[int, SearchStrategy[_Value]]) -> SearchStrategy[_Value]:
    """Return a strategy that draws from each of several in proportion to its share.

    `one_of` draws from each as often as from the others, and from what they consist of.
    """
    ends = list(accumulate(share for share, _ in shares))
    several = [strategy for _, strategy in shares]
    return _below(ends[-1]).flatmap(lambda number: several[bisect(ends, number)])


@strategies.composite
def varied(
    draw: DrawFn, values: SearchStrategy[_Value], change: Callable[[_Value, Pick], _Value]
) -> _Value:
    """Draw a value, and change it by what is picked."""
    return change(draw(values), picks(draw))
