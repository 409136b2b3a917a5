"""Code between calls is saved with them where the tool prints what it printed, and counts apart."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json, Sandbox
from toolguild.synth.drafting import Draft, draft_tool
from toolguild.synth.measuring import Measured, PlannedTool, measure
from toolguild.synth.mining import MiningSettings
from toolguild.synth.plans import plan_from_json, plan_to_json
from toolguild.synth.traces import Step, Trace

Writer: TypeAlias = Any

CODE = (
    "rows = {rows!r}\nlate = [row['id'] for row in rows if row['state'] == {state!r}]\nprint(late)"
)


def rows_of(task: int) -> list[dict[str, str]]:
    return [
        {"id": f"ord-{task}{number}", "state": "late" if number % 2 else "sent"}
        for number in range(5 + task)
    ]


def ids_of(task: int, state: str = "late") -> list[str]:
    return [row["id"] for row in rows_of(task) if row["state"] == state]


def run(
    writer: Writer,
    task: int,
    *more: Step,
    state: str = "late",
    shown: str = "",
    looked_at: list[str] | None = None,
) -> Trace:
    """A run that lists orders, picks some by code, and looks at those, and what comes after."""
    rows: list[Json] = [{**row} for row in rows_of(task)]
    ids = ids_of(task, state)
    return writer.trace(  # type: ignore[no-any-return]
        f"task{task}",
        writer.call("list_orders", {"user": f"user{task}"}, {"orders": rows}),
        writer.code(CODE.format(rows=rows, state=state), shown or f"{ids}\n"),
        *(
            writer.call("get_order", {"id": one}, {"seen": f"{one}!"})
            for one in (ids if looked_at is None else looked_at)
        ),
        *more,
        text=f"user{task}",
    )


def tool_of(writer: Writer, sandbox: Sandbox, traces: list[Trace]) -> PlannedTool:
    found = writer.sequences(traces, MiningSettings(held_out_share=0.0))[0]
    draft = draft_tool(found, sandbox)
    assert isinstance(draft, Draft)
    plan = plan_from_json([*plan_to_json(found.plan)])
    return PlannedTool(f"{draft.name}@1", draft.name, draft.source, plan)


@pytest.fixture
def tool(writer: Writer, local: Sandbox) -> PlannedTool:
    """A tool that lists orders and looks at the late ones."""
    return tool_of(writer, local, [run(writer, task) for task in range(4)])


def measured(tool: PlannedTool, sandbox: Sandbox, *traces: Trace) -> Measured:
    return measure([tool], traces, sandbox)


def test_code_is_saved_with_the_calls_around_it(
    writer: Writer, tool: PlannedTool, local: Sandbox
) -> None:
    result = measured(tool, local, run(writer, 8), run(writer, 9))
    calls = 2 + len(ids_of(8)) + len(ids_of(9))
    assert (result.calls, result.saved, result.total.uses) == (calls, calls - 2, 2)
    assert (result.total.replaced, result.total.code_steps, result.total.extra) == (calls, 2, 0)
    assert not result.refused


def test_code_after_one_call_saves_code_and_no_call(writer: Writer, local: Sandbox) -> None:
    traces = [run(writer, task, looked_at=[]) for task in range(5)]
    tool = tool_of(writer, local, traces)
    result = measured(tool, local, run(writer, 9, looked_at=[]))
    assert (result.calls, result.saved, result.total.code_steps) == (1, 0, 1)


def test_code_whose_variables_are_read_later_is_not_replaced(
    writer: Writer, tool: PlannedTool, local: Sandbox
) -> None:
    later = writer.code("print(len(late), rows)", "2 []")
    result = measured(tool, local, run(writer, 9, later))
    assert (result.saved, result.total.uses, result.total.code_steps) == (0, 0, 0)


def test_code_on_other_data_is_not_replaced(
    writer: Writer, tool: PlannedTool, local: Sandbox
) -> None:
    result = measured(tool, local, run(writer, 9, state="sent"))
    assert (result.saved, result.total.code_steps) == (0, 0)


def test_a_use_whose_code_gives_something_else_is_refused(
    writer: Writer, tool: PlannedTool, local: Sandbox
) -> None:
    other = run(writer, 9, shown="['ord-90']", looked_at=["ord-90"])
    result = measured(tool, local, other)
    assert (result.saved, result.total.code_steps) == (0, 0)
    assert "get_order was not called like this" in result.refused[0][1]


def test_what_the_code_came_to_must_be_returned(
    writer: Writer, tool: PlannedTool, local: Sandbox
) -> None:
    hidden = tool.source.replace('"late": late', '"late": None')
    assert hidden != tool.source
    silent = PlannedTool(tool.ref, tool.name, hidden, tool.plan)
    result = measured(silent, local, run(writer, 9))
    assert result.saved == 0
    assert result.refused[0][1] == "the tool does not return what code returned"
