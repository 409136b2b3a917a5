"""Paths into results, and what was known at some moment of a run."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.mining import believed_read_only, canonical
from toolguild.synth.mining.dataflow import KnownText, ResultIndex
from toolguild.synth.plans import JsonPath, render_path, value_at

json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def parts(value: Json) -> list[Json]:
    inner = (
        list(value.values())
        if isinstance(value, dict)
        else value
        if isinstance(value, list)
        else []
    )
    return [value, *(part for child in inner for part in parts(child))]


@given(result=json_values)
def test_every_path_of_an_index_leads_to_the_value_that_was_asked_for(result: Json) -> None:
    index = ResultIndex(result)
    for value in parts(result):
        paths = index.paths_to(value)
        assert [len(path) for path in paths] == sorted(len(path) for path in paths)
        for path in paths:
            assert canonical(value_at(result, path)) == canonical(value)


@given(result=json_values)
def test_every_column_holds_the_cells_of_its_list(result: Json) -> None:
    index = ResultIndex(result)
    for _, listed in lists(result):
        wanted = {*map(canonical, listed)}
        for over, cell, values in (*index.columns_with(wanted), *index.columns_of(wanted)):
            items = value_at(result, over)
            assert isinstance(items, list)
            assert values == {canonical(value_at(item, cell)) for item in items}
            assert values >= wanted or values <= wanted


def test_a_list_of_telling_values_is_a_column() -> None:
    index = ResultIndex({"ids": ["id-1", "id-2"], "rows": [["a", "b"], ["c"]]})
    ids = (("ids",), (), frozenset({'"id-1"', '"id-2"'}))
    assert index.columns_with({'"id-2"'}) == index.columns_of({'"id-1"', '"id-2"', '"x"'}) == [ids]
    assert [path for path, _, _ in index.columns_with({'["c"]'})] == [("rows",)]


def lists(value: Json, path: JsonPath = ()) -> Iterator[tuple[JsonPath, list[Json]]]:
    """Yield the lists in a value that stand under keys, with their paths."""
    if isinstance(value, list):
        yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from lists(child, (*path, key))


def test_a_column_needs_its_key_in_every_row() -> None:
    table: list[Json] = [{"id": "row-1", "note": "first"}, {"id": "row-2"}]
    index = ResultIndex(table)
    assert [cell for _, cell, _ in index.columns_with({'"row-1"', '"row-2"'})] == [("id",)]
    assert index.columns_with({'"first"'}) == []
    assert [cell for _, cell, _ in index.columns_with({*map(canonical, table)})] == [()]


@pytest.mark.parametrize("common", [True, None, 3, 99, -4, "", "ab", 2.0, [], {}])
def test_values_that_stand_everywhere_are_not_traced(common: Json) -> None:
    assert ResultIndex({"here": common}).paths_to(common) == []


@pytest.mark.parametrize("telling", [100, -250, 2.5, "abc", ["a"], {"a": 1}])
def test_values_that_tell_something_are_traced(telling: Json) -> None:
    assert ResultIndex({"here": telling}).paths_to(telling) == [("here",)]


def test_a_huge_result_is_indexed_up_to_a_limit() -> None:
    huge: Json = {f"key{number}": f"value{number}" for number in range(50_000)}
    index = ResultIndex(huge)
    assert index.paths_to("value5") == [("key5",)]
    assert index.paths_to("value49999") == []


def test_a_deep_result_is_indexed_up_to_a_limit() -> None:
    deep: Json = "bottom"
    for _ in range(500):
        deep = [deep]
    assert ResultIndex(deep).paths_to("bottom") == []


@pytest.mark.parametrize("path", [("absent",), (0,), ("list", 9), ("list", "key"), ("text", 0)])
def test_a_path_that_leads_nowhere_is_a_lookup_error(path: tuple[str | int, ...]) -> None:
    with pytest.raises(LookupError):
        value_at({"list": [1], "text": "abc"}, path)


def test_paths_are_written_as_people_do() -> None:
    assert render_path(("flights", 0, "legs", -1, "to")) == "flights[0].legs[-1].to"
    assert render_path(()) == ""


@given(value=json_values)
def test_the_order_of_keys_does_not_change_the_canonical_text(value: Json) -> None:
    def flipped(part: Json) -> Json:
        if isinstance(part, dict):
            return {key: flipped(part[key]) for key in reversed(part)}
        return [flipped(item) for item in part] if isinstance(part, list) else part

    assert canonical(flipped(value)) == canonical(value)


def test_a_value_is_known_from_the_moment_it_was_said() -> None:
    known = KnownText()
    before = known.moment()
    known.add("My order is ord-17, from Oslo.")
    assert not known.knew("ord-17", before)
    assert known.knew("ord-17", known.moment())
    assert known.knew({"city": "oslo", "orders": ["ORD-17"]}, known.moment())


@pytest.mark.parametrize("value", ["ord-1", "rd-17", 17, "17", "Bergen"])
def test_a_part_of_a_word_is_not_known(value: Json) -> None:
    known = KnownText()
    known.add("My order is ord-17, from Oslo.")
    assert not known.knew(value, known.moment())


said = st.text(alphabet="aAbB1-_.#@ \xe9\xdf\u0130\u212a", max_size=12)


@given(texts=st.lists(said, max_size=4), words=st.lists(said, max_size=6))
def test_a_word_is_known_where_it_stands_by_itself(texts: list[str], words: list[str]) -> None:
    known = KnownText()
    for text in texts:
        known.add(text)
    for word in words:
        for moment in (len(texts), 0, *range(len(texts))):
            assert known.knew(word, moment) == any(
                _stands_in(text, word) for text in texts[:moment]
            )


def _stands_in(text: str, word: str) -> bool:
    if not re.fullmatch(r"[\w.\-#@]+", word):
        return word.casefold() in text.casefold()
    return bool(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE))


def test_a_phrase_is_known_where_it_was_said_and_numbers_inside_results() -> None:
    known = KnownText()
    known.add({"total": 250.5, "name": "Ada Lovelace"})
    assert known.knew(["ada lovelace", 250.5], known.moment())
    assert not known.knew("Ada L. Lovelace", known.moment())


@pytest.mark.parametrize(
    "tool", ["get_user", "list_orders", "user-search", "Find.flights", "ls", "getUser"]
)
def test_a_reading_verb_among_the_first_two_words_is_believed(tool: str) -> None:
    assert believed_read_only(tool)


@pytest.mark.parametrize(
    "tool", ["cancel_order", "bookFlight", "update_list", "delete-query", "getaway", "", "_"]
)
def test_anything_else_is_believed_to_write(tool: str) -> None:
    assert not believed_read_only(tool)


@pytest.mark.parametrize("big", [["x" * 3000], {"x" * 3000: 1}, [[0] * 99] * 99])
def test_a_big_list_or_object_is_taken_for_an_argument_only_where_it_is_most_of_a_result(
    big: Json,
) -> None:
    assert ResultIndex({"in": {"here": big}}).paths_to(big) == []
    assert ResultIndex({"here": big}).paths_to(big) == [("here",)]
    assert ResultIndex(big).paths_to(big) == [()]


def test_a_result_made_to_be_slow_is_indexed_in_moments() -> None:
    # Lists of one item have their only item at both ends: 4096 paths lead to the bottom.
    trap: Json = ["x" * 1_000_000]
    for _ in range(12):
        trap = [trap]
    started = time.monotonic()
    ResultIndex(trap)
    assert time.monotonic() - started < 5
