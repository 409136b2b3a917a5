"""What is different between two versions for whoever calls the tool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolguild.registry.model import ToolSpec
from toolguild.sandbox import Json, JsonObject

__all__ = ["SchemaChange", "schema_changes"]

_WORDS = frozenset({"description", "title", "examples"})
"""Keywords that only say something."""


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference."""

    field: str
    """As `parameters.city`, or `returns`."""
    what: str
    breaking: bool
    """Whether calls that were right may be wrong now, or results be others than are expected."""


def schema_changes(old: ToolSpec, new: ToolSpec) -> list[SchemaChange]:
    """Return what is different, in the order of the old parameters, then the new ones."""
    return [*_parameters(old.parameters, new.parameters), *_returns(old.returns, new.returns)]


def _parameters(old: JsonObject, new: JsonObject) -> Iterator[SchemaChange]:
    before, after = _properties(old), _properties(new)
    had_to, has_to = _required(old), _required(new)
    for name in before:
        field = f"parameters.{name}"
        if name not in after:
            yield SchemaChange(field, "is gone", breaking=True)
            continue
        if name in has_to - had_to:
            yield SchemaChange(field, "has to be given now", breaking=True)
        if name in had_to - has_to:
            yield SchemaChange(field, "may be left out now", breaking=False)
        yield from _change(field, before[name], after[name])
    for name in (name for name in after if name not in before):
        required = name in has_to
        what = "is new, and has to be given" if required else "is new, and may be left out"
        yield SchemaChange(f"parameters.{name}", what, breaking=required)


def _change(field: str, old: Json, new: Json) -> Iterator[SchemaChange]:
    if _meaning(old) == _meaning(new):
        if old != new:
            yield SchemaChange(field, "is described in other words", breaking=False)
    elif _takes_more(old, new):
        yield SchemaChange(field, "takes more than before", breaking=False)
    else:
        yield SchemaChange(field, "takes something else", breaking=True)


def _returns(old: JsonObject, new: JsonObject) -> Iterator[SchemaChange]:
    if _meaning(old) == _meaning(new):
        if old != new:
            yield SchemaChange("returns", "is described in other words", breaking=False)
    elif _takes_more(new, old):
        yield SchemaChange("returns", "gives only some of what it gave", breaking=False)
    else:
        yield SchemaChange("returns", "gives something else", breaking=True)


def _takes_more(narrow: Json, wide: Json) -> bool:
    """Say whether it is plain that one schema allows all that another one does."""
    one, other = _meaning(narrow), _meaning(wide)
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    few, many = one.get("enum"), other.get("enum")
    if isinstance(few, list) and isinstance(many, list):
        return _without(one, "enum") == _without(other, "enum") and all(
            any(type(value) is type(own) and value == own for own in many) for value in few
        )
    if "type" in one and "type" in other:
        # Whatever else is asked for may only be less.
        rest = _without(one, "type")
        less = all(
            key in rest and rest[key] == value for key, value in _without(other, "type").items()
        )
        return less and _types(one) <= _types(other)
    return other == {}


def _without(schema: JsonObject, keyword: str) -> JsonObject:
    return {key: value for key, value in schema.items() if key != keyword}


def _types(schema: JsonObject) -> set[str]:
    kinds = schema.get("type")
    found = {str(kind) for kind in kinds} if isinstance(kinds, list) else {str(kinds)}
    return found | ({"integer"} if "number" in found else set())


def _meaning(schema: Json) -> Json:
    """Return a schema without the words in it."""
    if isinstance(schema, dict):
        return {
            key: _named(value) if key == "properties" else _meaning(value)
            for key, value in schema.items()
            if key not in _WORDS
        }
    return [_meaning(one) for one in schema] if isinstance(schema, list) else schema


def _named(properties: Json) -> Json:
    """Keep properties of whatever name."""
    if not isinstance(properties, dict):
        return properties
    return {name: _meaning(value) for name, value in properties.items()}


def _properties(schema: JsonObject) -> JsonObject:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _required(schema: JsonObject) -> set[str]:
    found = schema.get("required")
    return {str(name) for name in found} if isinstance(found, list) else set()
