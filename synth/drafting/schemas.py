"""JSON Schemas and Python annotations from recorded values."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting.wording import is_plain_word
from toolguild.synth.mining.choices import literal_type

__all__ = ["annotation_of", "infer_schema", "object_schema"]

MAX_DEPTH = 3
"""Below this depth a schema says nothing: recorded values are examples, not a contract."""

MAX_PROPERTIES = 40

_ANNOTATIONS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}


def infer_schema(values: Sequence[Json], depth: int = MAX_DEPTH) -> JsonObject:
    """Return the narrowest simple schema (draft 2020-12) that all the values fit.

    Properties are listed where all objects have them; none is required, for what was always
    there in a few recordings need not always be there.
    """
    if depth == 0 or not values:
        return {}
    types = sorted({_type_of(value) for value in values})
    if "number" in types and "integer" in types:
        types.remove("integer")
    if len(types) > 1:
        kinds: list[Json] = [*types]
        return {"type": kinds}
    schema: JsonObject = {"type": types[0]}
    if types[0] == "array":
        items = [item for value in values if isinstance(value, list) for item in value]
        if inner := infer_schema(items, depth - 1):
            schema["items"] = inner
    elif types[0] == "object":
        schema |= _object_keywords([value for value in values if isinstance(value, dict)], depth)
    return schema


def _type_of(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"


def _object_keywords(values: Sequence[JsonObject], depth: int) -> JsonObject:
    every = set.intersection(*(set(value) for value in values))
    some = set.union(*(set(value) for value in values))
    if not some:
        return {}
    is_mapping = 2 * len(every) < len(some) or len(some) > MAX_PROPERTIES
    if is_mapping or not all(map(is_plain_word, some)):
        # Keys that differ from object to object, or are no words, are data: a mapping, no record.
        members = [member for value in values for member in value.values()]
        inner = infer_schema(members, depth - 1)
        return {"additionalProperties": inner} if inner else {}
    properties: JsonObject = {
        key: infer_schema([value[key] for value in values], depth - 1) for key in sorted(every)
    }
    return {"properties": properties}


def object_schema(
    properties: JsonObject, *, closed: bool, optional: Collection[str] = ()
) -> JsonObject:
    """Return the schema of an object with these properties, and no other if closed."""
    required: list[Json] = [name for name in properties if name not in optional]
    schema: JsonObject = {"type": "object", "properties": properties, "required": required}
    if closed:
        schema["additionalProperties"] = False
    return schema


def annotation_of(schema: JsonObject) -> str:
    """Return a Python annotation for the values of a schema, `object` where it says nothing."""
    match schema:
        case {"enum": [*choices]}:
            return literal_type(choices)
    kind = schema.get("type")
    if isinstance(kind, list):
        names = [annotation_of({"type": name}) for name in kind]
        return " | ".join(sorted(names, key=lambda name: name == "None"))
    if kind == "array":
        items = schema.get("items")
        return f"list[{annotation_of(items)}]" if isinstance(items, dict) else "list[object]"
    if kind == "object":
        members = schema.get("additionalProperties")
        return f"dict[str, {annotation_of(members) if isinstance(members, dict) else 'object'}]"
    return _ANNOTATIONS.get(str(kind), "object")
