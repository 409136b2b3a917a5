"""Today's answers beside recorded ones: which field is different, how, and in how many calls."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies.drift import Change, FieldChange
from toolguild.sandbox import Json, JsonObject, ToolCallError
from toolguild.synth.drift.answers import Answer, RecordedAnswers, answers_of
from toolguild.synth.drift.applying import as_of_today
from toolguild.synth.drift.comparing import changes_of, counted
from toolguild.synth.mining import canonical
from toolguild.synth.traces import Place, ToolCall

NOWHERE = Place("written.jsonl", 1)


def answers(*results: tuple[str, object], tool: str = "get_user", run: str = "") -> RecordedAnswers:
    """Return the answers to calls of a tool, by their argument; an exception is a failure.

    Each is made in a run of its own unless the run is named.
    """
    return answers_of(
        (run or f"run {number}", made(tool, name, result))
        for number, (name, result) in enumerate(results)
    )


def made(tool: str, name: str, result: object) -> ToolCall:
    failed = isinstance(result, Exception)
    value: Json = None if failed else result  # type: ignore[assignment]
    return ToolCall(tool, {"name": name}, value, str(result) if failed else None, NOWHERE)


def told(recorded: RecordedAnswers, today: RecordedAnswers) -> list[FieldChange]:
    return [counted([change]) for change in changes_of(recorded, today)]


def user(name: str, **more: Json) -> JsonObject:
    return {"name": name, "address": {"city": "Austin", "province": "TX"}, **more}


USERS = answers(("ann", user("Ann")), ("bob", user("Bob")), ("cy", user("Cy")))


def test_a_field_under_a_new_name_is_one_change() -> None:
    moved: JsonObject = {"city": "Austin", "state": "TX"}
    today = answers(("ann", user("Ann", address=moved)), ("bob", user("Bob", address=moved)))
    assert told(USERS, today) == [
        FieldChange("get_user", "address.province", Change.RENAMED, "address.state", 2, 2)
    ]


def test_two_fields_under_new_names_are_told_apart_by_their_values() -> None:
    moved: JsonObject = {"town": "Austin", "state": "TX"}
    today = answers(("ann", user("Ann", address=moved)))
    assert {(one.field, one.to) for one in told(USERS, today)} == {
        ("address.city", "address.town"),
        ("address.province", "address.state"),
    }


def test_a_field_of_another_kind_is_no_other_name() -> None:
    today = answers(("ann", user("Ann", address={"city": "Austin", "state": 7})))
    assert {(one.field, one.change) for one in told(USERS, today)} == {
        ("address.province", Change.MISSING),
        ("address.state", Change.NEW),
    }


def test_one_of_two_new_fields_is_no_other_name() -> None:
    today = answers(("ann", user("Ann", address={"city": "Austin", "state": "NY", "zip": "1"})))
    assert {(one.field, one.change) for one in told(USERS, today)} == {
        ("address.province", Change.MISSING),
        ("address.state", Change.NEW),
        ("address.zip", Change.NEW),
    }


def test_a_field_that_some_items_still_have_has_no_other_name() -> None:
    recorded = answers(("ann", [{"price": 1}, {"price": 2}]))
    today = answers(("ann", [{"price": 1}, {"cost": 9}]))
    changes = {one.change for one in told(recorded, today)}
    assert changes == {Change.MISSING, Change.NEW, Change.VALUE}


@pytest.mark.parametrize(
    ("address", "field", "change", "to"),
    [
        ({"city": "Austin"}, "address.province", Change.MISSING, ""),
        ({"city": "Austin", "province": "TX", "zip": "1"}, "address.zip", Change.NEW, ""),
        ({"city": "Austin", "province": 7}, "address.province", Change.KIND, "number"),
        ({"city": "Austin", "province": None}, "address.province", Change.KIND, "null"),
        ({"city": "Austin", "province": "CA"}, "address.province", Change.VALUE, ""),
        ("Austin, TX", "address", Change.KIND, "text"),
    ],
)
def test_each_way_of_being_different_is_named(
    address: Json, field: str, change: Change, to: str
) -> None:
    today = answers(("ann", user("Ann", address=address)), ("bob", user("Bob")))
    assert told(USERS, today) == [FieldChange("get_user", field, change, to, 1, 2)]


@pytest.mark.parametrize("result", [ToolCallError("no such user"), "no such user", []])
def test_a_result_that_is_none_any_more_is_told_as_a_whole(result: object) -> None:
    [change] = told(USERS, answers(("ann", result), ("bob", user("Bob"))))
    assert (change.field, change.change, change.changed, change.comparable) == ("", "kind", 1, 2)


def test_what_a_failure_says_is_no_difference() -> None:
    recorded = answers(("ann", ToolCallError("no user ann (request 1)")))
    assert told(recorded, answers(("ann", ToolCallError("no user ann (request 2)")))) == []


def test_a_field_that_some_results_have_may_come_and_go() -> None:
    recorded = answers(("ann", user("Ann", status="away")), ("bob", user("Bob")))
    assert told(recorded, answers(("ann", user("Ann")), ("bob", user("Bob", status="in")))) == []


def test_such_a_field_is_told_under_a_new_name_by_its_values() -> None:
    recorded = answers(("ann", user("Ann", status="away")), ("bob", user("Bob")))
    today = answers(("ann", user("Ann", mood="away")), ("bob", user("Bob")))
    assert told(recorded, today) == [
        FieldChange("get_user", "status", Change.RENAMED, "mood", 1, 1)
    ]
    other = answers(("ann", user("Ann", mood="glad")), ("bob", user("Bob")))
    assert told(recorded, other) == [FieldChange("get_user", "mood", Change.NEW, "", 1, 2)]


def test_items_of_lists_are_one_field_each() -> None:
    def order(**item: Json) -> JsonObject:
        return {"items": [{"name": "pen", **item}, {"name": "ink", **item}]}

    recorded = answers(("ann", order(price=3)), ("bob", order(price=4)))
    today = answers(("ann", order(cost=3)), ("bob", order(cost=4)))
    assert told(recorded, today) == [
        FieldChange("get_user", "items[].price", Change.RENAMED, "items[].cost", 2, 2)
    ]


def test_keys_that_are_data_are_no_fields() -> None:
    def paid(*cards: str, key: str = "last") -> JsonObject:
        return {"cards": {card: {key: f"of {card}"} for card in cards}}

    recorded = answers(("ann", paid("a1", "a2")), ("bob", paid("b1")), ("cy", paid("c1")))
    assert told(recorded, answers(("ann", paid("a2", "a1")))) == []
    other_cards = answers(("ann", paid("a3")), ("bob", paid("b1", "b2")))
    assert {change.change for change in told(recorded, other_cards)} == {Change.VALUE}
    renamed = answers(("ann", paid("a1", "a2", key="digits")), ("bob", paid("b1", key="digits")))
    assert told(recorded, renamed) == [
        FieldChange("get_user", "cards[].last", Change.RENAMED, "cards[].digits", 2, 2)
    ]


def test_what_a_run_changed_itself_is_no_change() -> None:
    before, after = user("Ann"), user("Ann", cancelled=True)
    assert told(USERS, answers(("ann", before), ("ann", after), run="today")) == []
    assert told(USERS, answers(("ann", after), run="today")) != []


def test_values_are_steady_where_several_runs_recorded_the_same() -> None:
    recorded = answers(("ann", user("Ann")), ("ann", user("Ann")), ("bob", user("Bob")))
    today = answers(("ann", user("Anna")), ("bob", user("Bobby")))
    assert told(recorded, today) == [
        FieldChange("get_user", "name", Change.STEADY_VALUE, "", 1, 1),
        FieldChange("get_user", "name", Change.VALUE, "", 1, 1),
    ]


@pytest.mark.parametrize(
    "recorded",
    [
        answers(("ann", {"sum": 1}), ("ann", {"sum": 1}), run="one run"),
        answers(("ann", {"sum": 1}), ("ann", {"sum": 2})),
        answers(("ann", {"sum": 1}), ("ann", {"sum": 1}), tool="update_user"),
    ],
)
def test_values_are_not_steady_in_one_run_nor_if_they_changed_nor_of_what_writes(
    recorded: RecordedAnswers,
) -> None:
    tool = next(iter(recorded))[0]
    [change] = told(recorded, answers(("ann", {"sum": 3}), tool=tool))
    assert change.change is Change.VALUE


def test_a_call_without_any_result_says_nothing() -> None:
    assert told(USERS, answers(("ann", None))) == []


def test_secrets_are_not_compared() -> None:
    recorded = answers(("ann", {"key": "[redacted:token#1]"}))
    assert told(recorded, answers(("ann", {"key": "[redacted:token#2]"}))) == []
    # Two secrets may stand under one placeholder.
    assert answers(("[redacted:token#1]", user("Ann"))) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=8,
)
LEAVES = st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a"])
RESULTS = st.lists(JSON, min_size=1, max_size=5)


def of_calls(results: Iterable[Json]) -> RecordedAnswers:
    return answers(*((str(number), [result]) for number, result in enumerate(results)))


@given(RESULTS)
def test_the_same_answers_are_no_change(results: list[Json]) -> None:
    assert told(of_calls(results), of_calls(results)) == []


@given(LEAVES, LEAVES)
def test_every_other_value_is_told(recorded: Json, today: Json) -> None:
    changes = told(answers(("ann", {"x": recorded})), answers(("ann", {"x": today})))
    assert bool(changes) == (canonical(recorded) != canonical(today))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), JSON, min_size=1), min_size=1, max_size=4))
def test_recordings_with_a_field_renamed_are_those_of_today(inner: list[JsonObject]) -> None:
    results = [{"old": one, "same": 1} for one in inner]
    renamed = [{"new": one, "same": 1} for one in inner]
    [change] = changes_of(of_calls(results), of_calls(renamed))
    assert counted([change]).to == "[].new"
    for before, after in zip(results, renamed, strict=True):
        assert as_of_today(Answer([before]), change) == Answer([after])


@given(st.lists(JSON, min_size=1, max_size=4))
def test_recordings_with_a_field_gone_are_those_of_today(inner: list[Json]) -> None:
    results: list[Json] = [{"old": one, "same": 1} for one in inner]
    [change] = changes_of(of_calls(results), of_calls([{"same": 1}] * len(inner)))
    assert change.difference.change is Change.MISSING
    assert as_of_today(Answer([results[0]]), change) == Answer([{"same": 1}])


def test_a_recorded_failure_stays_one() -> None:
    [renamed] = changes_of(USERS, answers(("ann", {**user("Ann"), "address": {"city": "Austin"}})))
    [text] = changes_of(USERS, answers(("ann", "no such user")))
    failed = Answer(error="no such user")
    assert as_of_today(failed, renamed) == failed
    assert as_of_today(failed, text) == failed
    assert as_of_today(Answer(user("Zoe")), text) == Answer("no such user")


@given(JSON, JSON)
def test_what_is_recorded_is_left_as_it_was(one: Json, other: Json) -> None:
    recorded, today = of_calls([one]), of_calls([other])
    kept = repr(recorded)
    for change in changes_of(recorded, today):
        as_of_today(Answer([one]), change)
    assert repr(recorded) == kept
