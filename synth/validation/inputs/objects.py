"""Objects: mappings, whose keys are data, and records, whose keys the schema names."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.sizes import LARGE, lengths_of
from toolguild.synth.validation.inputs.values import Values, distinct, interleaved

__all__ = ["Mappings", "Records"]

_USUAL_LENGTH = 5
_EDGES_INSIDE = 8
"""Edges of the members of an object that are tried within it."""


class Mappings(Values):
    """Objects whose keys are data."""

    def __init__(
        self, schema: JsonObject, seen: Sequence[Json], members: Values, constants: Constants
    ) -> None:
        self._seen = [value for value in seen if isinstance(value, dict)]
        self._members = members
        self._low, self._high, self._highest = lengths_of(
            schema, "minProperties", "maxProperties", self._seen, _USUAL_LENGTH
        )
        self._high = max(self._low, min(self._high, 8))
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

    def draw(self, random: Random) -> Json:
        """Return some members under recorded keys and others."""
        made: JsonObject = {}
        length = random.randint(self._low, self._high)
        for _ in range(4 * length):
            if len(made) >= length:
                break
            made[self._key(random)] = self._members.draw(random)
        return made

    def large(self, random: Random) -> Json:
        """Return one of very many members."""
        length = min(LARGE, self._highest)
        return {f"{self._key(random)}{n}": self._members.draw(random) for n in range(length)}

    def _key(self, random: Random) -> str:
        known = [*self._keys, *self._constants.texts]
        if known and random.random() < 0.7:
            return random.choice(known)
        return "".join(random.choices(string.ascii_letters, k=random.randint(1, 6)))

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
        firsts = {name: values.usual() for name, values in self._members.items()}
        some = self._seen[0] if self._seen else firsts
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
        some = self._seen[0] if self._seen else self.draw(Random(0))  # noqa: S311 - no secret
        return distinct(self._varied(some, mined=True)) if isinstance(some, dict) else []

    def draw(self, random: Random) -> Json:
        """Return a new one, or a recorded one with another member."""
        kept = {
            name for name in self._members if name not in self._optional or random.random() < 0.7
        }
        if self._seen and random.random() < 0.4:
            name = random.choice([*self._members]) if self._members else None
            some = random.choice(self._seen)
            changed = {name: self._members[name].draw(random)} if name else {}
            return {
                key: value
                for key, value in {**some, **changed}.items()
                if key in kept or key not in self._members
            }
        return {name: values.draw(random) for name, values in self._members.items() if name in kept}

    def _varied(self, some: JsonObject, *, mined: bool) -> list[Json]:
        columns: list[list[Json]] = [
            [
                {**some, name: value}
                for value in (values.mined() if mined else values.edges())[:_EDGES_INSIDE]
            ]
            for name, values in self._members.items()
        ]
        return list(interleaved(*columns))


def _objects(values: Iterable[Json]) -> list[JsonObject]:
    return [value for value in values if isinstance(value, dict)]
