"""Inputs at the edges: one argument at a time, then every two of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice, zip_longest
from random import Random

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy

__all__ = ["one_at_a_time", "pairwise"]

_MAX_TIES = 6
_PAIRED_EDGES = 5
_PAIRED_PARAMETERS = 8

_Pair = tuple[tuple[str, int], tuple[str, int]]
"""Two parameters, each with the number of an edge."""


def one_at_a_time(strategy: ArgumentsStrategy) -> Iterator[JsonObject]:
    """Yield usual arguments with one at an edge or a constant of the text, each in turn.

    Where relations were recorded the other arguments follow; in every fourth row they also stay.
    """
    yield from islice(_without_optionals(strategy), _MAX_TIES)
    yield from islice(_ties(strategy), _MAX_TIES)
    columns = [[(name, value) for value in edges] for name, edges in strategy.edges.items()]
    pick = Random(0).randrange  # noqa: S311 - always the same, no secret
    for index, row in enumerate(zip_longest(*columns)):
        for name, value in filter(None, row):
            arguments = {**strategy.base(index), name: value}
            yield (related := strategy.related(arguments, pick, keeping=name))
            if index % 4 == 3 and related is not arguments:
                yield arguments


def _without_optionals(strategy: ArgumentsStrategy) -> Iterator[JsonObject]:
    base = strategy.base(0)
    left_out = [{name} for name in sorted(strategy.optional)]
    for names in [*left_out, strategy.optional] if left_out else []:
        yield {name: value for name, value in base.items() if name not in names}


def _ties(strategy: ArgumentsStrategy) -> Iterator[JsonObject]:
    base = strategy.base(0)
    for first, second in strategy.alike(base):
        yield {**base, second: base[first]}


def pairwise(strategy: ArgumentsStrategy) -> Iterator[JsonObject]:
    """Yield arguments in which every two edges of two parameters come together at least once."""
    edges = {
        name: some
        for name, values in islice(strategy.values.items(), _PAIRED_PARAMETERS)
        if (some := values.edges()[:_PAIRED_EDGES])
    }
    open_pairs: dict[_Pair, None] = {
        ((a, i), (b, j)): None
        for a, b in combinations(edges, 2)
        for i in range(len(edges[a]))
        for j in range(len(edges[b]))
    }
    index = 0
    while open_pairs:
        row = _row(next(iter(open_pairs)), edges, open_pairs)
        for pair in combinations(row.items(), 2):
            open_pairs.pop(pair, None)
        yield {**strategy.base(index), **{name: edges[name][i] for name, i in row.items()}}
        index += 1


def _row(
    start: _Pair, edges: Mapping[str, Sequence[Json]], open_pairs: dict[_Pair, None]
) -> dict[str, int]:
    """Return an edge for each parameter, of which as many pairs as can be are still open."""
    row = dict(start)
    for name in edges:
        if name not in row:
            row[name] = max(
                range(len(edges[name])),
                key=lambda i, name=name: sum(  # type: ignore[misc]
                    ((other, j), (name, i)) in open_pairs or ((name, i), (other, j)) in open_pairs
                    for other, j in row.items()
                ),
            )
    return {name: row[name] for name in edges}
