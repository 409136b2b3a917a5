"""Generated inputs fit their schema, stay near what was recorded, and are always the same."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import object_schema
from toolguild.synth.drafting.schemas import infer_schema
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw, shrink
from toolguild.synth.validation.inputs.boundaries import pairwise

scalars = st.one_of(
    st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.text(max_size=6), st.booleans()
)
columns = st.one_of(
    st.lists(scalars, min_size=1, max_size=4),
    st.lists(st.lists(scalars, max_size=3), min_size=1, max_size=4),
    st.lists(st.dictionaries(st.sampled_from("abc"), scalars, max_size=3), min_size=1, max_size=4),
)


def parameters(**schemas: Json) -> JsonObject:
    return object_schema(dict(schemas), closed=True)


@settings(
    max_examples=40,
    deadline=None,  # a busy machine takes longer than the tests of hypothesis may
    suppress_health_check=[HealthCheck.nested_given, HealthCheck.too_slow],
)
@given(column=columns, seed=st.integers(0, 2**32 - 1))
def test_every_input_fits_the_schema_of_what_was_recorded(column: list[Json], seed: int) -> None:
    schema = parameters(x=infer_schema(column))
    strategy = arguments_strategy(schema, [{"x": value} for value in column])
    validator = Draft202012Validator(schema)
    drawn = draw(strategy, 12, seed)
    assert 1 <= len(drawn) <= 12
    assert all(validator.is_valid(arguments) for arguments in drawn)
    assert draw(strategy, 12, seed) == drawn


def test_inputs_are_distinct_and_many_are_recorded_ones() -> None:
    recorded: list[JsonObject] = [{"x": 5, "y": "ab"}, {"x": 900, "y": "cd"}]
    schema = parameters(x={"type": "integer"}, y={"type": "string"})
    drawn = draw(arguments_strategy(schema, recorded), 60, 1)
    assert len({canonical(arguments) for arguments in drawn}) == len(drawn) > 30
    assert sum(arguments["x"] in (5, 900) for arguments in drawn) > 10
    assert any(arguments["x"] not in (5, 900) for arguments in drawn)


def test_numbers_and_lengths_stay_near_the_recorded_ones() -> None:
    recorded: list[JsonObject] = [{"x": 10, "y": [1, 2]}, {"x": -3, "y": []}]
    schema = parameters(x={"type": "integer"}, y={"type": "array", "items": {"type": "integer"}})
    for arguments in draw(arguments_strategy(schema, recorded), 100, 2, large=False):
        assert isinstance(arguments["x"], int)
        assert isinstance(arguments["y"], list)
        assert abs(arguments["x"]) <= 4 * 10 + 16
        assert len(arguments["y"]) <= 2 * 2 + 3


def test_a_few_inputs_are_large_unless_told_otherwise() -> None:
    schema = parameters(x={"type": "string"}, y={"type": "array"}, z={"type": "integer"})
    strategy = arguments_strategy(schema, [{"x": "ab", "y": [1, 2], "z": 3}])

    def sizes(arguments: JsonObject) -> list[int]:
        return [len(value) for value in arguments.values() if isinstance(value, str | list)]

    large = [one for one in draw(strategy, 100, 0) if max(sizes(one)) >= 100]
    assert 1 <= len(large) <= 10
    assert any(min(sizes(one)) >= 100 for one in large)
    assert all(max(sizes(one)) < 100 for one in draw(strategy, 100, 0, large=False))
    short = parameters(x={"type": "string", "maxLength": 20})
    drawn = draw(arguments_strategy(short, []), 100, 0)
    assert max(sizes(arguments)[0] for arguments in drawn) == 20


def test_the_edges_come_first_and_do_not_depend_on_the_seed() -> None:
    schema = parameters(x={"type": "integer"}, y={"type": "array", "items": {"type": "integer"}})
    strategy = arguments_strategy(schema, [{"x": 10, "y": [1, 2]}])
    one, other = draw(strategy, 60, 1), draw(strategy, 60, 2)
    assert one[:20] == other[:20]
    assert one != other
    assert {"x": 0, "y": [1, 2]} in one[:10]
    assert {"x": 10, "y": []} in one[:10]


def test_every_two_edges_come_together() -> None:
    names = "abcd"
    schema = parameters(**{name: {"enum": [1, 2, 3]} for name in names})
    rows = list(pairwise(arguments_strategy(schema, [])))
    assert len(rows) < 27
    for first, second in combinations(names, 2):
        pairs = {(row[first], row[second]) for row in rows}
        assert pairs == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3)}


def test_modules_that_happen_to_be_loaded_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = parameters(x={"type": "integer"}, y={"type": "number"}, z={"type": "string"})
    recorded: list[JsonObject] = [{"x": 900, "y": 900.5, "z": "abc"}]
    before = draw(arguments_strategy(schema, recorded), 300, 1)
    constants = f"{list(range(101, 900))}\n{[n + 0.75 for n in range(100)]}\n'abcabc', 'cba'\n"
    (tmp_path / "with_constants.py").write_text(constants)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("with_constants")
    assert draw(arguments_strategy(schema, recorded), 300, 1) == before


def test_arguments_of_one_type_are_equal_now_and_then() -> None:
    schema = parameters(x={"type": "string"}, y={"type": "string"})
    drawn = draw(arguments_strategy(schema, [{"x": "abc", "y": "de"}]), 100, 0)
    equal = [arguments for arguments in drawn if arguments["x"] == arguments["y"]]
    assert 3 <= len(equal) <= 30


@pytest.mark.parametrize(
    ("schema", "low"),
    [({"type": "integer", "minimum": 3}, 3), ({"type": "number", "minimum": 0}, 0)],
)
def test_a_minimum_is_kept(schema: JsonObject, low: int) -> None:
    strategy = arguments_strategy(parameters(x=schema), [{"x": 5}])
    values = [arguments["x"] for arguments in draw(strategy, 80, 3)]
    assert all(isinstance(value, int | float) and value >= low for value in values)
    assert low in values  # the edge is where faults are


@pytest.mark.parametrize(
    ("schema", "seen"),
    [
        ({"type": "string", "minLength": 1}, ["ab"]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [[1]]),
    ],
)
def test_what_may_not_be_empty_is_not(schema: JsonObject, seen: list[Json]) -> None:
    strategy = arguments_strategy(parameters(x=schema), [{"x": value} for value in seen])
    assert all(arguments["x"] for arguments in draw(strategy, 80, 4))
    del schema["minLength" if schema["type"] == "string" else "minItems"]
    strategy = arguments_strategy(parameters(x=schema), [{"x": value} for value in seen])
    assert not all(arguments["x"] for arguments in draw(strategy, 80, 4))


def test_texts_hold_characters_that_trip_programs() -> None:
    strategy = arguments_strategy(parameters(x={"type": "string"}), [{"x": "abc"}])
    text = "".join(str(arguments["x"]) for arguments in draw(strategy, 200, 5))
    assert any(ord(character) > 127 for character in text)
    assert "\n" in text
    assert "\0" in text


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({"type": ["integer", "null"]}, {int, type(None)}),
        ({"type": "boolean"}, {bool}),
        ({"enum": ["a", "b"]}, {str}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, {int, str}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {dict}),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {dict}),
        ({"type": "array"}, {list}),
        ({}, {type(None)}),
    ],
)
def test_without_recordings_the_schema_alone_is_followed(
    schema: JsonObject, kinds: set[type]
) -> None:
    validator = Draft202012Validator(schema)
    values = [
        arguments["x"] for arguments in draw(arguments_strategy(parameters(x=schema), []), 60, 6)
    ]
    assert {type(value) for value in values} == kinds
    assert all(validator.is_valid(value) for value in values)


def test_a_tool_without_parameters_has_one_input() -> None:
    assert draw(arguments_strategy(parameters(), []), 60, 7) == [{}]


def test_the_simplest_failing_input_is_found() -> None:
    schema = parameters(x={"type": "integer"}, y={"type": "string"})
    strategy = arguments_strategy(schema, [{"x": 20, "y": "abc"}])

    def fails(arguments: JsonObject) -> bool:
        return isinstance(arguments["x"], int) and arguments["x"] > 30

    assert shrink(strategy, {"x": 77, "y": "zz"}, fails) == {"x": 31, "y": ""}
    assert shrink(strategy, {"x": 77, "y": "zz"}, lambda _: False) == {"x": 77, "y": "zz"}


@pytest.mark.parametrize(
    ("schema", "example", "fails", "simplest"),
    [
        # A needle that no random search finds: it is kept, and what is around it goes.
        ({"type": "array"}, [5, 1729, 8], lambda x: 1729 in x, [1729]),
        ({"type": "string"}, "ab://cd", lambda x: "://" in x, "://"),
        ({"type": "string", "minLength": 3}, "ZZZZZ", lambda x: True, "000"),
        ({"type": "integer", "multipleOf": 5}, 95, lambda x: x > 7, 10),
        ({"type": "integer"}, -40, lambda x: abs(x) > 20, 21),
        ({"type": "number"}, 7.25, lambda x: x > 2, 3),
        ({"type": "object"}, {"a": 5, "b": [1, 2]}, lambda x: "b" in x, {"b": []}),
        ({"type": "array"}, list(range(300)), lambda x: len(x) > 99, None),
    ],
)
def test_a_failure_is_simplified_within_its_schema(
    schema: JsonObject, example: Json, fails: Callable[[Any], bool], simplest: Json
) -> None:
    strategy = arguments_strategy(parameters(x=schema), [])
    found = shrink(strategy, {"x": example}, lambda arguments: fails(arguments["x"]))["x"]
    if simplest is not None:
        assert found == simplest
    assert fails(found)
    assert len(canonical(found)) <= len(canonical(example))


def test_a_failure_that_comes_and_goes_leaves_the_example() -> None:
    strategy = arguments_strategy(parameters(x={"type": "integer"}), [{"x": 500}])
    left_as_it_was = 0
    for seed in range(10):
        chance = random.Random(seed)  # noqa: S311 - the same chance in every run
        found = shrink(strategy, {"x": 77}, lambda _, chance=chance: chance.random() < 0.5)
        assert isinstance(found["x"], int)
        left_as_it_was += found["x"] == 77
    assert left_as_it_was


def test_the_search_is_bounded() -> None:
    strategy = arguments_strategy(parameters(x={"type": "string"}), [])
    asked: list[JsonObject] = []

    def fails(arguments: JsonObject) -> bool:
        asked.append(arguments)
        return sum(map(ord, str(arguments["x"]))) % 3 == 0

    shrink(strategy, {"x": "ab" * 150}, fails)
    assert len(asked) <= 150


def test_nothing_is_written_into_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    of_a_pattern: JsonObject = {"type": "string", "pattern": "^[a-f]{2}$"}
    assert draw(arguments_strategy(parameters(x=of_a_pattern), []), 10, 11)
    assert list(tmp_path.iterdir()) == []
