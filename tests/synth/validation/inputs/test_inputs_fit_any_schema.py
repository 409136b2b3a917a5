"""Whatever a schema says, the generated inputs fit it, differ, and stay the same as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw, shrink

PATTERNS = [r"^[A-Z]{2}-[0-9]+$", r"\d", r"^(a|b)*c$", r"^.{2,4}$", r"[é-ü]"]


def sparse(**keywords: st.SearchStrategy[Json]) -> st.SearchStrategy[JsonObject]:
    """Return objects with some of the members."""
    return st.fixed_dictionaries({}, optional=dict(keywords))


def bounded(low: str, high: str, numbers: st.SearchStrategy[int]) -> st.SearchStrategy[JsonObject]:
    both = st.tuples(numbers, numbers).map(lambda pair: {low: min(pair), high: max(pair)})
    return st.one_of(st.just({}), numbers.map(lambda n: {low: n}), both)


def joined(*parts: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[JsonObject]:
    return st.tuples(*parts).map(lambda several: {k: v for one in several for k, v in one.items()})


sizes = st.integers(0, 5)
integers = joined(
    st.just({"type": "integer"}),
    bounded("minimum", "maximum", st.integers(-2000, 2000)),
    sparse(multipleOf=st.sampled_from([1, 3, 7])),
)
numbers = joined(
    st.just({"type": "number"}),
    st.one_of(
        bounded("minimum", "maximum", st.integers(-90, 90)),
        bounded("exclusiveMinimum", "maximum", st.integers(-90, 90)),
        bounded("minimum", "exclusiveMaximum", st.integers(-90, 90)),
    ),
    sparse(multipleOf=st.sampled_from([0.5, 0.25, 2])),
)
texts = joined(
    st.just({"type": "string"}),
    bounded("minLength", "maxLength", sizes),
    sparse(
        pattern=st.sampled_from(PATTERNS),
        format=st.sampled_from(["date", "date-time", "email", "uuid", "time", "x-other"]),
    ),
)
constants = st.one_of(
    st.sampled_from([None, 1, 1.5, "a", [1], {"a": 1}]).map(lambda one: {"const": one}),
    st.lists(st.sampled_from(["a", 1, None, 2.5, [], {}]), min_size=1).map(
        lambda several: {"enum": several}
    ),
)
plain = st.one_of(
    integers,
    numbers,
    texts,
    constants,
    st.just({}),
    st.just({"type": "boolean"}),
    st.just({"type": ["integer", "null", "string"]}),
)


def composed(inner: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[JsonObject]:
    lists = joined(
        st.just({"type": "array"}),
        bounded("minItems", "maxItems", sizes),
        sparse(items=inner, uniqueItems=st.booleans()),
        st.one_of(
            st.just({}),
            st.lists(inner, min_size=1, max_size=2).map(lambda several: {"prefixItems": several}),
        ),
    )
    names = st.lists(st.sampled_from("abc"), unique=True)
    records = joined(
        st.just({"type": "object"}),
        st.dictionaries(st.sampled_from("abc"), inner).map(lambda some: {"properties": some}),
        sparse(required=names, additionalProperties=st.one_of(st.booleans(), inner)),
    )
    mappings = joined(
        st.just({"type": "object"}),
        inner.map(lambda one: {"additionalProperties": one}),
        bounded("minProperties", "maxProperties", sizes),
    )
    branches = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        lists,
        records,
        mappings,
        branches.map(lambda several: {"anyOf": several}),
        branches.map(lambda several: {"oneOf": several}),
        branches.map(lambda several: {"allOf": several}),
    )


schemas = st.recursive(plain, composed, max_leaves=5)
recorded_values = st.recursive(
    st.one_of(st.integers(-99, 99), st.floats(-9, 9), st.text(max_size=4), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)
arguments_schemas = st.builds(
    lambda properties, optional: {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    },
    st.dictionaries(st.sampled_from("xyz"), schemas, max_size=3),
    st.lists(st.sampled_from("xyz"), unique=True),
)
SOURCE = (
    'def f(x, y):\n    if x == 17 or y in ("ab", "\\ud800") or len(y) > 6:\n        return 1e400\n'
)
# The inputs are drawn by hypothesis, within a test of hypothesis.
nested = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.nested_given, HealthCheck.too_slow],
)


@nested
@given(
    schema=arguments_schemas,
    recorded=st.lists(st.dictionaries(st.sampled_from("xyz"), recorded_values), max_size=4),
    seed=st.integers(0, 99),
)
def test_every_input_fits(schema: JsonObject, recorded: list[JsonObject], seed: int) -> None:
    strategy = arguments_strategy(schema, recorded, [SOURCE])
    drawn = draw(strategy, 25, seed)
    validator = Draft202012Validator(schema)
    for arguments in drawn:
        assert validator.is_valid(arguments)
        text = canonical(arguments)
        assert canonical(json.loads(text.encode())) == text
        assert "NaN" not in text
        assert "Infinity" not in text
    assert len({canonical(arguments) for arguments in drawn}) == len(drawn) <= 25
    assert draw(arguments_strategy(schema, recorded, [SOURCE]), 25, seed) == drawn


@nested
@given(schema=st.one_of(integers, st.just({"type": "boolean"}), constants), seed=st.integers(0, 9))
def test_there_are_inputs_where_the_schema_allows_some(schema: JsonObject, seed: int) -> None:
    step, low, high = (schema.get(key) for key in ("multipleOf", "minimum", "maximum"))
    if isinstance(step, int) and isinstance(low, int) and isinstance(high, int):
        assume(high // step * step >= low)
    parameters: JsonObject = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    assert draw(arguments_strategy(parameters, []), 10, seed)


@nested
@given(schema=arguments_schemas, threshold=st.integers(5, 40))
def test_the_simplest_failure_fits_fails_and_is_no_longer(
    schema: JsonObject, threshold: int
) -> None:
    strategy = arguments_strategy(schema, [])

    def fails(arguments: JsonObject) -> bool:
        return len(canonical(arguments)) >= threshold

    for example in [one for one in draw(strategy, 12, 0) if fails(one)][:3]:
        found = shrink(strategy, example, fails)
        assert fails(found)
        assert Draft202012Validator(schema).is_valid(found)
        assert len(canonical(found)) <= len(canonical(example))


def of_x(schema: JsonObject, seen: list[Json]) -> list[Json]:
    parameters: JsonObject = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    strategy = arguments_strategy(parameters, [{"x": value} for value in seen])
    return [arguments["x"] for arguments in draw(strategy, 80, 1)]


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 12}, [1, 2, 11, 12]),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 5}, [2, 3, 4]),
        ({"type": "integer", "multipleOf": 7, "maximum": 20}, [0, 7, 14]),
        ({"type": "integer"}, [0, 1, -1, 2]),
        ({"type": "number"}, [0, 0.0, 0.5, 1e-9]),
        ({"type": "string"}, ["", " ", "aaa"]),
        ({"type": "string", "maxLength": 3, "minLength": 3}, ["   ", "000"]),
        ({"type": "array", "items": {"type": "integer"}}, [[], [0], [0, 0]]),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}, [[], ["a"]]),
        ({"type": "array", "prefixItems": [{"const": 1}, {"type": "boolean"}]}, [[1, True], [1]]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"a": 0}]),
        ({"const": 5}, [5]),
        ({"enum": ["a", 1, None]}, ["a", 1, None]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [0, None]),
        ({"type": ["boolean", "null"]}, [True, False, None]),
        ({"type": "string", "format": "date"}, ["2024-02-29"]),
    ],
)
def test_the_edges_of_a_schema_are_there(schema: JsonObject, values: list[Json]) -> None:
    found = {canonical(value) for value in of_x(schema, [])}
    assert [value for value in values if canonical(value) not in found] == []


def test_references_within_a_schema_are_followed_and_others_are_not_fetched() -> None:
    node: JsonObject = {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
        "required": ["value"],
        "additionalProperties": False,
    }
    schema: JsonObject = {
        "$defs": {"node": node},
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/node"}},
        "required": ["x"],
    }
    drawn = draw(arguments_strategy(schema, []), 40, 0)
    assert any("next" in json.dumps(arguments) for arguments in drawn)
    assert all(Draft202012Validator(schema).is_valid(arguments) for arguments in drawn)
    elsewhere: JsonObject = {"type": "object", "properties": {"x": {"$ref": "http://a.test/b"}}}
    assert draw(arguments_strategy(elsewhere, []), 10, 0) in ([], [{}])


def test_a_pattern_that_takes_for_ever_is_not_matched() -> None:
    endless: JsonObject = {"type": "string", "pattern": "^(a+)+$"}
    assert of_x(endless, ["a" * 40 + "b"]) == []


def test_a_pattern_that_cannot_be_made_leaves_the_recorded_values() -> None:
    beyond_ascii: JsonObject = {"type": "string", "pattern": "^\u4e2d+$"}
    assert "\u4e2d\u4e2d" in of_x(beyond_ascii, ["\u4e2d\u4e2d"])


def test_huge_recorded_numbers_and_lengths_that_a_schema_asks_for_are_survived() -> None:
    assert 10**400 in of_x({"type": "integer"}, [10**400, 3])
    assert of_x({"type": "number"}, [1e308, 10**400])
    assert of_x({"type": "string", "minLength": 10**12}, []) == []
    assert of_x({"type": "array", "minItems": 10**12}, []) == []


def test_optional_parameters_and_members_are_left_out_sometimes() -> None:
    member: JsonObject = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a"],
    }
    schema: JsonObject = {
        "type": "object",
        "properties": {"x": member, "y": {"type": "integer"}},
        "required": ["x"],
    }
    recorded: list[JsonObject] = [{"x": {"a": 1, "b": 2}, "y": 3}]
    drawn = draw(arguments_strategy(schema, recorded), 60, 0)
    assert {"y" in arguments for arguments in drawn} == {True, False}
    members = [arguments["x"] for arguments in drawn]
    assert {"b" in one for one in members if isinstance(one, dict)} == {True, False}


def test_what_an_inferred_schema_does_not_require_stays_where_it_was_always_recorded() -> None:
    inferred: JsonObject = {"type": "object", "properties": {"a": {"type": "integer"}}}
    seen: list[Json] = [{"a": 1}, {"a": 7}]
    assert all(isinstance(one, dict) and "a" in one for one in of_x(inferred, seen))
    assert {} in of_x(inferred, [*seen, {}])
