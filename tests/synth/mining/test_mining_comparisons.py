"""Loops over rows chosen by comparison: found in traces, written into tools, and proven there."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.sandbox import Json, Limits, Program, Sandbox
from toolguild.synth.drafting import Draft, draft_tool
from toolguild.synth.measuring import PlannedTool, measure
from toolguild.synth.mining import MiningSettings, RepeatedSequence
from toolguild.synth.plans import Computed, LoopStep, Scope, evaluate
from toolguild.synth.proving import prove
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any
Row: TypeAlias = dict[str, Any]

PROOF = ValidationSettings(inputs=20, repeats=2, mutants=0, limits=Limits(wall_s=1.0))
TASKS = 12
STATES = ("open", "sent", "held", "cancelled")


def offers(task: int) -> list[Row]:
    """Return the rows of one task; the keys have nothing to do with each other."""
    chance = random.Random(task)  # noqa: S311 - rows and no secrets
    return [
        {
            "id": f"off-{task}-{number}",
            "price": chance.choice(range(40, 600, 5)),
            "seats": chance.choice((-2, -1, 0, 1, 2, 5)),
            "day": f"2031-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "state": chance.choice(STATES),
        }
        for number in range(6)
    ]


def search(task: int) -> dict[str, Json]:
    chance = random.Random(f"search {task}")  # noqa: S311 - rows and no secrets
    return {
        "city": f"city-{task}",
        "limit": chance.choice(range(150, 450, 7)),
        "until": f"2031-{chance.randint(4, 9):02}-15",
        "unwanted": STATES[task % 4],
    }


Choice: TypeAlias = Callable[[Row, Any], bool]


def run(writer: Writer, task: int, choice: Choice, rows: list[Row] | None = None) -> Trace:
    asked, listed = search(task), offers(task) if rows is None else rows
    return writer.trace(  # type: ignore[no-any-return]
        f"task{task}",
        writer.call("search_offers", asked, {"offers": [*listed]}),
        *(
            writer.call("get_offer", {"id": row["id"]}, {"terms": f"terms of {row['id']}"})
            for row in listed
            if choice(row, asked)
        ),
        text=" ".join(map(str, asked.values())),
    )


def runs(writer: Writer, choice: Choice, tasks: int = TASKS) -> list[Trace]:
    return [run(writer, task, choice) for task in range(tasks)]


CHOICES: dict[str, tuple[Choice, str]] = {
    "at most a constant": (
        lambda row, _: row["price"] <= 300,
        '_comparable(row["price"], 300) <= 300',
    ),
    "above zero": (lambda row, _: row["seats"] > 0, '_comparable(row["seats"], 0) > 0'),
    "at least a date": (
        lambda row, _: row["day"] >= "2031-07-01",
        '_comparable(row["day"], "2031-07-01") >= "2031-07-01"',
    ),
    "at most what was given": (
        lambda row, asked: row["price"] <= asked["limit"],
        '_comparable(row["price"], limit) <= limit',
    ),
    "at least what was given": (
        lambda row, asked: row["price"] >= asked["limit"],
        '_comparable(row["price"], limit) >= limit',
    ),
    "until the day that was given": (
        lambda row, asked: row["day"] <= asked["until"],
        '_comparable(row["day"], until) <= until',
    ),
    "not a word": (lambda row, _: row["state"] != "cancelled", 'row["state"] != "cancelled"'),
    "not the word that was given": (
        lambda row, asked: row["state"] != asked["unwanted"],
        'row["state"] != unwanted',
    ),
}


@pytest.mark.parametrize("how", CHOICES)
def test_a_loop_goes_over_the_rows_that_a_comparison_tells(
    how: str, writer: Writer, local: Sandbox
) -> None:
    choice, condition = CHOICES[how]
    found = writer.sequences(runs(writer, choice))[0]
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert f'[row for row in offers["offers"] if {condition}]' in " ".join(
        proof.draft.source.split()
    )
    assert found.held_out
    assert proof.passed, proof.report and proof.report.reasons


def compared(found: list[RepeatedSequence]) -> Iterator[tuple[RepeatedSequence, Computed]]:
    """Yield what was found with a comparison, and the rows that it says."""
    for one in found:
        for step in one.plan:
            if isinstance(step, LoopStep) and isinstance(step.over, Computed):
                key = step.over.function
                if key == "rows_where_not" or not key.startswith(("rows_w", "flat")):
                    yield one, step.over


def functions(found: list[RepeatedSequence]) -> list[str]:
    return [over.function for _, over in compared(found)]


ORDERS: dict[str, Callable[[float, float], bool]] = {
    "at most": lambda one, other: one <= other,
    "below": lambda one, other: one < other,
    "at least": lambda one, other: one >= other,
    "above": lambda one, other: one > other,
}


@given(
    order=st.sampled_from([*ORDERS]),
    bound=st.integers(150, 450),
    first=st.integers(0, 10_000),
    astray=st.sets(st.integers(0, TASKS - 1), max_size=2),
    shuffled=st.permutations(range(TASKS)),
)
@settings(max_examples=30)
def test_what_is_found_tells_exactly_the_rows_of_each_place_that_it_claims(
    writer: Writer, order: str, bound: int, first: int, astray: set[int], shuffled: list[int]
) -> None:
    def choice(row: Row, asked: Any) -> bool:
        _, task, number = row["id"].split("-")
        if int(task) - first in astray:
            return bool((int(task) + int(number)) % 2)
        return ORDERS[order](row["price"], bound)

    traces = [run(writer, first + number, choice) for number in range(TASKS)]
    found = writer.sequences(traces)
    assert astray or functions(found)
    by_id = {trace.id: trace for trace in traces}
    for one, over in compared(found):
        for place in one.places:
            steps = by_id[place.trace_id].steps
            scope = Scope(place.bindings, [steps[0].result])
            rows = cast("list[Row]", evaluate(over, scope))
            assert [row["id"] for row in rows] == [
                call.arguments["id"]
                for call in steps[1:]  # type: ignore[union-attr]
            ]
    assert writer.sequences(traces[number] for number in shuffled) == found


@pytest.mark.parametrize("rows", [(2, 3), (2, 8)])
@pytest.mark.parametrize("tasks", [8, 30])
@pytest.mark.parametrize("pick", ["some", "one", "all but one", "some or all"])
def test_rows_picked_at_random_are_explained_by_no_comparison(
    pick: str, tasks: int, rows: tuple[int, int], writer: Writer
) -> None:
    for seed in range(12):
        chance = random.Random(f"{pick} {tasks} {rows} {seed}")  # noqa: S311 - rows and no secrets
        traces = []
        for task in range(tasks):
            listed = offers(1000 * seed + task)[: chance.randint(*rows)]
            size = len(listed)
            count = {
                "some": chance.randint(1, size - 1 if size > 1 else 1),
                "one": 1,
                "all but one": max(1, size - 1),
                "some or all": chance.choice((size, chance.randint(1, size))),
            }[pick]
            picked = [row["id"] for row in chance.sample(listed, count)]
            traces.append(
                run(writer, task, lambda row, _, ids=tuple(picked): row["id"] in ids, listed)
            )
        assert functions(writer.sequences(traces)) == []


def test_what_equalities_explain_by_accident_is_no_evidence_for_a_comparison(
    writer: Writer,
) -> None:
    for seed in range(40):
        chance = random.Random(f"least two {seed}")  # noqa: S311 - rows and no secrets
        traces = []
        for task in range(20):
            listed = offers(1000 * seed + task)[: chance.randint(2, 6)]
            ids = [row["id"] for row in sorted(listed, key=lambda row: row["price"])[:2]]
            ids = ids[: len(listed) - 1]
            traces.append(
                run(writer, task, lambda row, _, ids=tuple(ids): row["id"] in ids, listed)
            )
        for one, _ in compared(writer.sequences(traces)):
            assert len(one.places) >= 0.75 * len(traces)


def test_few_tasks_bear_no_comparison_out(writer: Writer) -> None:
    choice, _ = CHOICES["at most a constant"]
    settings = MiningSettings(held_out_share=0.0)
    assert functions(writer.sequences(runs(writer, choice, 4), settings)) == []
    assert functions(writer.sequences(runs(writer, choice, 8), settings)) == ["rows_at_most"]


def test_many_runs_of_one_task_are_no_more_evidence_than_one(writer: Writer) -> None:
    choice, _ = CHOICES["at most a constant"]
    traces = [
        replace(trace, id=f"{trace.id}/{number}")
        for trace in runs(writer, choice, 4)
        for number in range(5)
    ]
    assert functions(writer.sequences(traces)) == []


def test_always_the_cheapest_two_are_chosen_by_no_bound(writer: Writer) -> None:
    traces = []
    for task in range(TASKS):
        cheapest = sorted(offers(task), key=lambda row: row["price"])[:2]
        ids = [row["id"] for row in cheapest]
        traces.append(run(writer, task, lambda row, _, ids=tuple(ids): row["id"] in ids))
    assert functions(writer.sequences(traces)) == []


def test_an_equality_is_preferred_where_it_explains_the_same(writer: Writer) -> None:
    def with_level(task: int) -> list[Row]:
        return [{**row, "level": 2 + (row["state"] == "open")} for row in offers(task)]

    traces = [
        run(writer, task, lambda row, _: row["level"] >= 3, with_level(task))
        for task in range(TASKS)
    ]
    found = writer.sequences(traces)
    assert functions(found) == []
    assert "rows_where" in str(found[0].plan)


def test_places_that_nothing_explains_speak_against_a_comparison(writer: Writer) -> None:
    def choice(share: int) -> Choice:
        def chosen(row: Row, asked: Any) -> bool:
            _, task, number = row["id"].split("-")
            if int(task) % 4 < share:
                return bool(row["price"] <= 300)
            return number in "135"

        return chosen

    assert functions(writer.sequences(runs(writer, choice(4), 24))) == ["rows_at_most"]
    assert functions(writer.sequences(runs(writer, choice(2), 24))) == []
    [one] = [one for one, _ in compared(writer.sequences(runs(writer, choice(4), 24)))]
    assert not one.near_misses


def test_what_a_comparison_saves_is_measured_on_unseen_runs(writer: Writer, local: Sandbox) -> None:
    choice, _ = CHOICES["at most what was given"]
    found = writer.sequences(runs(writer, choice))[0]
    draft = draft_tool(found, local)
    assert isinstance(draft, Draft)
    tool = PlannedTool(f"{draft.name}@1", draft.name, draft.source, found.plan)
    unseen = [run(writer, task, choice) for task in range(50, 60)]
    calls = sum(len(trace.steps) for trace in unseen)
    result = measure([tool], unseen, local)
    # Where no offer was cheap enough, the tool takes the place of one call and saves none.
    assert (result.calls, result.saved, result.total.extra) == (calls, calls - 10, 0)
    astray = run(writer, 60, lambda row, asked: not choice(row, asked))
    assert measure([tool], [astray], local).saved == 0


@pytest.mark.parametrize("price", [None, "300", True, [300]])
def test_a_row_that_cannot_be_compared_stops_the_tool(
    price: Json, writer: Writer, local: Sandbox
) -> None:
    choice, _ = CHOICES["at most a constant"]
    found = writer.sequences(runs(writer, choice))[0]
    draft = draft_tool(found, local)
    assert isinstance(draft, Draft)
    outcome = local.run(
        Program(draft.source, draft.name),
        search(1),
        tier=Tier.SANDBOX,
        tools=lambda tool, arguments: {"offers": [{"id": "off-1-1", "price": price}]},
    )
    assert outcome.error == f"TypeError: {price!r} cannot be compared with 300"


@given(
    prices=st.lists(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.just(10**400),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(max_size=12),
            st.lists(st.integers(), max_size=2),
        ),
        max_size=4,
    )
)
@settings(max_examples=25)
def test_rows_of_any_shape_end_no_mining(writer: Writer, prices: list[Json]) -> None:
    def strange(task: int) -> list[Row]:
        rows = offers(task)
        for row, price in zip(rows, prices, strict=False):
            row["price"] = price
        if len(prices) > 2:
            del rows[0]["price"]
        return rows

    traces = [
        run(writer, task, lambda row, _: row["seats"] > 0, strange(task)) for task in range(TASKS)
    ]
    assert functions(writer.sequences(traces)) == ["rows_above"]
