"""Checking values against the JSON Schemas of tools, and checking those schemas themselves.

Tools are written by strangers, and so are their schemas, which are evaluated on the host. Only
keywords whose evaluation is bounded by the sizes of schema and value are accepted: no regular
expressions (they can take exponential time) and no references (they can recurse, or fetch URLs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry as SchemaRegistry
from referencing.exceptions import Unresolvable

from toolguild.sandbox import Json, JsonObject

__all__ = ["accepts", "closed", "mismatch", "schema_problem", "subschemas"]

MAX_DEPTH: Final = 32
_MAX_MESSAGE: Final = 500

_ONE = ("items", "additionalProperties", "not")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_BY_NAME = ("properties",)
_WORDS = ("$comment", "title", "description", "default", "examples", "deprecated", "format")
_LIMITS = (
    *("type", "enum", "const", "required", "minProperties", "maxProperties"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
)
_KEYWORDS = frozenset((*_ONE, *_MANY, *_BY_NAME, *_WORDS, *_LIMITS))

_NO_REMOTE: Final[SchemaRegistry[bool | Mapping[str, object]]] = SchemaRegistry()
"""Knows no other schemas. jsonschema's default would fetch a `$ref` to a URL."""


def schema_problem(schema: Json) -> str:
    """Return why a tool's schema is not accepted, or an empty text."""
    pending = [(schema, 0)]
    while pending:
        part, depth = pending.pop()
        if depth > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH} levels"
        if isinstance(part, dict):
            unknown = sorted(part.keys() - _KEYWORDS)
            if unknown:
                return f"keyword {unknown[0]!r} is not accepted in a tool's schema"
            pending += [(below, depth + 1) for below in subschemas(part)]
    if not isinstance(schema, dict):
        return "not a JSON object"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return _clipped(f"{error.json_path}: {error.message}")
    return ""


def subschemas(schema: JsonObject) -> Iterator[Json]:
    """Yield the schemas directly inside a schema, well formed or not."""
    for keyword in _ONE:
        if keyword in schema:
            yield schema[keyword]
    for keyword in _MANY:
        branches = schema.get(keyword)
        yield from branches if isinstance(branches, list) else ()
    for keyword in _BY_NAME:
        named = schema.get(keyword)
        yield from named.values() if isinstance(named, dict) else ()


def mismatch(value: Json, schema: JsonObject, label: str) -> str:
    """Return where and why a value does not match, or an empty text.

    Args:
        value: Any JSON value.
        schema: A valid schema.
        label: What the value is called in the message, for example `arguments`.
    """
    try:
        error = best_match(_validator(schema).iter_errors(value))
    except RecursionError:
        return f"{label}: nested too deeply"
    except Unresolvable as missing:
        return _clipped(f"{label}: its schema refers to {missing}, which it does not contain")
    if error is None:
        return ""
    return _clipped(f"{label}{error.json_path.removeprefix('$')}: {error.message}")


def accepts(schema: JsonObject, value: Json) -> bool:
    """Whether a value matches a schema."""
    return not mismatch(value, schema, "")


def closed(schema: JsonObject) -> JsonObject:
    """Return the schema of an object with undeclared properties ruled out, unless it allows them.

    A function has no use for a keyword that it does not know.
    """
    return {"additionalProperties": False, **schema}


def _validator(schema: JsonObject) -> Draft202012Validator:
    return Draft202012Validator(schema, registry=_NO_REMOTE)


def _clipped(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}..."
