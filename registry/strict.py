"""Tools in the two shapes that OpenAI's APIs take, in strict mode wherever the schema allows it.

Strict mode wants every object closed and every property required; an optional property becomes
one that may be null, and `without_placeholders` takes those nulls out again before the call.
Defaults and constraints on numbers and lengths are left out, because not every vendor takes them;
the toolbox checks arguments against the full schema anyway. The rules are those that
`openai.lib._pydantic` follows and OpenAI's guide on structured outputs states.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from toolguild.registry.json_schema import accepts
from toolguild.registry.model import ToolSpec
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "OpenAIApi",
    "openai_function",
    "openai_tool",
    "strict_schema",
    "without_placeholders",
]

OpenAIApi: TypeAlias = Literal["chat", "responses"]

_SCALARS = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
}
_UNSUPPORTED = ("allOf", "not", "prefixItems")


class _NotStrictError(Exception):
    """A part of the schema has no counterpart in strict mode."""


def openai_tool(spec: ToolSpec, api: OpenAIApi = "chat") -> JsonObject:
    """Return a tool as a member of the `tools` list of a request.

    Args:
        spec: The tool.
        api: `chat` for Chat Completions, where the function is nested, or `responses`, where it
            is flat.
    """
    return openai_function(spec.name, spec.description, spec.parameters, api)


def openai_function(
    name: str, description: str, parameters: JsonObject, api: OpenAIApi = "chat"
) -> JsonObject:
    """Return any function as a member of the `tools` list of a request; see `openai_tool`."""
    strict = strict_schema(parameters)
    function: JsonObject = {
        "name": name,
        "description": description,
        "parameters": parameters if strict is None else strict,
        "strict": strict is not None,
    }
    if api == "chat":
        return {"type": "function", "function": function}
    return {"type": "function", **function}


def strict_schema(schema: JsonObject) -> JsonObject | None:
    """Return the strict form of the schema of an arguments object; None where it has none."""
    try:
        strict = _strict(schema)
    except _NotStrictError:
        return None
    return strict if strict.get("type") == "object" else None


def without_placeholders(value: Json, schema: Json) -> Json:
    """Return a value without the nulls that stand for properties left out.

    A null goes where the schema does not require the property and does not take null for it.
    """
    if not isinstance(schema, dict):
        return value
    for branch in _branches(schema):
        candidate = without_placeholders(value, branch)
        if isinstance(branch, dict) and accepts(branch, candidate):
            return candidate
    if isinstance(value, dict):
        properties, required = _properties(schema), _required(schema)
        return {
            name: without_placeholders(item, properties.get(name))
            for name, item in value.items()
            if item is not None or name in required or _takes_null(properties.get(name))
        }
    if isinstance(value, list):
        return [without_placeholders(item, schema.get("items")) for item in value]
    return value


def _strict(schema: Json) -> JsonObject:
    if not isinstance(schema, dict) or any(keyword in schema for keyword in _UNSUPPORTED):
        raise _NotStrictError
    words: JsonObject = {key: schema[key] for key in ("description",) if key in schema}
    branches = _branches(schema)
    if branches:
        if "type" in schema or "properties" in schema:
            raise _NotStrictError
        return {**words, "anyOf": [_strict(branch) for branch in branches]}
    if "enum" in schema or "const" in schema:
        return {**words, **_strict_enum(schema)}
    match schema.get("type"):
        case "object":
            return {**words, **_strict_object(schema)}
        case "array":
            return {**words, "type": "array", "items": _strict(schema.get("items"))}
        case str() as scalar:
            return {**words, "type": scalar}
        case [*names] if names:
            bare = {key: value for key, value in schema.items() if key != "description"}
            return {**words, "anyOf": [_strict({**bare, "type": name}) for name in names]}
    raise _NotStrictError


def _strict_enum(schema: JsonObject) -> JsonObject:
    values = schema.get("enum", [schema.get("const")])
    if not isinstance(values, list) or any(type(value) not in _SCALARS for value in values):
        raise _NotStrictError
    types: list[Json] = [*dict.fromkeys(_SCALARS[type(value)] for value in values)]
    return {"type": types[0] if len(types) == 1 else types, "enum": values}


def _strict_object(schema: JsonObject) -> JsonObject:
    properties, required = _properties(schema), _required(schema)
    open_ended = schema.get("additionalProperties", False) is not False
    if open_ended or "properties" not in schema or not required <= properties.keys():
        raise _NotStrictError
    return {
        "type": "object",
        "properties": {
            name: _strict(part) if name in required else _nullable(_strict(part))
            for name, part in properties.items()
        },
        "required": [*properties],
        "additionalProperties": False,
    }


def _nullable(strict: JsonObject) -> JsonObject:
    if accepts(strict, None):
        return strict
    words: JsonObject = {key: strict[key] for key in ("description",) if key in strict}
    bare: JsonObject = {key: value for key, value in strict.items() if key != "description"}
    return {**words, "anyOf": [bare, {"type": "null"}]}


def _branches(schema: JsonObject) -> list[Json]:
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list):
            return branches
    return []


def _properties(schema: JsonObject) -> JsonObject:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _required(schema: JsonObject) -> set[str]:
    required = schema.get("required")
    return {str(name) for name in required} if isinstance(required, list) else set()


def _takes_null(schema: Json) -> bool:
    return not isinstance(schema, dict) or accepts(schema, None)
