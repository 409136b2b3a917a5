import time

import pytest

from toolguild.registry.json_schema import (
    MAX_DEPTH,
    MAX_SUBSCHEMAS,
    closed,
    mismatch,
    schema_problem,
)


def deep(levels):
    schema = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def test_ordinary_schemas_are_accepted():
    schema = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "format": "date", "minLength": 1},  # only a name here
            "$ref": {"anyOf": [{"type": "null"}, {"const": 3}]},
            "list": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True},
        },
        "required": ["pattern"],
        "additionalProperties": {"type": "integer", "minimum": 0},
    }
    assert schema_problem(schema) == ""


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "(a+)+$"},
        {"patternProperties": {"(a+)+$": {}}},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#"},
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"unevaluatedProperties": False},
        {"properties": {"a": {"anyOf": [{"not": {"$dynamicRef": "#x"}}]}}},
    ],
)
def test_keywords_with_unbounded_evaluation_are_refused_at_any_depth(schema):
    assert "is not accepted" in schema_problem(schema)


@pytest.mark.parametrize("schema", [3, True, None, [], {"type": "integre"}, {"properties": []}])
def test_what_is_no_schema_is_refused(schema):
    assert schema_problem(schema)


def test_depth_is_bounded():
    assert schema_problem(deep(MAX_DEPTH)) == ""
    assert "nested deeper" in schema_problem(deep(MAX_DEPTH + 1))
    assert "nested deeper" in schema_problem(deep(100_000))


def test_mismatch_names_the_place():
    schema = {"properties": {"stops": {"items": {"properties": {"city": {"type": "string"}}}}}}
    value = {"stops": [{"city": "Rome"}, {"city": 3}]}
    assert mismatch(value, schema, "arguments") == (
        "arguments.stops[1].city: 3 is not of type 'string'"
    )
    assert mismatch({"stops": []}, schema, "arguments") == ""


def test_long_values_are_clipped_from_messages():
    assert len(mismatch("x" * 10_000, {"type": "integer"}, "result")) < 600


def test_values_nested_too_deeply_are_a_mismatch():
    value = []
    for _ in range(50_000):
        value = [value]
    assert "nested too deeply" in mismatch([value, value], {"uniqueItems": True}, "result")


def test_references_to_other_documents_are_never_fetched():
    problem = mismatch({}, {"$ref": "https://127.0.0.1:1/schema.json"}, "arguments")
    assert "refers to" in problem


def test_objects_are_closed_unless_they_say_otherwise():
    assert mismatch({"b": 1}, closed({"properties": {"a": {}}}), "arguments")
    assert not mismatch({"b": 1}, closed({"additionalProperties": True}), "arguments")


@pytest.mark.parametrize(
    ("value", "distinct"),
    [
        ([1, True, 0, False, "1", None, [1], {"a": 1}], True),
        ([1, 1.0], False),
        ([{"a": [1, {"b": 2.0}]}, {"a": [1.0, {"b": 2}]}], False),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
        ([0.0, -0.0], False),
        (["a", "A"], True),
        ([1e308, -1e308, 10**400], True),
        ("aa", True),
    ],
)
def test_unique_items_are_those_that_json_schema_tells_apart(value, distinct):
    assert (mismatch(value, {"uniqueItems": True}, "result") == "") == distinct
    assert mismatch(value, {"uniqueItems": False}, "result") == ""


# Each of these took jsonschema from minutes to hours.
HARD = {
    "many objects, each compared with every other": (
        [{"a": number} for number in range(60_000)],
        {"uniqueItems": True},
    ),
    "numbers with one hash": (
        [number * (2**61 - 1) for number in range(40_000)],
        {"uniqueItems": True},
    ),
    "many values for many choices": (
        [{} for _ in range(150_000)],
        {"items": {"enum": [{"a": number} for number in range(50_000)]}},
    ),
    "many values for many branches": (
        [{} for _ in range(150_000)],
        {"items": {"anyOf": [{"type": "integer"}] * 1900}},
    ),
    "a long message for each of many branches": (
        [[number] for number in range(150_000)],
        {"anyOf": [False] * 1900},
    ),
}


@pytest.mark.parametrize(("value", "schema"), HARD.values(), ids=HARD)
def test_no_check_holds_the_host(value, schema, monkeypatch):
    monkeypatch.setattr("toolguild.registry.json_schema._MAX_S", 0.5)
    begin = time.monotonic()
    assert schema_problem(schema) == ""
    assert mismatch(value, schema, "result") in (
        "",
        "result: takes more than 0.5 s to check against its schema",
    )
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {str(number): {} for number in range(MAX_SUBSCHEMAS)}},
        {"anyOf": [{"not": {}}] * MAX_SUBSCHEMAS},
        {"required": [{"a": number} for number in range(MAX_SUBSCHEMAS + 1)]},
        {"type": [{"a": number} for number in range(MAX_SUBSCHEMAS + 1)]},
    ],
)
def test_schemas_are_bounded(schema):
    assert f"more than {MAX_SUBSCHEMAS}" in schema_problem(schema)


def test_a_choice_may_be_false():
    schema = {"enum": [False, 1], "anyOf": [False, True]}
    assert schema_problem(schema) == ""
    assert mismatch(False, schema, "result") == ""
    assert mismatch(True, schema, "result") == "result: True is not one of [False, 1]"
    assert mismatch(1, {"anyOf": [False]}, "result")
    assert mismatch(1, {"oneOf": [True, False]}, "result") == ""
