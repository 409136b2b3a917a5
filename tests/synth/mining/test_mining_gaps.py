"""What agents could not do, as their traces show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining import CapabilityGap, GapKind, GapMiner, MiningSettings
from toolguild.synth.traces import Outcome, Step, ToolDefinition, Trace

Writer: TypeAlias = Any


def mined(traces: list[Trace]) -> list[CapabilityGap]:
    miner = GapMiner(MiningSettings())
    for trace in traces:
        miner.add(trace)
    return miner.mine()


def runs(writer: Writer, steps: Callable[[int], list[Step]], tasks: int = 3) -> list[Trace]:
    return [writer.trace(f"task{task}", *steps(task)) for task in range(tasks)]


def test_the_same_error_in_several_tasks_is_a_gap_whatever_varies_in_it(writer: Writer) -> None:
    def steps(task: int) -> list[Step]:
        error = f"user 'u-{task}' has no invoice of 2031-0{task + 1}-01"
        return [
            writer.call("get_invoice", {"user": f"u-{task}"}, None, error=error),
            writer.call("send_mail", {}, "sent"),
            writer.call("send_mail", {}, "sent"),
        ]

    [gap] = mined(runs(writer, steps))
    assert gap.kind is GapKind.ERROR
    assert gap.about == "get_invoice: user ... has no invoice of ..."
    assert (gap.support, gap.open_tasks) == (3, 3)
    assert gap.attempts[0].tried == ("send_mail",)
    assert str(gap.attempts[0].place) == "task0.jsonl:1#1"


def test_an_error_that_agents_get_past_is_none(writer: Writer) -> None:
    def steps(task: int) -> list[Step]:
        return [
            writer.call("get_invoice", {"user": "?"}, None, error="no such user"),
            writer.call("get_invoice", {"user": f"u-{task}"}, {"total": task}),
        ]

    assert mined(runs(writer, steps)) == []


def test_an_error_of_fewer_tasks_than_asked_for_is_none(writer: Writer) -> None:
    failed = [writer.call("get_invoice", {}, None, error="no such user")]
    assert mined(runs(writer, lambda _: failed, tasks=2)) == []


def test_code_that_fails_tells_by_the_last_line_of_its_traceback(writer: Writer) -> None:
    error = "Traceback (most recent call last):\n  File 'x'\nNo module named 'sympy'"
    failed = [writer.code("import sympy", error=error)]
    [gap] = mined(runs(writer, lambda _: failed))
    assert gap.about == "python: No module named 'sympy'"


def test_a_tool_that_was_not_offered_is_a_gap(writer: Writer) -> None:
    offered = [ToolDefinition("get_user", "", {"type": "object"})]
    traces = [
        writer.trace(
            f"task{task}", writer.call("get_users", {}, None, error="what?"), tools=offered
        )
        for task in range(3)
    ]
    [gap] = mined(traces)
    assert (gap.kind, gap.about) == (GapKind.UNKNOWN_TOOL, "get_users")


def test_a_task_that_no_run_finished_is_a_gap_with_what_was_tried(writer: Writer) -> None:
    def run(number: int, *, success: bool | None) -> Trace:
        call = writer.call(f"tool{number}", {}, "fine")
        trace: Trace = writer.trace("task", call, text="Do it.", run=f"run{number}")
        return replace(trace, outcome=Outcome(success=success))

    [gap] = mined([run(1, success=False), run(2, success=False)])
    assert (gap.kind, gap.about, gap.open_tasks) == (GapKind.FAILED_TASK, "Do it.", 1)
    assert [attempt.tried for attempt in gap.attempts] == [("tool1",), ("tool2",)]
    assert mined([run(1, success=False), run(2, success=True)]) == []
    assert mined([run(1, success=False), run(2, success=None)]) == []


@given(order=st.permutations(range(6)))
def test_the_order_of_traces_changes_nothing(writer: Writer, order: list[int]) -> None:
    def steps(task: int) -> list[Step]:
        return [
            writer.call("get_a", {}, None, error=f"broken {task % 2}"),
            writer.call("get_b", {}, None, error="gone"),
        ]

    traces = runs(writer, steps, tasks=6)
    assert mined([traces[number] for number in order]) == mined(traces)
