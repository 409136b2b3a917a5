"""Checking values against the JSON Schemas of tools, and checking those schemas themselves.

Tools are written by strangers, and so are their schemas, which are evaluated on the host. Only
keywords whose evaluation is bounded by the sizes of schema and value are accepted: no regular
expressions (they can take exponential time) and no references (they can recurse, or fetch URLs).
That bound is their product, which is out of all reason for a large schema and a large value: so a
clock runs as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Final, TypeAlias

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry as SchemaRegistry
from referencing.exceptions import Unresolvable

from toolguild.registry.canonical import canonical_json
from toolguild.registry.errors import NotJsonError
from toolguild.sandbox import Json, JsonObject

__all__ = ["accepts", "closed", "mismatch", "schema_problem", "subschemas"]

MAX_DEPTH: Final = 32
MAX_SUBSCHEMAS: Final = 2000
_MAX_MESSAGE: Final = 500
_MAX_S: Final = 10.0
"""Seconds that one check may take; a megabyte against a schema of the usual kind takes one."""

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

_Errors: TypeAlias = Iterable[ValidationError]
_Keyword: TypeAlias = Callable[..., _Errors | None]

_NO_REMOTE: Final[SchemaRegistry[bool | Mapping[str, object]]] = SchemaRegistry()
"""Knows no other schemas. jsonschema's default would fetch a `$ref` to a URL."""


class _TooLongError(Exception):
    """A check took longer than it may."""


_deadline: ContextVar[float] = ContextVar("_deadline")
"""When the present check must be done, on the clock of `time.monotonic`."""


def schema_problem(schema: Json) -> str:
    """Return why a tool's schema is not accepted, or an empty text."""
    pending = [(schema, 0)]
    for count, (part, depth) in enumerate(_walk(pending)):
        if depth > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH} levels"
        if count == MAX_SUBSCHEMAS:
            return f"more than {MAX_SUBSCHEMAS} schemas inside one another"
        if isinstance(part, dict) and (problem := _keyword_problem(part)):
            return problem
    if not isinstance(schema, dict):
        return "not a JSON object"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return _clipped(f"{error.json_path}: {error.message}")
    return ""


def _keyword_problem(schema: JsonObject) -> str:
    """Return which keyword has no place in a tool's schema, itself or with so long a list."""
    unknown = sorted(schema.keys() - _KEYWORDS)
    if unknown:
        return f"keyword {unknown[0]!r} is not accepted in a tool's schema"
    for keyword in ("required", "type"):
        # jsonschema compares each with every other one to see that all are different.
        names = schema.get(keyword)
        if isinstance(names, list) and len(names) > MAX_SUBSCHEMAS:
            return f"keyword {keyword!r} has more than {MAX_SUBSCHEMAS} entries"
    return ""


def _walk(pending: list[tuple[Json, int]]) -> Iterator[tuple[Json, int]]:
    """Yield each schema inside the given ones, and those themselves, with their depths."""
    while pending:
        part, depth = pending.pop()
        yield part, depth
        if isinstance(part, dict):
            pending += [(below, depth + 1) for below in subschemas(part)]


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
    validator = _ToolValidator(schema, registry=_NO_REMOTE)
    token = _deadline.set(time.monotonic() + _MAX_S)
    try:
        error = best_match(validator.iter_errors(value))
    except (RecursionError, NotJsonError):
        return f"{label}: nested too deeply"
    except _TooLongError:
        return f"{label}: takes more than {_MAX_S:g} s to check against its schema"
    except Unresolvable as missing:
        return _clipped(f"{label}: its schema refers to {missing}, which it does not contain")
    finally:
        _deadline.reset(token)
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


def _timed(keyword: _Keyword) -> _Keyword:
    def timed(validator: object, rule: Json, value: Json, schema: object) -> _Errors:
        if time.monotonic() > _deadline.get():
            raise _TooLongError
        return keyword(validator, rule, value, schema) or ()

    return timed


def _without_false(keyword: _Keyword) -> _Keyword:
    """Spell each `false` among branches as a keyword, which the clock then sees."""

    def respelled(validator: object, rule: list[Json], value: Json, schema: object) -> _Errors:
        branches: list[Json] = [{"not": {}} if branch is False else branch for branch in rule]
        return keyword(validator, branches, value, schema) or ()

    return respelled


def _unique_items(
    _validator: object, unique: bool, value: Json, _schema: object
) -> Iterator[ValidationError]:
    """Do what jsonschema's own does, which compares each item with every other one."""
    if unique and isinstance(value, list):
        # By their texts: hashes of numbers are easily made to collide, those of texts are not.
        distinct = {canonical_json(_whole_as_int(item)) for item in value}
        if len(distinct) < len(value):
            yield ValidationError(f"{_clipped(repr(value))} has non-unique elements")


def _whole_as_int(value: Json) -> Json:
    """Return a value with 1.0 spelled as 1, which JSON Schema takes for the same."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole_as_int(item) for item in value]
        case dict():
            return {name: _whole_as_int(item) for name, item in value.items()}
    return value


_THEIRS: Mapping[str, _Keyword] = Draft202012Validator.VALIDATORS
_OURS = {name: _without_false(_THEIRS[name]) for name in _MANY} | {"uniqueItems": _unique_items}
_ToolValidator = validators.extend(  # type: ignore[no-untyped-call] # not in its stubs
    Draft202012Validator,
    {name: _timed(keyword) for name, keyword in {**_THEIRS, **_OURS}.items()},
)


def _clipped(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}..."
