"""Objects: mappings, whose keys are data, and records, whose keys the schema names."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import cycle, islice

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.choices import by_shares
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.sizes import LARGE, lengths_of
from toolguild.synth.validation.inputs.values import Values, distinct, interleaved

__all__ = ["Mappings", "Records"]

_MOST_DRAWN = 8
"""Members that are drawn for one object; the others of a larger one are the same again."""
_EDGES_INSIDE = 8
"""Edges of the members of an object that are tried within it."""


class Mappings(Values):
    """Objects whose keys are data."""

    def __init__(
        self,
        schema: JsonObject,
        seen: Sequence[Json],
        members: Values,
        constants: Constants,
        usual_length: int,
    ) -> None:
        """Take the values of all members; the usual length is for where none was recorded."""
        self._seen = [value for value in seen if isinstance(value, dict)]
        self._members = members
        self._low, self._high, self._highest = lengths_of(
            schema, "minProperties", "maxProperties", self._seen, usual_length
        )
        self._high = min(self._high, _MOST_DRAWN)
        self._keys = sorted({key for value in self._seen for key in value})
        self._constants = constants

    def edges(self) -> list[Json]:
        """Return the empty one, one with each edge of a member, and turns of a recorded one."""
        some = max(self._seen, key=len, default={"a": self._members.usual()})
        key = next(iter(some), "a")
        inner = self._members.edges()[:_EDGES_INSIDE]
        made: list[JsonObject] = [{}, dict(list(some.items())[:1])]
        made += [dict.fromkeys(some, edge) for edge in inner[:2]]
        made += [{**some, key: edge} for edge in inner]
        made += [
            {**some, odd: self._members.usual()}
            for odd in ("", "A b", "\N{LATIN SMALL LETTER SHARP S}")
        ]
        return self._fitting(made)

    def mined(self) -> list[Json]:
        """Return recorded objects with the constants of the text as keys and as members."""
        some = self._seen[0] if self._seen else {}
        member = next(iter(some.values()), self._members.usual())
        keyed: list[JsonObject] = [{**some, text: member} for text in self._constants.texts]
        key = next(iter(some), "a")
        valued: list[JsonObject] = [{**some, key: value} for value in self._members.mined()]
        return self._fitting(_objects(interleaved(keyed, valued)))

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """Some members under recorded keys and others."""
        least = min(self._low, _MOST_DRAWN)
        members = strategies.dictionaries(
            self._key, self._members.strategy, min_size=least, max_size=max(least, self._high)
        )
        return members.map(lambda some: _filled(some, self._low))

    @cached_property
    def large(self) -> SearchStrategy[Json]:
        """Objects of very many members, some of which come again under other keys."""
        members = strategies.dictionaries(
            self._key, self._members.strategy, min_size=1, max_size=_MOST_DRAWN
        )
        return members.map(lambda some: _filled(some, max(min(LARGE, self._highest), self._low)))

    @cached_property
    def _key(self) -> SearchStrategy[str]:
        new = strategies.text(string.ascii_letters, min_size=1, max_size=6)
        known = distinct([*self._keys, *self._constants.texts])
        return by_shares((7, strategies.sampled_from(known)), (3, new)) if known else new

    def _fitting(self, objects: Iterable[JsonObject]) -> list[Json]:
        return distinct(one for one in objects if self._low <= len(one) <= self._highest)


class Records(Values):
    """Objects with known members, some of which may be left out."""

    def __init__(
        self,
        members: Mapping[str, Values],
        optional: Iterable[str],
        seen: Sequence[Json],
        others: Values | None = None,
    ) -> None:
        """Take the values of the members that have names, and of others where there may be any."""
        self._members = members
        self._optional = frozenset(optional)
        self._others = others
        self._seen = [value for value in seen if isinstance(value, dict)]

    def edges(self) -> list[Json]:
        """Return one with each edge of each member, and those with members left out."""
        some = self._seen[0] if self._seen else self._firsts()
        without: list[JsonObject] = [
            {key: value for key, value in some.items() if key != name}
            for name in self._members
            if name in self._optional
        ]
        bare = {key: value for key, value in some.items() if key not in self._optional}
        more = [{**some, "other": self._others.usual()}] if self._others else []
        return distinct([bare, *without, some, *more, *self._varied(some, mined=False)])

    def mined(self) -> list[Json]:
        """Return a recorded one with each constant that a member can be."""
        some = self._seen[0] if self._seen else self._firsts()
        return distinct(self._varied(some, mined=True))

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """New ones, and recorded ones with another member or without it."""
        members = {name: values.strategy for name, values in self._members.items()}
        new = strategies.fixed_dictionaries(
            {name: member for name, member in members.items() if name not in self._optional},
            optional={name: member for name, member in members.items() if name in self._optional},
        )
        if not self._seen or not members:
            return new
        renewed = strategies.builds(
            _with_member,
            strategies.sampled_from(self._seen),
            new,
            strategies.sampled_from(sorted(members)),
        )
        return by_shares((6, new), (4, renewed))

    def _firsts(self) -> JsonObject:
        return {name: values.usual() for name, values in self._members.items()}

    def _varied(self, some: JsonObject, *, mined: bool) -> list[Json]:
        columns: list[list[Json]] = [
            [
                {**some, name: value}
                for value in (values.mined() if mined else values.edges())[:_EDGES_INSIDE]
            ]
            for name, values in self._members.items()
        ]
        return list(interleaved(*columns))


def _filled(some: JsonObject, length: int) -> JsonObject:
    """Return an object of so many members or more, the same again under other keys."""
    more = islice(cycle(some.items()), max(length - len(some), 0))
    return {**some, **{f"{key}{number}": value for number, (key, value) in enumerate(more)}}


def _with_member(some: JsonObject, other: JsonObject, name: str) -> JsonObject:
    """Return an object with this member of another one, or without it as the other one is."""
    rest = {key: value for key, value in some.items() if key != name}
    return {**rest, name: other[name]} if name in other else rest


def _objects(values: Iterable[Json]) -> list[JsonObject]:
    return [value for value in values if isinstance(value, dict)]
