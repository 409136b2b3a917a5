"""Which tasks are held out of mining, and what their runs decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.mining import (
    MiningSettings,
    RepeatedSequence,
    SequenceMiner,
    growth,
    support_of,
)
from toolguild.synth.mining.call_log import CallLog
from toolguild.synth.mining.flows import flows_of
from toolguild.synth.mining.held_out import Fold, Tally, chance_of_so_few, folds_of, try_out
from toolguild.synth.mining.windows import Window
from toolguild.synth.plans import CallStep, Constant, Parameter
from toolguild.synth.traces import ToolCall, Trace

Writer: TypeAlias = Any
Run: TypeAlias = Callable[[str], Trace]

SETTINGS = MiningSettings()


def windows_of(traces: Iterable[Trace]) -> list[Window]:
    """Return the windows that take in a whole trace, each of which has calls of one kind only."""
    logs = [CallLog(trace, SETTINGS) for trace in traces]
    return [
        window
        for log in logs
        for window in growth.windows_of(log, SETTINGS)
        if sum(len(item.calls) for item in window.items) == len(log.calls)
    ]


def shop(writer: Writer, task: str, *, address: str = "", **more: Any) -> Trace:
    """Return a run that looks a customer up and then their address, or another one."""
    own = f"adr-of-{task}"
    return writer.trace(
        task,
        writer.call("get_customer", {"email": f"{task}@shop.example"}, {"address": own}),
        writer.call("get_address", {"address_id": address or own}, {"city": "Oslo"}),
        **more,
    )


def rated(writer: Writer, task: str, scale: str, *, told: bool = True) -> Trace:
    """Return a run that rates a customer on a scale, which the user asked for or did not."""
    mail = f"{task}@shop.example"
    return writer.trace(
        task,
        writer.call("get_customer", {"email": mail}, {"name": "Kim"}),
        writer.call("get_rating", {"email": mail, "scale": scale}, 5),
        text=f"Rate me in {scale}." if told else "Rate me.",
    )


def tasks_of_first_fold(writer: Writer, count: int) -> tuple[list[str], list[str]]:
    """Return the ids of so many tasks, those seen first and those held out first."""
    windows = windows_of(shop(writer, f"task{number}") for number in range(count))
    fold = next(iter(folds_of(windows, SETTINGS)))
    return tuple(  # type: ignore[return-value]
        [window.log.task_id for window in part] for part in (fold.seen, fold.held_out)
    )


def is_constant(found: RepeatedSequence) -> bool:
    return any(isinstance(origin, Constant) for _, origin in found.plan[1].arguments)


# -- which tasks


@pytest.mark.parametrize(
    ("tasks", "share", "held_out"),
    [
        *((3, 0.25, 0), (4, 0.25, 1), (7, 0.25, 1), (8, 0.25, 2), (40, 0.25, 10)),
        *((4, 0.9, 1), (40, 0.0, 0)),
    ],
)
def test_a_share_is_held_out_and_enough_are_left(
    writer: Writer, tasks: int, share: float, held_out: int
) -> None:
    settings = MiningSettings(held_out_share=share)
    windows = windows_of(shop(writer, f"task{number}") for number in range(tasks))
    for fold in folds_of(windows, settings):
        assert len(fold.held_out) == held_out
        assert len(fold.seen) == tasks - held_out


def test_runs_of_one_task_are_held_out_together(writer: Writer) -> None:
    windows = windows_of(
        shop(writer, f"task{number}", run=run) for number in range(8) for run in "abc"
    )
    fold = next(iter(folds_of(windows, SETTINGS)))
    assert len(fold.held_out) == 2 * 3


def test_no_task_is_spent_on_runs_that_no_plan_may_claim(writer: Writer) -> None:
    def delete(task: str, heard: str) -> Trace:
        first, second = shop(writer, task).steps
        assert isinstance(second, ToolCall)
        return writer.trace(task, first, replace(second, tool="delete_address", heard=heard))

    calm = (delete(f"task{number}", "") for number in range(4))
    windows = windows_of([*calm, *(delete(f"other{number}", "Yes.") for number in range(8))])
    folds = list(folds_of(windows, SETTINGS))
    assert [len(fold.held_out) for fold in folds] == [1] * 4
    assert all(window.log.task_id.startswith("task") for one in folds for window in one.held_out)


@given(
    tasks=st.lists(st.sampled_from([f"t{n}" for n in range(20)]), min_size=3, max_size=40),
    order=st.randoms(),
)
def test_folds_share_no_task_and_do_not_depend_on_the_order(
    writer: Writer, tasks: list[str], order: Any
) -> None:
    runs = [(task, run) for run, task in enumerate(tasks)]
    shuffled = runs[:]
    order.shuffle(shuffled)
    drawn = []
    for listed in (runs, shuffled):
        windows = windows_of(shop(writer, task, run=f"r{run}") for task, run in listed)
        folds = list(folds_of(windows, SETTINGS))
        drawn.append([{window.log.task_id for window in fold.held_out} for fold in folds])
        for fold, held_out in zip(folds, drawn[-1], strict=True):
            assert not held_out & {window.log.task_id for window in fold.seen}
            assert len(fold.seen) + len(fold.held_out) == len(windows)
    assert drawn[0] == drawn[1]
    assert all(not one & other for one, other in combinations(drawn[0], 2))
    assert 1 <= len(drawn[0]) <= 4


# -- what a flow explains

kinds = st.sampled_from(["own", "other", "first", "told"])


def any_run(writer: Writer, task: int, kind: str) -> Trace:
    """Return a run whose second call takes its argument from one of several places."""
    rows: list[Json] = [{"id": f"row-{task}-{number}"} for number in range(2)]
    own = f"own-{task}"
    value = {"own": own, "first": f"row-{task}-0", "told": f"told-{task}", "other": "other-one"}
    return writer.trace(
        f"task{task}",
        writer.call("list_rows", {"table": f"tab-{task}"}, {"own": own, "rows": rows}),
        writer.call("get_row", {"row": value[kind], "table": f"tab-{task}"}, {}),
        text=f"told-{task}",
    )


@given(kinds=st.lists(kinds, min_size=3, max_size=10))
def test_a_flow_explains_of_what_it_was_made_from_just_the_windows_that_it_claims(
    writer: Writer, kinds: list[str]
) -> None:
    windows = windows_of(any_run(writer, task, kind) for task, kind in enumerate(kinds))
    for flow in flows_of(windows, SETTINGS):
        again = try_out(flow, Fold(tuple(windows), tuple(windows)), SETTINGS)
        assert again.explained == flow.windows
        assert again.missed == flow.dropped


def only_flow(writer: Writer, run: Run, tasks: int = 3) -> Callable[[Trace], tuple[int, list[str]]]:
    """Return what tries the flow of runs of a kind on another: places explained, and misses."""
    seen = tuple(windows_of(run(f"task{number}") for number in range(tasks)))
    (flow,) = flows_of(seen, SETTINGS)

    def tried(trace: Trace) -> tuple[int, list[str]]:
        trial = try_out(flow, Fold(seen, tuple(windows_of([trace]))), SETTINGS)
        return len(trial.explained), list(trial.missed)

    return tried


def test_a_derived_argument_has_to_follow_in_an_unseen_run(writer: Writer) -> None:
    tried = only_flow(writer, lambda task: shop(writer, task))
    assert tried(shop(writer, "new")) == (1, [])
    assert tried(shop(writer, "new", address="adr-of-friend")) == (
        0,
        ["argument address_id of call 2 does not follow from address of call 1"],
    )


def test_a_constant_has_to_be_the_same_in_an_unseen_run(writer: Writer) -> None:
    tried = only_flow(writer, lambda task: rated(writer, task, "stars"))
    assert tried(rated(writer, "new", "stars")) == (1, [])
    assert tried(rated(writer, "new", "points")) == (
        0,
        ["argument scale of call 2 is not the same everywhere"],
    )


def test_a_parameter_has_to_be_known_before_an_unseen_run(writer: Writer) -> None:
    def run(task: str, *, told: bool = True) -> Trace:
        return rated(writer, task, f"scale-of-{task}", told=told)

    tried = only_flow(writer, run)
    assert tried(run("new")) == (1, [])
    assert tried(run("new", told=False)) == (
        0,
        ["argument scale of call 2 was not known before the first call"],
    )


def test_arguments_that_share_a_parameter_have_to_be_equal_in_an_unseen_run(
    writer: Writer,
) -> None:
    def run(task: str, second: str = "") -> Trace:
        return writer.trace(
            task,
            writer.call("get_pair", {"left": f"l-{task}", "right": second or f"l-{task}"}, {}),
            writer.call("get_sum", {"left": f"l-{task}"}, 1),
        )

    tried = only_flow(writer, run)
    assert tried(run("new")) == (1, [])
    assert tried(run("new", "another")) == (
        0,
        ["argument right of call 1 is not argument left of call 1"],
    )


def test_a_loop_has_to_go_over_the_same_list_in_an_unseen_run(writer: Writer) -> None:
    def run(task: str, key: str = "open") -> Trace:
        lists: dict[str, Json] = {
            kind: [f"{kind}-{task}-{n}" for n in range(3)] for kind in ("open", "paid")
        }
        orders = [f"{key}-{task}-{n}" for n in range(3)]
        return writer.trace(
            task,
            writer.call("get_customer", {"email": f"{task}@shop.example"}, lists),
            *(writer.call("get_order", {"order_id": order}, {}) for order in orders),
        )

    tried = only_flow(writer, run)
    assert tried(run("new")) == (1, [])
    assert tried(run("new", "paid")) == (0, ["does not go over open of call 1"])


def test_nothing_is_explained_that_writes_after_the_user_spoke(writer: Writer) -> None:
    def run(task: str, heard: str = "") -> Trace:
        customer, address = shop(writer, task).steps
        assert isinstance(address, ToolCall)
        delete = replace(address, tool="delete_address", heard=heard)
        return writer.trace(task, customer, delete)

    tried = only_flow(writer, run)
    assert tried(run("new")) == (1, [])
    assert tried(run("new", "Yes, do it.")) == (0, ["writes after the user spoke"])


# -- the rule


@pytest.mark.parametrize(
    ("seen", "held_out", "chance"),
    [
        ((6, 6), (0, 2), 1 / 28),
        ((6, 6), (2, 2), 1.0),
        ((3, 3), (0, 1), 1 / 4),
        ((9, 12), (3, 4), 1 - 495 / 1820),
        ((0, 3), (0, 1), 1.0),
        ((5, 5), (0, 0), 1.0),
    ],
)
def test_the_chance_is_counted_out(
    seen: tuple[int, int], held_out: tuple[int, int], chance: float
) -> None:
    assert chance_of_so_few(Tally(*seen), Tally(*held_out)) == pytest.approx(chance)


@given(seen=st.integers(0, 9), missed=st.integers(0, 9), drawn=st.integers(0, 6), data=st.data())
def test_explaining_more_of_the_unseen_is_never_less_likely_by_chance(
    seen: int, missed: int, drawn: int, data: st.DataObject
) -> None:
    few = data.draw(st.integers(0, drawn))
    chances = [
        chance_of_so_few(Tally(seen + few - more, seen + missed), Tally(more, drawn))
        for more in range(min(few, drawn) + 1)
    ]
    assert all(0 <= chance <= 1 + 1e-9 for chance in chances)
    assert chances == sorted(chances)


def test_an_accident_of_the_seen_tasks_is_refused_as_overfitted(writer: Writer) -> None:
    seen, held_out = tasks_of_first_fold(writer, 12)
    traces = [shop(writer, task) for task in seen]
    traces += [shop(writer, task, address=f"adr-else-{task}") for task in held_out]
    (found,) = writer.sequences(traces)
    assert found.is_overfitted
    assert found.overfitted_why == (
        "it explains 0 of 3 tasks that were held out, and 9 of 9 of those that it was made "
        "from; chance alone does that in 0.5% of cases"
    )
    assert {one.task_id for one in found.occurrences} == set(seen)
    assert found.held_out == ()
    assert list(found.held_out_missed.values()) == [3]


def test_a_pattern_of_which_the_held_out_tasks_hold_their_part_is_not_overfitted(
    writer: Writer,
) -> None:
    seen, held_out = tasks_of_first_fold(writer, 12)
    others = [*seen[:2], held_out[0]]
    traces = [shop(writer, task) for task in [*seen, *held_out] if task not in others]
    traces += [shop(writer, task, address=f"adr-else-{task}") for task in others]
    (found,) = writer.sequences(traces)
    assert not found.is_overfitted
    assert (support_of(found.occurrences), support_of(found.held_out)) == (7, 2)


def test_a_constant_of_the_seen_tasks_only_is_learnt_as_a_parameter(writer: Writer) -> None:
    seen, held_out = tasks_of_first_fold(writer, 8)
    traces = [rated(writer, task, "stars") for task in seen]
    traces += [rated(writer, task, "points") for task in held_out]
    (found,) = writer.sequences(traces)
    assert not found.is_overfitted
    assert found.plan[1] == CallStep(
        "get_rating", (("email", Parameter("email")), ("scale", Parameter("scale")))
    )
    assert support_of(found.everywhere) == 8


def test_a_constant_that_one_unseen_run_contradicts_is_none(writer: Writer) -> None:
    seen, held_out = tasks_of_first_fold(writer, 4)
    traces = [rated(writer, task, "stars", told=False) for task in seen]
    assert all(map(is_constant, writer.sequences(traces)))
    traces += [rated(writer, task, "points", told=False) for task in held_out]
    assert writer.sequences(traces) == []


def test_what_is_overfitted_takes_no_place_from_what_is_not(writer: Writer) -> None:
    seen, held_out = tasks_of_first_fold(writer, 12)

    def run(task: str, room: str) -> Trace:
        own = shop(writer, task)
        room_call = writer.call("get_room", {"room": room}, {})
        more = writer.call("get_address", {"address_id": f"adr-of-{task}"}, {"room": room})
        return writer.trace(task, own.steps[0], more, room_call)

    def other(task: str) -> Trace:
        own = shop(writer, task)
        elsewhere = writer.call("get_room", {"room": f"else-{task}"}, {})
        return writer.trace(task, *own.steps, elsewhere)

    traces = [run(task, f"room-{task}") for task in seen] + [other(task) for task in held_out]
    found = writer.sequences(traces)
    assert [(len(one.plan), one.is_overfitted) for one in found] == [(2, False)]
    assert support_of(found[0].everywhere) == 12


# -- what comes of it


@given(order=st.permutations(range(16)), share=st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_seen_and_held_out_tasks_are_apart_in_any_order_of_traces(
    writer: Writer, order: list[int], share: float
) -> None:
    settings = MiningSettings(held_out_share=share)
    traces = [shop(writer, f"task{n % 8}", run=f"r{n}") for n in range(16)]
    (found,) = writer.sequences(traces, settings)
    assert writer.sequences((traces[n] for n in order), settings) == [found]
    seen, held_out = ({one.task_id for one in part} for part in (found.occurrences, found.held_out))
    assert not seen & held_out
    assert len(held_out) == int(8 * share)
    assert len(found.everywhere) == 16


@pytest.mark.parametrize("holding", [3, 4, 5])
def test_holding_out_loses_no_pattern_of_few_among_many_tasks(writer: Writer, holding: int) -> None:
    def run(number: int) -> Trace:
        # The scale is known beforehand in a few tasks only: there it makes a tool.
        return rated(writer, f"task{number}", f"scale{number}", told=number < holding)

    (found,) = writer.sequences(run(number) for number in range(12))
    assert not found.is_overfitted
    assert support_of(found.everywhere) == holding


def test_a_draft_is_made_of_what_was_seen_and_keeps_the_rest_for_its_validation(
    writer: Writer,
) -> None:
    (found,) = writer.sequences(shop(writer, f"task{number}") for number in range(8))
    draft = draft_composite(found)
    unseen = draft_composite(replace(found, held_out=()))
    assert replace(draft, opportunity=None, held_out=()) == replace(unseen, opportunity=None)
    assert [case.task_id for case in draft.cases] == [one.task_id for one in found.occurrences]
    assert [case.task_id for case in draft.held_out] == [one.task_id for one in found.held_out]
    assert all(
        case.value == {"customer": case.calls[0].result, "address": case.calls[1].result}
        for case in draft.held_out
    )


def test_a_miner_that_holds_nothing_out_sees_all(writer: Writer) -> None:
    miner = SequenceMiner(MiningSettings(held_out_share=0.0))
    for number in range(8):
        miner.add(shop(writer, f"task{number}"))
    (found,) = miner.mine()
    assert support_of(found.occurrences) == 8
    assert found.held_out == ()
