"""What is counted as saved: only what the tool itself gives again, and never an extra write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Sandbox
from toolguild.synth.drafting import Draft, draft_tool
from toolguild.synth.measuring import Measured, PlannedTool, choose_toolbox, measure
from toolguild.synth.mining import MiningSettings
from toolguild.synth.traces import Step, ToolCall, Trace

Writer: TypeAlias = Any


def listing(writer: Writer, task: int, orders: int, **more: Any) -> ToolCall:
    listed = [f"order-{task}-{number}" for number in range(orders)]
    return writer.call("list_orders", {"user": f"user{task}"}, {"orders": listed}, **more)  # type: ignore[no-any-return]


def looking(writer: Writer, task: int, number: int, **more: Any) -> ToolCall:
    order = f"order-{task}-{number}"
    return writer.call("get_order", {"order_id": order}, {"id": order, "size": number}, **more)  # type: ignore[no-any-return]


def writing(writer: Writer, task: int, number: int = 0, **more: Any) -> ToolCall:
    order = f"order-{task}-{number}"
    return writer.call("cancel_order", {"order_id": order}, {"gone": order}, **more)  # type: ignore[no-any-return]


def run(writer: Writer, task: int, *steps: Step, text: str = "") -> Trace:
    return writer.trace(f"task{task}", *steps, text=f"user{task} {text}")  # type: ignore[no-any-return]


@pytest.fixture
def loop(writer: Writer, local: Sandbox) -> PlannedTool:
    """A tool that lists orders and looks at each."""
    traces = [
        run(
            writer,
            task,
            listing(writer, task, 2 + task % 2),
            *(looking(writer, task, n) for n in range(2 + task % 2)),
        )
        for task in range(6)
    ]
    return planned(writer, traces, local)


@pytest.fixture
def batch(writer: Writer, local: Sandbox) -> PlannedTool:
    """A tool that cancels every order of a list."""
    traces = [
        run(writer, task, *(writing(writer, task, n) for n in (0, 1)), text=names(task, 2))
        for task in range(4)
    ]
    return planned(writer, traces, local)


def names(task: int, count: int) -> str:
    return " ".join(f"order-{task}-{number}" for number in range(count))


def planned(writer: Writer, traces: Sequence[Trace], sandbox: Sandbox) -> PlannedTool:
    (found,) = writer.sequences(traces)
    draft = draft_tool(found, sandbox)
    assert isinstance(draft, Draft)
    return PlannedTool(f"{draft.name}@1", draft.name, draft.source, found.plan)


def measured(tool: PlannedTool, sandbox: Sandbox, *traces: Trace) -> Measured:
    return measure([tool], traces, sandbox)


def test_calls_that_the_tool_gives_again_are_saved(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    trace = run(writer, 9, listing(writer, 9, 3), *(looking(writer, 9, n) for n in (2, 0, 1)))
    result = measured(loop, local, trace)
    assert (result.calls, result.saved, result.total.replaced, result.total.extra) == (4, 3, 4, 0)
    [one] = result.substitutions
    assert one.arguments == {"user": "user9"}
    assert [call.tool for call in one.replaced_calls] == ["list_orders", *["get_order"] * 3]


def test_reads_that_the_agent_did_not_make_are_counted_apart(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    trace = run(writer, 9, listing(writer, 9, 3), looking(writer, 9, 1))
    result = measured(loop, local, trace)
    assert (result.saved, result.total.extra) == (1, 2)
    assert result.substitutions[0].extra[0] == ("get_order", {"order_id": "order-9-0"})


def test_nothing_is_saved_by_a_tool_that_takes_the_place_of_one_call(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    result = measured(loop, local, run(writer, 9, listing(writer, 9, 3)))
    assert (result.calls, result.saved, result.substitutions) == (1, 0, [])


def test_what_was_read_after_a_write_could_not_have_been_read_before(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    steps = listing(writer, 9, 2), looking(writer, 9, 0), writing(writer, 9), looking(writer, 9, 1)
    result = measured(loop, local, run(writer, 9, *steps))
    assert (result.total.replaced, result.total.extra) == (2, 1)
    assert result.total.saved == 1


def test_other_reads_between_are_no_obstacle(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    between = writer.call("get_weather", {"city": "Oslo"}, "rain")
    steps = listing(writer, 9, 2), between, looking(writer, 9, 0), looking(writer, 9, 1)
    result = measured(loop, local, run(writer, 9, *steps))
    assert (result.calls, result.saved) == (4, 2)


def test_nothing_is_read_before_code_that_may_have_written(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    steps = (
        listing(writer, 9, 2),
        looking(writer, 9, 0),
        writer.code("x = 1"),
        looking(writer, 9, 1),
    )
    result = measured(loop, local, run(writer, 9, *steps))
    assert (result.saved, result.total.replaced, result.total.extra) == (1, 2, 1)


def test_a_batch_of_writes_stands_where_nothing_lies_between(
    writer: Writer, batch: PlannedTool, local: Sandbox
) -> None:
    together = run(writer, 9, *(writing(writer, 9, n) for n in range(4)), text=names(9, 4))
    assert measured(batch, local, together).saved == 3
    read = looking(writer, 9, 0)
    apart = run(writer, 9, writing(writer, 9, 0), read, writing(writer, 9, 1), text=names(9, 2))
    assert measured(batch, local, apart).saved == 0
    spoken = writing(writer, 9, 1, heard="Yes, that one, too.")
    asked = run(writer, 9, writing(writer, 9, 0), spoken, text=names(9, 2))
    assert measured(batch, local, asked).saved == 0


def test_what_nobody_had_said_yet_cannot_have_been_given(
    writer: Writer, batch: PlannedTool, local: Sandbox
) -> None:
    unsaid = run(writer, 9, writing(writer, 9, 0), writing(writer, 9, 1))
    assert measured(batch, local, unsaid).saved == 0


def test_failed_calls_are_neither_saved_nor_given_again(
    writer: Writer, loop: PlannedTool, local: Sandbox
) -> None:
    failed = looking(writer, 9, 0, error="gone")
    result = measured(loop, local, run(writer, 9, listing(writer, 9, 2), failed))
    assert (result.calls, result.saved) == (2, 0)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("for order in ", "for order in [] and ", "does not call get_order"),
        ('call_tool("get_order", {', 'call_tool("get_other", {', "get_other"),
        ("return {", 'return {"nothing": 0} and {"nothing": 1} or {', "does not return"),
    ],
)
def test_a_tool_that_does_not_bear_out_its_plan_saves_nothing(
    writer: Writer, loop: PlannedTool, local: Sandbox, old: str, new: str, why: str
) -> None:
    broken = replace(loop, source=loop.source.replace(old, new))
    if broken == loop:
        pytest.fail(f"nothing was changed in {loop.source}")
    trace = run(writer, 9, listing(writer, 9, 2), *(looking(writer, 9, n) for n in (0, 1)))
    result = measured(broken, local, trace)
    assert result.saved == 0
    assert why in result.refused[0][1]


def test_a_toolbox_is_chosen_by_what_each_tool_adds(
    writer: Writer, loop: PlannedTool, batch: PlannedTool
) -> None:
    same = replace(loop, ref="same@1")
    useless = replace(batch, ref="useless@1", plan=(replace(batch.plan[0], tool="unheard_of"),))
    traces = [
        run(
            writer,
            task,
            listing(writer, task, 3),
            *(looking(writer, task, n) for n in range(3)),
            *(writing(writer, task, n) for n in range(2)),
        )
        for task in range(2)
    ]
    chosen = choose_toolbox([useless, batch, same, loop], traces, 3)
    assert [tool.ref for tool in chosen] == ["same@1", batch.ref]
    assert choose_toolbox([batch, loop], traces, 1) == [loop]


def test_what_is_no_work_is_not_counted(writer: Writer, loop: PlannedTool, local: Sandbox) -> None:
    thought = writer.call("think", {"thought": "hm"}, "")
    trace = run(writer, 9, listing(writer, 9, 1), thought, looking(writer, 9, 0))
    assert measured(loop, local, trace).calls == 2
    told = MiningSettings(ignored_tools=frozenset())
    assert measure([loop], [trace], local, told).calls == 3
