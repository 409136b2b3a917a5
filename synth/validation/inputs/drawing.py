"""Which inputs a tool is tried on, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random

from toolguild.sandbox import JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.boundaries import one_at_a_time, pairwise
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy

__all__ = ["draw"]

_EDGES = 0.55
"""Share of the inputs, at most, that differ from recorded ones in one argument at an edge."""
_PAIRS = 0.1
"""Share, at most, with several arguments at edges."""
_LARGE = 0.04
"""Share, at most, with something large."""
_RELATED = 0.8
"""Share of those drawn at random, the tied ones apart, in which recorded relations hold."""
_REDRAWN = 6
_TIED = 0.12
"""Share of those drawn at random that have two equal arguments, or nearly so."""
_NEARLY = 0.5
"""Share of those that differ by a little."""
_LEFT_OUT = 0.25
"""How often an optional parameter is left out."""
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
    random = Random(seed)  # noqa: S311 - a reproducible choice, not a secret
    edges = _Inputs(strategy)
    single = one_at_a_time(strategy)
    edges.take(single, round(_EDGES * count))
    edges.take(pairwise(strategy), len(edges) + round(_PAIRS * count))
    if large:
        edges.take(_large(strategy, random, round(_LARGE * count)), count)
    edges.take(_at_random(strategy, random), count)
    edges.take(single, count)
    return edges.taken()


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


def _large(strategy: ArgumentsStrategy, random: Random, count: int) -> Iterator[JsonObject]:
    """Yield usual arguments with one that is large, then with all of them so."""
    made = {name: values.large(random) for name, values in strategy.values.items()}
    large = {name: value for name, value in made.items() if _is_large(value)}
    rows = [{name: value} for name, value in large.items()] + ([large] if len(large) > 1 else [])
    for index, row in enumerate(islice(rows, count)):
        keeping = next(iter(row)) if len(row) == 1 else None
        yield strategy.related({**strategy.base(index), **row}, random, keeping)


def _is_large(value: object) -> bool:
    return isinstance(value, str | list | dict) and len(value) >= _LARGE_LENGTH


_LARGE_LENGTH = 50


def _at_random(strategy: ArgumentsStrategy, random: Random) -> Iterator[JsonObject]:
    while True:
        arguments = _drawn(strategy, random)
        if random.random() < _TIED:
            yield _tied(strategy, arguments, random)
        elif random.random() < _RELATED:
            yield strategy.related(arguments, random)
        else:
            yield _unrelated(strategy, arguments, random)


def _tied(strategy: ArgumentsStrategy, arguments: JsonObject, random: Random) -> JsonObject:
    """Return the arguments with one equal to another of its type, or nearly so, if there is one."""
    pairs = strategy.alike(arguments)
    if not pairs:
        return arguments
    first, second = random.choice(pairs)
    value = arguments[first]
    nearly = random.random() < _NEARLY
    return {**arguments, second: strategy.values[second].near(value, random) if nearly else value}


def _unrelated(strategy: ArgumentsStrategy, arguments: JsonObject, random: Random) -> JsonObject:
    """Return arguments, drawn anew a few times where every recorded relation holds by chance."""
    for _ in range(_REDRAWN if strategy.relations else 0):
        if not all(relation.holds(arguments) for relation in strategy.relations):
            break
        arguments = _drawn(strategy, random)
    return arguments


def _drawn(strategy: ArgumentsStrategy, random: Random) -> JsonObject:
    """Return arguments drawn one by one, or recorded ones of which some are drawn anew."""
    kept: JsonObject = {}
    if strategy.recorded and random.random() < 0.4:
        base = random.choice(strategy.recorded)
        kept = {name: value for name, value in base.items() if random.random() < 0.5}
    arguments: JsonObject = {}
    for name, values in strategy.values.items():
        if name in strategy.optional and random.random() < _LEFT_OUT:
            continue
        if name in kept:
            arguments[name] = kept[name]
        elif random.random() < 0.25 and (edges := strategy.edges[name]):
            arguments[name] = random.choice(edges)
        else:
            arguments[name] = values.draw(random)
    return arguments
