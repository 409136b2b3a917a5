import pytest

from toolguild.registry.json_schema import MAX_DEPTH, closed, mismatch, schema_problem


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
