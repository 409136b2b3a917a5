"""Which calls are taken as one though others stand between them, or one of them failed at first."""

from __future__ import annotations

from typing import Any, TypeAlias

from toolguild.synth.mining import MiningSettings
from toolguild.synth.traces import Step, ToolCall, Trace

Writer: TypeAlias = Any

SETTINGS = MiningSettings(held_out_share=0.0)


def user(writer: Writer, task: int) -> ToolCall:
    return writer.call("get_user", {"user": f"user-{task}00"}, {"order": f"ord-{task}77"})


def order(writer: Writer, task: int, **more: Any) -> ToolCall:
    return writer.call("get_order", {"order": f"ord-{task}77"}, {"total": 10 * task}, **more)


def between(writer: Writer, *steps: Any) -> list[Trace]:
    """Return traces with steps between the two calls; each is made for a task, or the same."""

    def step(made: Any, task: int) -> Step:
        return made(task) if callable(made) else made

    return [
        writer.trace(
            f"task{task}",
            user(writer, task),
            *(step(made, task) for made in steps),
            order(writer, task),
            text=f"user-{task}00 in city-{task}",
        )
        for task in range(4)
    ]


def plans(writer: Writer, traces: list[Trace]) -> list[list[str]]:
    return [[step.tool for step in one.plan] for one in writer.sequences(traces, SETTINGS)]


def test_a_call_that_only_reads_may_stand_between(writer: Writer) -> None:
    def weather(task: int) -> ToolCall:
        return writer.call("get_weather", {"city": f"city-{task}"}, {"sky": f"sky {task}"})

    assert plans(writer, between(writer, weather)) == [["get_user", "get_order"]]


def test_a_call_that_may_write_may_not(writer: Writer) -> None:
    def note(task: int) -> ToolCall:
        return writer.call("write_note", {"city": f"city-{task}"}, {"note": f"note {task}"})

    assert plans(writer, between(writer, note)) == []


def test_two_runs_between_are_too_many(writer: Writer) -> None:
    def weather(task: int) -> ToolCall:
        return writer.call("get_weather", {"city": f"city-{task}"}, {"sky": f"sky {task}"})

    def news(task: int) -> ToolCall:
        return writer.call("get_news", {"topic": f"topic-{task}"}, {"head": f"head {task}"})

    assert plans(writer, between(writer, weather, news)) == []


def test_a_write_is_not_taken_past_a_call(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            user(writer, task),
            writer.call("get_weather", {"city": f"city-{task}"}, {"sky": f"sky {task}"}),
            writer.call("cancel_order", {"order": f"ord-{task}77"}, {"done": f"done {task}"}),
            text=f"user-{task}00 in city-{task}",
        )
        for task in range(4)
    ]
    assert plans(writer, traces) == []


def test_nothing_is_taken_across_code_that_the_agent_ran(writer: Writer) -> None:
    assert plans(writer, between(writer, writer.code("print(1)", "1"))) == []


def test_a_call_that_failed_and_was_tried_again_is_as_good_as_not_made(writer: Writer) -> None:
    def failed(task: int) -> ToolCall:
        return writer.call("get_order", {"order": f"77-{task}"}, None, error="no such order")

    [found] = writer.sequences(between(writer, failed), SETTINGS)
    assert [step.tool for step in found.plan] == ["get_user", "get_order"]
    assert all(call.error is None for one in found.occurrences for call in one.calls)


def test_nothing_is_taken_across_another_call_that_failed(writer: Writer) -> None:
    def failed(task: int) -> ToolCall:
        return writer.call("get_basket", {"user": f"user-{task}00"}, None, error="no basket")

    assert plans(writer, between(writer, failed)) == []


def test_what_was_tried_again_is_no_run_of_two(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            writer.call("get_order", {"order": f"ord-{task}11"}, {"total": task}),
            writer.call("get_order", {"order": f"ord-{task}2"}, None, error="no such order"),
            writer.call("get_order", {"order": f"ord-{task}22"}, {"total": task + 1}),
            text=f"ord-{task}11, ord-{task}22",
        )
        for task in range(4)
    ]
    assert plans(writer, traces) == []
