"""What agents do again and again, or come to do after a failure, that no plan explains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining import EpisodeKind, EpisodeMiner, MiningSettings, RepeatedEpisode
from toolguild.synth.traces import Step, ToolDefinition, Trace

Writer: TypeAlias = Any
Steps: TypeAlias = Callable[[int], list[Step]]


def mined(traces: list[Trace]) -> list[RepeatedEpisode]:
    miner = EpisodeMiner(MiningSettings())
    for trace in traces:
        miner.add(trace)
    return miner.mine([])


def runs(writer: Writer, steps: Steps, tasks: int = 4) -> list[Trace]:
    return [writer.trace(f"task{task}", *steps(task)) for task in range(tasks)]


def pages(writer: Writer, customer: str, last: int) -> list[Step]:
    return [
        writer.call(
            "list_invoices",
            {"customer": customer, "page": page},
            {"invoices": [f"{customer}-{page}"], "more": page < last},
        )
        for page in range(1, last + 1)
    ]


def test_the_same_calls_with_arguments_that_nobody_gave(writer: Writer) -> None:
    [found] = mined(runs(writer, lambda task: pages(writer, f"C{task}17", 2 + task % 2)))
    assert found.kind is EpisodeKind.SEQUENCE
    assert found.wish == "list_invoices_in_turn"
    assert found.takes == {"customer": ("list_invoices", "customer")}
    first = found.occurrences[0]
    assert first.given == {"customer": "C017"}
    assert len(first.calls) == 2
    assert first.value == {"list_invoices": [call.result for call in first.calls]}
    assert first.saving.calls == 1


def test_too_few_tasks_are_none(writer: Writer) -> None:
    assert mined(runs(writer, lambda task: pages(writer, f"C{task}17", 2), tasks=2)) == []


def test_calls_that_may_write_are_no_part_of_any(writer: Writer) -> None:
    def steps(task: int) -> list[Step]:
        return [
            writer.call("find_order", {"order": f"W{task}17"}, {"placed": f"{task} May"}),
            writer.call("cancel_order", {"day": f"2026-05-0{task}"}, "done"),
        ]

    assert mined(runs(writer, steps)) == []


def test_a_word_of_the_users_ends_an_episode(writer: Writer) -> None:
    def steps(task: int) -> list[Step]:
        return [
            writer.call("find_order", {"order": f"W{task}17"}, {"placed": f"{task} May"}),
            writer.call("list_days", {"day": f"2026-05-0{task}"}, [], heard="and that day?"),
        ]

    assert mined(runs(writer, steps)) == []


def test_calls_that_only_stand_beside_each_other_are_none(writer: Writer) -> None:
    """All that they were given was known, and nothing follows from anything."""

    def steps(task: int) -> list[Step]:
        return [
            writer.call("find_order", {"order": f"W{task}17"}, {"placed": "now"}),
            writer.call("list_days", {"order": f"W{task}17"}, [task]),
        ]

    assert mined(runs(writer, steps)) == []


def test_what_was_known_before_and_is_not_handed_over_is_no_tool(writer: Writer) -> None:
    """Nobody who is called with the first order could tell the second."""

    def steps(task: int) -> list[Step]:
        return [
            writer.call("list_open", {}, [f"W{task}17", f"W{task}18"]),
            writer.call("cancel_all", {}, "done"),
            writer.call("find_order", {"order": f"W{task}17"}, {"id": f"W{task}17"}),
            writer.call("find_order", {"order": f"W{task}18"}, {"id": f"W{task}18"}),
        ]

    assert mined(runs(writer, steps)) == []


def test_an_error_that_agents_get_past(writer: Writer) -> None:
    def steps(task: int) -> list[Step]:
        name = f"person{task}"
        return [
            writer.call("get_user", {"user": name}, None, error=f"no user {name!r}"),
            writer.call("find_user", {"mail": f"{name}@example.com"}, {"id": f"U{task}17"}),
            writer.call("get_user", {"user": f"U{task}17"}, {"name": name}),
            writer.call("get_user", {"user": "U999"}, {"name": "root"}),
        ]

    found = mined(runs(writer, steps))[0]
    assert found.kind is EpisodeKind.RECOVERY
    assert (found.about, found.wish) == ("get_user: no user ...", "get_user_with_recovery")
    past = [one for one in found.occurrences if len(one.calls) == 3]
    assert len(past) == 4
    assert past[0].given == {"user": "person0"}
    assert past[0].value == {"name": "person0"}
    # Where it does not fail, a tool in its place has to do what it does.
    assert [one for one in found.occurrences if len(one.calls) == 1]


def test_an_error_after_which_the_user_speaks_is_none(writer: Writer) -> None:
    def steps(task: int) -> list[Step]:
        return [
            writer.call("get_user", {"user": "?"}, None, error="no such user"),
            writer.call("get_user", {"user": f"U{task}17"}, {"name": task}, heard=f"U{task}17"),
        ]

    assert mined(runs(writer, steps)) == []


def test_a_tool_that_there_is_none_of(writer: Writer) -> None:
    def traces(after: Steps) -> list[Trace]:
        offered = (ToolDefinition("list_orders", "", {}), ToolDefinition("show_order", "", {}))
        return [
            writer.trace(
                f"task{task}",
                writer.call("latest_order", {"user": f"U{task}17"}, None, error="no such tool"),
                *after(task),
                tools=offered,
            )
            for task in range(4)
        ]

    def calls(task: int) -> list[Step]:
        return [
            writer.call("list_orders", {"user": f"U{task}17"}, [f"W{task}", f"W{task}9"]),
            writer.call("show_order", {"order": f"W{task}9"}, {"total": task}),
        ]

    [found] = mined(traces(calls))
    assert (found.kind, found.wish) == (EpisodeKind.UNKNOWN_TOOL, "latest_order")
    assert found.occurrences[3].value == {"total": 3}
    assert found.occurrences[3].given == {"user": "U317"}
    assert [call.tool for call in found.occurrences[3].calls] == ["list_orders", "show_order"]

    [computed] = mined(traces(lambda task: [writer.code(f"print({task} * 2)", f"{task * 2}\n")]))
    assert [one.value for one in computed.occurrences] == [0, 2, 4, 6]
    assert all(one.calls == () for one in computed.occurrences)


@given(order=st.permutations(range(6)))
def test_the_order_of_the_runs_does_not_matter(writer: Writer, order: list[int]) -> None:
    def steps(task: int) -> list[Step]:
        name = f"person{task}"
        return [
            *pages(writer, f"C{task}17", 2 + task % 3),
            writer.call("get_user", {"user": name}, None, error=f"no user {name!r}"),
            writer.call("get_user", {"user": name.upper()}, {"name": name}),
        ]

    traces = runs(writer, steps, tasks=6)
    found = mined([traces[number] for number in order])
    assert found == mined(traces)
    assert {one.kind for one in found} == {EpisodeKind.SEQUENCE, EpisodeKind.RECOVERY}
