"""Schemas and annotations read off recorded values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolguild.registry.json_schema import schema_problem
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting.schemas import annotation_of, infer_schema

json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "c d", "e"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(values=st.lists(json_values, min_size=1, max_size=5))
def test_all_values_fit_their_schema_and_the_registry_takes_it(values: list[Json]) -> None:
    schema = infer_schema(values)
    validator = Draft202012Validator(schema)
    assert all(validator.is_valid(value) for value in values)
    assert schema_problem(schema) == ""


@given(values=st.lists(json_values, min_size=1, max_size=5), order=st.randoms())
def test_the_order_of_values_does_not_matter(values: list[Json], order: object) -> None:
    shuffled = list(values)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert infer_schema(shuffled) == infer_schema(values)


@pytest.mark.parametrize(
    ("values", "schema", "annotation"),
    [
        ([1, 2], {"type": "integer"}, "int"),
        ([1, 2.5], {"type": "number"}, "float"),
        ([True, 1], {"type": ["boolean", "integer"]}, "bool | int"),
        ([None, "a"], {"type": ["null", "string"]}, "str | None"),
        ([[1], []], {"type": "array", "items": {"type": "integer"}}, "list[int]"),
        ([[]], {"type": "array"}, "list[object]"),
        (
            [[[["deep"]]]],
            {"type": "array", "items": {"type": "array", "items": {"type": "array"}}},
            "list[list[list[object]]]",
        ),
        (
            [{"a": 1, "b": "x"}, {"a": 2}],
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            "dict[str, object]",
        ),
        (
            [{"k1": 1}, {"k2": 2}, {"k3": 3}],
            {"type": "object", "additionalProperties": {"type": "integer"}},
            "dict[str, int]",
        ),
        (
            [{"Please call me": 1}],
            {"type": "object", "additionalProperties": {"type": "integer"}},
            "dict[str, int]",
        ),
        ([{}], {"type": "object"}, "dict[str, object]"),
        ([], {}, "object"),
    ],
)
def test_schemas_and_annotations(values: list[Json], schema: JsonObject, annotation: str) -> None:
    assert infer_schema(values) == schema
    assert annotation_of(schema) == annotation
