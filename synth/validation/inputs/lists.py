"""Lists: of the recorded lengths and items, and others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import cycle, islice

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.choices import Pick, by_shares, varied
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.sizes import LARGE, lengths_of
from toolguild.synth.validation.inputs.values import Values, distinct, interleaved, same_type

__all__ = ["Lists"]

_DRAWN = 20
"""Items of a list with very many that are drawn; the others are the same again."""
_DRAWN_UNIQUE = 60
_SORTED_LENGTH = 5
_MAX_ITEM = 1_000
"""Characters, as JSON, of an item that is put into lists again and again."""
_EDGES_INSIDE = 8
"""Edges of the items of a list that are tried within it."""


class Lists(Values):
    """Lists of the recorded lengths and items, and others."""

    def __init__(
        self,
        schema: JsonObject,
        seen: Sequence[Json],
        first: Sequence[Values],
        items: Values | None,
        constants: Constants,
        usual_length: int,
    ) -> None:
        """Take the values of the first items one by one, and of those after them, if any.

        The usual length is that of the longest list where none was recorded.
        """
        self._seen = [value for value in seen if isinstance(value, list)]
        self._first = first
        self._items = items
        self._constants = constants
        self._low, self._high, self._highest = lengths_of(
            schema, "minItems", "maxItems", self._seen, usual_length
        )
        if items is None:
            self._highest = min(self._highest, len(first))
            self._high = min(self._high, self._highest)
        self._unique = schema.get("uniqueItems") is True
        inner = items.edges()[:_EDGES_INSIDE] if items else []
        pool = distinct([*(item for value in self._seen for item in value), *inner])
        self._pool = [item for item in pool if len(canonical(item)) <= _MAX_ITEM]

    def edges(self) -> list[Json]:
        """Return short and long, equal, sorted and reversed lists, and turns of a recorded one."""
        if self._first:
            return self._fitting([*self._tuples(), *self._seen])
        pool = self._pool or [None]
        one, other, third = pool[0], pool[len(pool) // 2], pool[-1]
        some = max(self._seen, key=len, default=[*pool[:3]])
        ordered = _ordered([*pool[:_SORTED_LENGTH], *some])
        lists: list[list[Json]] = [[], [one], [one, one], ordered[::-1], [one] * 5, ordered]
        lists += [[one, other, one], [other, one, other, third, one], some[::-1], [*some, *some]]
        lists += [some[1:], some[:-1], [*some, one], [third], self._filled(pool, self._high)]
        lists += [[edge] for edge in pool[:_EDGES_INSIDE]]
        lists += [[*some, edge] for edge in pool[:_EDGES_INSIDE]]
        return self._fitting(lists)

    def mined(self) -> list[Json]:
        """Return lists with the constants of the text, and of the lengths that stand there."""
        inner = self._items.mined() if self._items else []
        some = self._seen[0] if self._seen else self._pool[:2]
        with_one: list[list[Json]] = [[constant] for constant in inner]
        within = [[*some, constant, *some[:1]] for constant in inner]
        long = [self._filled(self._pool or [None], length) for length in self._constants.lengths]
        return self._fitting([*_rows(interleaved(long, with_one)), *within])

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """Lists of new items, of recorded ones, of few that come again, or nearly recorded ones."""
        if self._first:
            firsts = strategies.tuples(*(values.strategy for values in self._first))
            rest = self._of_items(max(self._low - len(self._first), 0))
            return varied(strategies.builds(lambda a, b: [*a, *b], firsts, rest), self._shortened)
        shares = [(35, self._of_items(self._low))]
        if not self._unique:
            few = strategies.lists(self._item, min_size=1, max_size=3)
            again = few.flatmap(
                lambda items: self._lists_of(strategies.sampled_from(items), self._low)
            )
            shares.append((35, again))
        if self._seen:
            seen = strategies.sampled_from(self._seen)
            shares.append((30, varied(seen, self._changed).map(self._without_repetition)))
        return by_shares(*shares)

    @cached_property
    def large(self) -> SearchStrategy[Json]:
        """Lists of several hundred items, or of as many as there may be."""
        length = max(min(LARGE, self._highest), self._low)
        drawn = min(length, _DRAWN_UNIQUE if self._unique else _DRAWN)
        made = strategies.lists(self._item, min_size=drawn, max_size=drawn)
        if self._first or self._items is None:
            return self.strategy
        return made.map(lambda items: self._filled(self._without_repetition(items), length))

    @cached_property
    def _item(self) -> SearchStrategy[Json]:
        """What an item after the first ones is drawn from."""
        new = self._items.strategy if self._items else strategies.none()
        if not self._pool:
            return new
        return by_shares((3, new), (2, strategies.sampled_from(self._pool)))

    def _of_items(self, low: int) -> SearchStrategy[list[Json]]:
        """Return lists of so many items or more; those with very many go through some again."""
        if self._items is None:
            return strategies.just([])
        if self._unique:
            high = max(low, self._high - len(self._first))
            return strategies.lists(self._item, min_size=low, max_size=high, unique_by=canonical)
        return self._lists_of(self._item, low)

    def _lists_of(self, item: SearchStrategy[Json], low: int) -> SearchStrategy[list[Json]]:
        least = min(low, _DRAWN)
        most = max(least, min(self._high - len(self._first), LARGE))
        drawn = strategies.lists(item, min_size=least, max_size=most)
        return drawn.map(lambda items: items if len(items) >= low else self._filled(items, low))

    def _shortened(self, items: list[Json], pick: Pick) -> list[Json]:
        """Return the list, now and then without its last items."""
        if pick(3) or len(items) <= self._low:
            return items
        return items[: self._low + pick(len(items) - self._low)]

    def near(self, value: Json, pick: Pick) -> Json:
        """Return a list that is nearly this one."""
        return self._changed(value, pick) if isinstance(value, list) else value

    def _changed(self, items: Sequence[Json], pick: Pick) -> list[Json]:
        at, to = pick(len(items) + 1), pick(len(items) + 1)
        other = [self._pool[pick(len(self._pool))]] if self._pool else []
        changes: tuple[list[Json], ...] = (
            [*items[:at], *other, *items[at:]],
            [*items[:at], *items[at + 1 :]],
            [*items[:at], *other, *items[at + 1 :]],
            [*items[at:], *items[:at]],
            [*items[:at], *items[to : to + 1], *items[at + 1 :]],
            [*items, *items[at : at + 1]],
        )
        return changes[pick(len(changes))]

    def _tuples(self) -> Iterable[list[Json]]:
        """Return lists whose first items go through their edges one by one."""
        usual = [values.usual() for values in self._first]
        yield usual
        for index, values in enumerate(self._first):
            for edge in values.edges()[:_EDGES_INSIDE]:
                yield [*usual[:index], edge, *usual[index + 1 :]]
        if self._items:
            yield [*usual, *self._items.edges()[:2]]
        yield from (usual[:length] for length in range(len(usual)))

    def _filled(self, pool: Sequence[Json], length: int) -> list[Json]:
        if self._unique:
            return list(pool[:length])
        return list(islice(cycle(pool), length))

    def _fitting(self, lists: Iterable[Sequence[Json]]) -> list[Json]:
        fitting = [self._without_repetition(items) for items in lists]
        return distinct(one for one in fitting if self._low <= len(one) <= self._highest)

    def _without_repetition(self, items: Sequence[Json]) -> list[Json]:
        return distinct(items) if self._unique else list(items)


def _ordered(items: Sequence[Json]) -> list[Json]:
    """Return the items sorted where they can be, else as they are."""
    if items and all(same_type(item, items[0]) for item in items):
        if isinstance(items[0], int | float | str):
            return sorted(items, key=lambda item: item)  # type: ignore[arg-type, return-value]
        return sorted(items, key=canonical)
    return list(items)


def _rows(values: Iterable[Json]) -> list[list[Json]]:
    return [value for value in values if isinstance(value, list)]
