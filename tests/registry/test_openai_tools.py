import copy
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._pydantic import _ensure_strict_json_schema
from openai.types.chat import ChatCompletionFunctionToolParam
from openai.types.responses import FunctionToolParam
from openai.types.shared_params import FunctionDefinition
from pydantic import TypeAdapter

from toolguild.registry import openai_tool
from toolguild.registry.json_schema import accepts
from toolguild.registry.strict import strict_schema, without_placeholders

STRICT_KEYWORDS = {
    *("type", "description", "enum", "anyOf", "items"),
    *("properties", "required", "additionalProperties"),
}


def assert_strict(schema):
    """The rules of strict mode, spelled out apart from the code that follows them."""
    assert schema.keys() <= STRICT_KEYWORDS
    if "anyOf" in schema:
        assert schema["anyOf"]
        assert schema.keys() <= {"anyOf", "description"}
        for branch in schema["anyOf"]:
            assert_strict(branch)
        return
    assert "type" in schema
    if schema["type"] == "object":
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
        for part in schema["properties"].values():
            assert_strict(part)
    if schema["type"] == "array":
        assert_strict(schema["items"])


scalars = st.sampled_from(
    [
        {"type": "string", "description": "Words.", "minLength": 1, "default": "x"},
        {"type": "integer", "minimum": 0},
        {"type": "number"},
        {"type": "boolean"},
        {"type": ["string", "null"], "description": "Perhaps."},
        {"enum": ["a", "b"]},
        {"enum": ["a", 1, None]},
        {"const": 7},
    ]
)


def objects(parts):
    return st.builds(
        lambda properties, required: {
            "type": "object",
            "properties": properties,
            "required": sorted(required & properties.keys()),
        },
        st.dictionaries(st.sampled_from("abcd"), parts, max_size=4),
        st.sets(st.sampled_from("abcd")),
    )


parts = st.recursive(
    scalars,
    lambda inner: (
        objects(inner)
        | st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=8,
)
schemas = objects(parts)


def values_of(schema):
    """Values that match a schema from `parts`, with and without optional properties."""
    if "anyOf" in schema:
        return st.one_of([values_of(branch) for branch in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    match schema["type"]:
        case "object":
            named = {name: values_of(part) for name, part in schema["properties"].items()}
            needed = {name: named[name] for name in schema["required"]}
            optional = {name: named[name] for name in named.keys() - needed.keys()}
            return st.fixed_dictionaries(needed, optional=optional)
        case "array":
            return st.lists(values_of(schema["items"]), max_size=2)
        case "string":
            return st.text("ab", min_size=1, max_size=3)
        case "integer":
            return st.integers(min_value=0)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case ["string", "null"]:
            return st.none() | st.text("ab", max_size=3)


@given(schemas)
def test_strict_schemas_follow_the_rules(schema):
    untouched = copy.deepcopy(schema)
    strict = strict_schema(schema)
    assert_strict(strict)
    assert schema == untouched


@given(schemas)
def test_strict_schemas_need_no_change_by_openai(schema):
    strict = strict_schema(schema)
    assert _ensure_strict_json_schema(copy.deepcopy(strict), path=(), root=strict) == strict


def test_scalars_unions_and_objects_in_strict_form():
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where.", "minLength": 2},
            "days": {"type": "integer", "description": "How long.", "default": 3},
            "unit": {"enum": ["C", "F"]},
        },
        "required": ["city"],
    }
    assert strict_schema(schema) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where."},
            "days": {"description": "How long.", "anyOf": [{"type": "integer"}, {"type": "null"}]},
            "unit": {"anyOf": [{"type": "string", "enum": ["C", "F"]}, {"type": "null"}]},
        },
        "required": ["city", "days", "unit"],
        "additionalProperties": False,
    }


FREE_FORM = [
    {"type": "object"},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {}, "additionalProperties": True},
    {"type": "array"},
    {"type": ["array", "null"]},
    {},
    True,
    {"allOf": [{"type": "string"}]},
    {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}},
    {"enum": [["a"]]},
    {"type": "object", "properties": {}, "required": ["a"]},
    {"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"type": "object"}]},
]


@pytest.mark.parametrize("part", FREE_FORM)
def test_what_strict_mode_cannot_say_is_offered_as_it_is(make_spec, part):
    schema = {"type": "object", "properties": {"data": part}, "required": ["data"]}
    assert strict_schema(schema) is None
    tool = openai_tool(make_spec(parameters=schema), "responses")
    assert tool["strict"] is False
    assert tool["parameters"] == schema


def test_arguments_that_are_a_union_of_objects_are_not_strict():
    part = {"type": "object", "properties": {}}
    assert strict_schema({"type": "object", "properties": {}, "anyOf": [part]}) is None


@given(schemas.flatmap(lambda schema: st.tuples(st.just(schema), values_of(schema))))
def test_placeholders_are_taken_out_again(case):
    schema, value = case

    def as_model(value, schema):
        """What a model sends in strict mode: null for every property left out."""
        if isinstance(value, dict) and schema.get("type") == "object":
            return {
                name: as_model(value[name], part) if name in value else None
                for name, part in schema["properties"].items()
            }
        return value

    sent = as_model(value, schema)
    received = without_placeholders(sent, schema)
    assert accepts(schema, received)
    # Where null is a value of its own, null is what arrives.
    for name, part in schema["properties"].items():
        if name not in value:
            assert received.get(name) is None
            assert (name in received) == accepts(part, None)


def test_placeholders_are_taken_out_of_lists_and_unions():
    inner = {"type": "object", "properties": {"x": {"type": "integer"}}}
    schema = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": inner},
            "one": {"anyOf": [{"type": "null"}, inner]},
            "needed": {"type": "integer"},
        },
        "required": ["needed"],
    }
    sent = {"items": [{"x": None}, {"x": 1}], "one": {"x": None}, "needed": None, "extra": None}
    assert without_placeholders(sent, schema) == {
        "items": [{}, {"x": 1}],
        "one": {},
        "needed": None,
        "extra": None,
    }


def test_both_shapes_are_what_openai_takes(make_spec):
    chat, responses = openai_tool(make_spec()), openai_tool(make_spec(), "responses")
    function = chat["function"]
    for shape, tool in (
        (ChatCompletionFunctionToolParam, chat),
        (FunctionDefinition, function),
        (FunctionToolParam, responses),
    ):
        assert TypeAdapter(shape).validate_python(tool) == tool
        assert tool.keys() <= get_type_hints(shape).keys()  # unknown keys would be refused
    assert function == {key: value for key, value in responses.items() if key != "type"}
    assert (function["name"], function["strict"]) == ("double", True)
