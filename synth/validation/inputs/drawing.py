"""Which inputs a tool is tried on, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count as turns
from random import Random

from toolguild.sandbox import JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.boundaries import one_at_a_time, pairwise
from toolguild.synth.validation.inputs.generation import generated
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy

__all__ = ["draw"]

_EDGES = 0.55
"""Share of the inputs, at most, that differ from recorded ones in one argument at an edge."""
_PAIRS = 0.1
"""Share, at most, with several arguments at edges."""
_LARGE = 0.04
"""Share, at most, with something large."""
_FEWEST = 10
"""Draws at a time, at least."""
_PATIENCE = 60
"""Draws in a row that give nothing new, after which there is nothing new to be had."""


def draw(
    strategy: ArgumentsStrategy, count: int, seed: int, *, large: bool = True
) -> list[JsonObject]:
    """Return up to so many different inputs that fit the schema, the same for the same seed.

    Those at the edges come first, and do not depend on the seed.

    Args:
        strategy: What the inputs are drawn from.
        count: How many, at most; fewer where there are no more.
        seed: Where chance starts.
        large: Whether some may have strings and lists of several hundred.
    """
    inputs = _Inputs(strategy)
    single = one_at_a_time(strategy)
    inputs.take(single, round(_EDGES * count))
    inputs.take(pairwise(strategy), len(inputs) + round(_PAIRS * count))
    if large:
        inputs.take(_large(strategy, seed, round(_LARGE * count)), count)
    inputs.take(_at_random(strategy, seed, inputs, count), count)
    inputs.take(single, count)
    return inputs.taken()


class _Inputs:
    """Different inputs that fit."""

    def __init__(self, strategy: ArgumentsStrategy) -> None:
        self._strategy = strategy
        self._taken: dict[str, JsonObject] = {}
        self._refused: set[str] = set()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, candidates: Iterable[JsonObject], total: int) -> None:
        """Take new ones until there are so many, or nothing new comes for long."""
        missed = 0
        if len(self) >= total:
            return
        for arguments in candidates:
            missed = 0 if self._take(arguments) else missed + 1
            if len(self) >= total or missed >= _PATIENCE:
                return

    def taken(self) -> list[JsonObject]:
        """Return all in the order in which they were taken."""
        return list(self._taken.values())

    def _take(self, arguments: JsonObject) -> bool:
        key = canonical(arguments)
        if key in self._taken or key in self._refused:
            return False
        if not self._strategy.allows(arguments):
            self._refused.add(key)
            return False
        self._taken[key] = arguments
        return True


def _large(strategy: ArgumentsStrategy, seed: int, count: int) -> Iterator[JsonObject]:
    """Yield usual arguments with one that is large, then with all of them so."""
    pick = Random(0).randrange  # noqa: S311 - always the same, no secret
    for made in generated(strategy.large, 1, seed) if count else []:
        large = {name: value for name, value in made.items() if _is_large(value)}
        rows = [{name: value} for name, value in large.items()]
        rows += [large] if len(large) > 1 else []
        for index, row in enumerate(rows[:count]):
            keeping = next(iter(row)) if len(row) == 1 else None
            yield strategy.related({**strategy.base(index), **row}, pick, keeping)


def _is_large(value: object) -> bool:
    return isinstance(value, str | list | dict) and len(value) >= _LARGE_LENGTH


_LARGE_LENGTH = 50


def _at_random(
    strategy: ArgumentsStrategy, seed: int, inputs: _Inputs, total: int
) -> Iterator[JsonObject]:
    """Yield arguments as long as some are missing and there are any."""
    for turn in turns():
        missing = total - len(inputs)
        drawn = generated(strategy.drawn, min(max(missing, _FEWEST), _PATIENCE), f"{seed}/{turn}")
        if not drawn:
            return
        yield from drawn
