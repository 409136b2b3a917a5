"""From a JSON Schema (draft 2020-12) and recorded values to the values to be generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.lists import Lists
from toolguild.synth.validation.inputs.numbers import Integers, Numbers
from toolguild.synth.validation.inputs.objects import Mappings, Records
from toolguild.synth.validation.inputs.texts import Texts
from toolguild.synth.validation.inputs.values import Choice, Union, Values

__all__ = ["ValuesBuilder"]

_MAX_DEPTH = 6
"""Below this depth there are only recorded values, for schemas may contain themselves."""
_USUAL_LENGTH = 7
_CONTENT = {
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that only mean something for one type, by which a schema without a type is read."""


@dataclass(frozen=True, slots=True)
class ValuesBuilder:
    """Builds the values of each part of one schema."""

    root: JsonObject
    """The whole schema, in which references lead to other parts."""
    constants: Constants

    def values(self, schema: Json, seen: Sequence[Json], depth: int = 0) -> Values:
        """Return the values of a part of the schema.

        Args:
            schema: The part.
            seen: What was recorded there.
            depth: How deep it stands.
        """
        if not isinstance(schema, dict) or depth > _MAX_DEPTH:
            return Choice(seen)
        schema = self._resolved(schema)
        match schema:
            case {"const": constant}:
                return Choice([constant])
            case {"enum": [*choices]}:
                return Choice(choices)
            case {"anyOf": [_, *_] as branches} | {"oneOf": [_, *_] as branches}:
                rest = {
                    key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")
                }
                return Union(
                    [
                        self.values({**rest, **branch}, seen, depth + 1)
                        for branch in branches
                        if isinstance(branch, dict)
                    ]
                    or [Choice(seen)]
                )
            case {"type": [*kinds]}:
                return Union(
                    [self.values({**schema, "type": kind}, seen, depth + 1) for kind in kinds]
                    or [Choice(seen)]
                )
            case {"type": str(kind)}:
                return self._of_type(kind, schema, seen, depth)
        meant = [kind for kind, words in _CONTENT.items() if any(word in schema for word in words)]
        if meant and not seen:
            return Union([self._of_type(kind, schema, seen, depth) for kind in meant])
        # The schema says nothing, so neither can we go beyond what was seen.
        return Choice(seen)

    def _of_type(self, kind: str, schema: JsonObject, seen: Sequence[Json], depth: int) -> Values:
        match kind:
            case "integer":
                return Integers({**schema, "type": kind}, seen, self.constants)
            case "number":
                return Numbers(schema, seen, self.constants)
            case "boolean":
                return Choice([False, True])
            case "string":
                return Texts(schema, seen, self.constants)
            case "array":
                return self._list(schema, seen, depth)
            case "object":
                return self._object(schema, seen, depth)
        return Choice([None])

    def _list(self, schema: JsonObject, seen: Sequence[Json], depth: int) -> Values:
        rows = [value for value in seen if isinstance(value, list)]
        prefix = schema.get("prefixItems")
        firsts = prefix if isinstance(prefix, list) else []
        first = [
            self.values(one, [row[index] for row in rows if len(row) > index], depth + 1)
            for index, one in enumerate(firsts)
        ]
        items = schema.get("items", {})
        inner = [item for row in rows for item in row[len(firsts) :]]
        rest = None if items is False else self.values(items, inner, depth + 1)
        if first and "items" not in schema and not inner:
            rest = None
        return Lists(schema, rows, first, rest, self.constants, _usual_length(depth))

    def _object(self, schema: JsonObject, seen: Sequence[Json], depth: int) -> Values:
        objects = [value for value in seen if isinstance(value, dict)]
        others = schema.get("additionalProperties")
        named = self.members(schema, objects, depth)
        if isinstance(others, dict):
            rest = [value for one in objects for name, value in one.items() if name not in named]
            members = self.values(others, rest, depth + 1)
            if not named:
                return Mappings(schema, objects, members, self.constants, _usual_length(depth))
            return Records(named, _optional(schema, objects), objects, members)
        if named:
            return Records(named, _optional(schema, objects), objects)
        return Choice(objects or [{}])

    def members(
        self, schema: JsonObject, objects: Sequence[JsonObject], depth: int = 0
    ) -> dict[str, Values]:
        """Return the values of each member of an object that its schema names.

        Args:
            schema: That of the object.
            objects: What was recorded.
            depth: How deep it stands.
        """
        properties, required = schema.get("properties"), schema.get("required")
        schemas = dict(properties) if isinstance(properties, dict) else {}
        others = schema.get("additionalProperties", {})
        for name in required if isinstance(required, list) else []:
            if isinstance(name, str):
                schemas.setdefault(name, others)
        return {
            name: self.values(inner, [one[name] for one in objects if name in one], depth + 1)
            for name, inner in schemas.items()
            if inner is not False
        }

    def _resolved(self, schema: JsonObject) -> JsonObject:
        """Return a schema with what it refers to, and what all of `allOf` say, in one."""
        for _ in range(_MAX_DEPTH):
            reference, parts = schema.get("$ref"), schema.get("allOf")
            if isinstance(reference, str):
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**self._referred(reference), **rest}
            elif isinstance(parts, list):
                merged: JsonObject = {key: value for key, value in schema.items() if key != "allOf"}
                for part in parts:
                    merged |= part if isinstance(part, dict) else {}
                schema = merged
            else:
                break
        return schema

    def _referred(self, reference: str) -> JsonObject:
        """Return what a reference within the schema leads to; nothing for one out of it."""
        part: Json = self.root
        if not reference.startswith("#"):
            return {}
        for step in reference[1:].split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(part, dict) or key not in part:
                return {}
            part = part[key]
        return part if isinstance(part, dict) else {}


def _usual_length(depth: int) -> int:
    """Return how long lists and objects are; short ones within others, or they would not end."""
    return max(_USUAL_LENGTH - 2 * depth, 1)


def _optional(schema: JsonObject, seen: Sequence[JsonObject]) -> list[str]:
    """Return the properties that an object may lack.

    A schema that was inferred names none as required, for it is a guess. There only what a
    recorded object lacked is left out; else every tool that reads a member would be called wrong.
    """
    properties, required = schema.get("properties"), schema.get("required")
    names = list(properties) if isinstance(properties, dict) else []
    if isinstance(required, list):
        return [name for name in names if name not in required]
    return [name for name in names if not seen or any(name not in one for one in seen)]
