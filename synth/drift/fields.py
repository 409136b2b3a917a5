"""The fields of tools' results: where they are, of what kind, and which of them are always there.

A field is a path of keys, with `[]` for any item of a list. Of an object that is used as a map
(payment methods by their numbers) the keys are data, so that its values are items, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from toolguild.sandbox import Json, JsonObject

__all__ = ["ITEM", "FieldPath", "Fields", "Kind", "Layout", "kind_of", "objects_at", "render_field"]

ITEM: Final = None
"""In a path: any item of a list, or any value of a map."""

FieldPath: TypeAlias = tuple[str | None, ...]

Fields: TypeAlias = Mapping[FieldPath, Sequence[Json]]
"""The values that stand at each path, in order; the whole is at the empty one."""

_LONGEST_KEY = 80
"""Characters shown of a key."""
_FEWEST_OF_A_MAP = 3
"""Objects that it takes to tell that their keys are data."""


class Kind(StrEnum):
    """What a value is."""

    OBJECT = "object"
    LIST = "list"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


def kind_of(value: Json) -> Kind:
    """Return what a value is."""
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOLEAN
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case list():
            return Kind.LIST
        case _:
            return Kind.OBJECT


def render_field(path: FieldPath) -> str:
    """Return a path as a person writes it: `flights[].origin`; empty for the whole."""
    text = ""
    for key in path:
        if key is ITEM:
            text += "[]"
        else:
            name = key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}..."
            text += f".{name}" if text else name
    return text


def objects_at(fields: Fields, path: FieldPath) -> int:
    """Return how many objects stand at a path: each of them may hold a field."""
    return sum(isinstance(value, dict) for value in fields.get(path, ()))


@dataclass(frozen=True, slots=True)
class Layout:
    """What recorded results of one tool have in common."""

    maps: frozenset[FieldPath]
    """Paths of objects whose keys are data."""
    kinds: Mapping[FieldPath, frozenset[Kind]]
    """All kinds of values that were recorded, by field."""
    always: frozenset[FieldPath]
    """Keys that were in every object at their place."""

    @classmethod
    def of(cls, values: Sequence[Json]) -> Layout:
        """Return what these values, distinct ones, have in common."""
        maps = frozenset(_maps_in(values, ()))
        fields: dict[FieldPath, list[Json]] = {}
        for value in values:
            _collect(value, (), maps, fields)
        return cls(
            maps=maps,
            kinds={path: frozenset(map(kind_of, found)) for path, found in fields.items()},
            always=frozenset(
                path
                for path, found in fields.items()
                if path and path[-1] is not ITEM and len(found) == objects_at(fields, path[:-1])
            ),
        )

    def fields(self, value: Json) -> Fields:
        """Return the fields of one value."""
        found: dict[FieldPath, list[Json]] = {}
        _collect(value, (), self.maps, found)
        return found


def _collect(
    value: Json, path: FieldPath, maps: frozenset[FieldPath], found: dict[FieldPath, list[Json]]
) -> None:
    found.setdefault(path, []).append(value)
    for key, inner in _parts(value, path in maps):
        _collect(inner, (*path, key), maps, found)


def _parts(value: Json, is_map: bool) -> Iterator[tuple[str | None, Json]]:
    match value:
        case list():
            yield from ((ITEM, item) for item in value)
        case dict():
            # The order of keys means nothing, and is another one in what was stored.
            yield from ((ITEM if is_map else key, value[key]) for key in sorted(value))


def _maps_in(values: Sequence[Json], path: FieldPath) -> Iterator[FieldPath]:
    is_map = _is_map([value for value in values if isinstance(value, dict)])
    if is_map:
        yield path
    inner: dict[str | None, list[Json]] = {}
    for value in values:
        for key, part in _parts(value, is_map):
            inner.setdefault(key, []).append(part)
    for key, parts in inner.items():
        yield from _maps_in(parts, (*path, key))


def _is_map(objects: Sequence[JsonObject]) -> bool:
    """Say whether keys are data: there are several objects, and few of them share any key."""
    filled = [value for value in objects if value]
    shared = Counter(key for value in filled for key in value)
    return len(filled) >= _FEWEST_OF_A_MAP and max(shared.values()) <= len(filled) / 2
