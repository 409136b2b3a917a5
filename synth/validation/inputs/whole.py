"""Whole arguments drawn at random: new or recorded, tied, and related as recorded ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies
from hypothesis.strategies import DrawFn, SearchStrategy

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.choices import by_shares, picks

if TYPE_CHECKING:
    from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy

__all__ = ["random_arguments"]

_TIED, _RELATED, _UNRELATED = 12, 70, 18
"""Shares of those with two equal arguments, or nearly so; of those in which recorded relations
hold; and of those in which they need not."""
_REDRAWN = 6
_RECORDED = 4
"""In how many of ten some arguments are those of a recorded call; each of them in half of these."""
_LEFT_OUT = 4
"""Of so many, an optional parameter is left out of one."""


def random_arguments(strategy: ArgumentsStrategy) -> SearchStrategy[JsonObject]:
    """Return what whole arguments are drawn from; not all of them fit the schema."""
    columns = {name: _column(strategy, name) for name in strategy.values}
    arguments = _arguments(strategy, columns)
    return by_shares(
        (_TIED, _tied(strategy, arguments)),
        (_RELATED, _related(strategy, arguments)),
        (_UNRELATED, _unrelated(strategy, arguments)),
    )


def _column(strategy: ArgumentsStrategy, name: str) -> SearchStrategy[Json]:
    """Return what one argument is drawn from: its values, and now and then its edges."""
    drawn, edges = strategy.values[name].strategy, strategy.edges[name]
    return by_shares((3, drawn), (1, strategies.sampled_from(edges))) if edges else drawn


@strategies.composite
def _arguments(
    draw: DrawFn, strategy: ArgumentsStrategy, columns: dict[str, SearchStrategy[Json]]
) -> JsonObject:
    """Draw arguments one by one, or recorded ones of which some are drawn anew."""
    pick = picks(draw)
    base: JsonObject = {}
    if strategy.recorded and pick(10) < _RECORDED:
        base = strategy.recorded[pick(len(strategy.recorded))]
    return {
        name: base[name] if name in base and pick(2) else draw(column)
        for name, column in columns.items()
        if name not in strategy.optional or pick(_LEFT_OUT)
    }


@strategies.composite
def _tied(
    draw: DrawFn, strategy: ArgumentsStrategy, arguments: SearchStrategy[JsonObject]
) -> JsonObject:
    """Draw arguments with one equal to another of its type, or nearly so, if there is one."""
    pick, drawn = picks(draw), draw(arguments)
    pairs = strategy.alike(drawn)
    if not pairs:
        return drawn
    first, second = pairs[pick(len(pairs))]
    value = drawn[first]
    return {**drawn, second: strategy.values[second].near(value, pick) if pick(2) else value}


@strategies.composite
def _related(
    draw: DrawFn, strategy: ArgumentsStrategy, arguments: SearchStrategy[JsonObject]
) -> JsonObject:
    """Draw arguments in which the recorded relations hold."""
    return strategy.related(draw(arguments), picks(draw))


@strategies.composite
def _unrelated(
    draw: DrawFn, strategy: ArgumentsStrategy, arguments: SearchStrategy[JsonObject]
) -> JsonObject:
    """Draw arguments, a few times anew where every recorded relation holds by chance."""
    drawn = draw(arguments)
    for _ in range(_REDRAWN if strategy.relations else 0):
        if not all(relation.holds(drawn) for relation in strategy.relations):
            break
        drawn = draw(arguments)
    return drawn
