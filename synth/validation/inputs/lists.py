"""Lists: of the recorded lengths and items, and others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from random import Random

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.sizes import LARGE, lengths_of
from toolguild.synth.validation.inputs.values import Values, distinct, interleaved, same_type

__all__ = ["Lists"]

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

    def draw(self, random: Random) -> Json:
        """Return a list of new items, of recorded ones, or nearly a recorded list."""
        kind = random.random()
        if kind < 0.3 and self._seen and not self._first:
            made = self._changed(list(random.choice(self._seen)), random)
        else:
            # Few items more often than many: most faults need no more than three.
            most = random.choice((min(4, self._high), self._high))
            length = random.randint(self._low, max(self._low, most))
            again = random.choice((0.0, 0.2, 0.5))
            made = []
            for index in range(length):
                repeated = made and random.random() < again
                made.append(random.choice(made) if repeated else self._item(index, random))
        fitting = self._fitting([made])
        return fitting[0] if fitting else self._least(random)

    def large(self, random: Random) -> Json:
        """Return one of several hundred items, or the longest."""
        length = max(min(LARGE, self._highest), self._low)
        return self._without_repetition([self._item(index, random) for index in range(length)])

    def _item(self, index: int, random: Random) -> Json:
        if index < len(self._first):
            return self._first[index].draw(random)
        if self._items is None:
            return None
        if self._pool and random.random() < 0.4:
            return random.choice(self._pool)
        return self._items.draw(random)

    def _least(self, random: Random) -> list[Json]:
        """Return the shortest list, with as many tries as different items may need."""
        made: list[Json] = []
        for _ in range(20 * self._low):
            if len(made) >= self._low:
                break
            made = self._without_repetition([*made, self._item(len(made), random)])
        return made

    def near(self, value: Json, random: Random) -> Json:
        """Return a list that is nearly this one."""
        return self._changed([*value], random) if isinstance(value, list) else self.draw(random)

    def _changed(self, items: list[Json], random: Random) -> list[Json]:
        """Return a list that is nearly this one."""
        at = random.randint(0, len(items))
        match random.randrange(6):
            case 0:
                return [*items[:at], self._item(at, random), *items[at:]]
            case 1:
                return [*items[:at], *items[at + 1 :]]
            case 2:
                return [*items[:at], self._item(at, random), *items[at + 1 :]]
            case 3:
                random.shuffle(items)
                return items
            case 4 if items:
                return [*items[:at], random.choice(items), *items[at + 1 :]]
        return [*items, *items[at : at + 1]]

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
