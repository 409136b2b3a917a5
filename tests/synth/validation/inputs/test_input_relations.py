"""What recorded arguments have to do with one another is kept most of the time."""

from __future__ import annotations

import re

import pytest

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import object_schema
from toolguild.synth.drafting.schemas import infer_schema
from toolguild.synth.validation.inputs import arguments_strategy, draw
from toolguild.synth.validation.inputs.relations import seen_relations

Pairs = list[tuple[Json, Json]]

KINDS: list[tuple[str, Pairs]] = [
    ("equal", [("a", "a"), ("bc", "bc"), ("d", "d")]),
    ("prefix", [("id-", "id-1"), ("x", "xy"), ("no", "nope")]),
    ("part", [("cat", "a cat sat"), ("o", "dog"), ("wl", "owl")]),
    ("key", [("a", {"a": 1, "b": 2}), ("c", {"c": 3}), ("d", {"e": 4, "d": 5})]),
    ("item", [(5, [4, 5]), (7, [7]), (1, [3, 2, 1])]),
    ("length", [([4, 5], 2), ([1], 1), ([7, 8, 9], 3)]),
    ("sum", [([1, 2], 3), ([4, 5, 6], 15), ([7], 7)]),
    ("index", [([4, 5, 6], 1), ([7], 0), ([1, 2, 3], 2)]),
    ("subset", [([1], [1, 2]), ([4, 5], [5, 4, 3]), ([], [9])]),
    ("as long", [([1, 2], [3, 9]), ([4], [5]), ([7, 8, 9], [1, 0, 2])]),
    ("at most", [(1, 4), (5, 5), (-2, 9)]),
]


def objects(pairs: Pairs) -> list[JsonObject]:
    return [{"a": first, "b": second} for first, second in pairs]


@pytest.mark.parametrize(("name", "pairs"), KINDS)
def test_a_relation_is_seen_kept_and_broken(name: str, pairs: Pairs) -> None:
    recorded = objects(pairs)
    (relation,) = seen_relations(recorded)
    assert (relation.kind.name, relation.first, relation.second) == (name, "a", "b")
    columns = zip(*pairs, strict=True)
    schema = object_schema(
        {key: infer_schema(column) for key, column in zip("ab", columns, strict=True)}, closed=True
    )
    holds = [relation.holds(one) for one in draw(arguments_strategy(schema, recorded), 100, 0)]
    assert 0.45 * len(holds) < sum(holds) < 0.95 * len(holds)


@pytest.mark.parametrize(
    "pairs",
    [
        [(1, 4), (5, 5)],  # twice is chance
        [(1, 4), (1, 4), (1, 4)],  # and the same three times is once
        [(1, 4), (5, 2), (3, 3)],
        [(True, False), (False, True), (True, True)],
        [],
    ],
)
def test_what_was_not_seen_often_enough_is_no_relation(pairs: Pairs) -> None:
    assert seen_relations(objects(pairs)) == []


def test_a_bool_is_no_number_of_a_relation() -> None:
    assert seen_relations(objects([(0, True), (1, False), (-3, True)])) == []


def test_one_call_without_one_of_the_two_is_none_against() -> None:
    assert seen_relations([*objects([(1, 4), (2, 5), (3, 6)]), {"a": 1}]) == []


def of_form(seen: list[Json]) -> list[str]:
    schema: JsonObject = object_schema({"x": {"type": "string"}}, closed=True)
    strategy = arguments_strategy(schema, [{"x": value} for value in seen])
    return [str(arguments["x"]) for arguments in draw(strategy, 200, 0)]


@pytest.mark.parametrize(
    ("seen", "pattern"),
    [
        (["AB1234", "CD0007", "EF9000"], "[A-Z]{2}[0-9]{4}"),
        (["2024-05-01", "2023-11-30"], "[0-9]{4}-[01][0-9]-[0-3][0-9]"),
        (["user_anna_1234", "user_bo_99"], "user_[a-z]{2,4}_[0-9]{2,4}"),
        (["a1b2-3c", "0f9e-dd"], "[0-9a-f]{4}-[0-9a-f]{2}"),
    ],
)
def test_strings_have_the_recorded_form_often_and_not_always(
    seen: list[Json], pattern: str
) -> None:
    fitting = [text for text in of_form(seen) if re.fullmatch(pattern, text)]
    assert 30 <= len(set(fitting) - {*map(str, seen)}) < 180
