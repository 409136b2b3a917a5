"""ATIF: what its own models accept is read, and what they leave no field for as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from atif import Trajectory

from toolguild.sandbox import Json
from toolguild.synth.traces import CodeExecution, Outcome, ToolCall

# What `conftest` gives cannot be imported from it: under importlib it is no module of ours.
Read: TypeAlias = Callable[..., Any]


def valid(trajectory: Any) -> Json:
    """A trajectory as the format's own package writes it."""
    written: Json = Trajectory.model_validate(trajectory).to_json_dict()
    return written


def trajectory(*steps: dict[str, Any], **more: Any) -> Json:
    numbered = [{"step_id": number, **step} for number, step in enumerate(steps, 1)]
    return valid(
        {
            "schema_version": "ATIF-v1.8",
            "agent": {"name": "a", "version": "1"},
            "steps": numbered,
            **more,
        }
    )


def agent(
    *calls: tuple[str, str, Any], results: list[dict[str, Any]] | None = None, **more: Any
) -> Any:
    step: dict[str, Any] = {"source": "agent", "message": "", **more}
    if calls:
        step["tool_calls"] = [
            {"tool_call_id": id_, "function_name": name, "arguments": arguments}
            for id_, name, arguments in calls
        ]
    if results is not None:
        step["observation"] = {"results": results}
    return step


USER = {"source": "user", "message": "What time is it?"}


def test_what_the_formats_own_models_accept_is_read(read_records_as_traces: Read) -> None:
    record = trajectory(
        {"source": "system", "message": "Be brief."},
        USER,
        agent(
            ("c1", "now", {}),
            ("c2", "zone", {"city": "Paris"}),
            results=[
                {"source_call_id": "c2", "content": '{"offset": 2}'},
                {"source_call_id": "c1", "content": [{"type": "text", "text": "12:00"}]},
            ],
            message="Let me check.",
            reasoning_content="need a clock",
            timestamp="2026-05-16T12:00:00Z",
        ),
        {"source": "user", "message": "And in Rome?"},
        agent(("c3", "zone", {"city": "Rome"})),
        trajectory_id="t-1",
        session_id="s-1",
    )
    trace = read_records_as_traces(record).trace
    assert (trace.id, trace.task.text) == ("t-1", "What time is it?")
    now, paris, rome = trace.calls()
    assert (now.tool, now.arguments, now.result, now.heard) == (
        "now",
        {},
        "12:00",
        "What time is it?",
    )
    assert now.reasoning == "need a clock\nLet me check."
    assert now.started_at == "2026-05-16T12:00:00Z"
    assert (paris.arguments, paris.result, paris.heard) == ({"city": "Paris"}, {"offset": 2}, "")
    assert (rome.result, rome.heard, rome.reasoning) == (None, "And in Rome?", "")


def test_errors_and_rewards_are_found_in_extra(read_records_as_traces: Read) -> None:
    record = trajectory(
        USER,
        agent(
            ("a", "f", {}),
            ("b", "f", {}),
            ("c", "f", {}),
            ("d", "f", {}),
            results=[
                {"source_call_id": "a", "content": "sorry", "extra": {"error": "timed out"}},
                {
                    "source_call_id": "b",
                    "content": "sorry",
                    "extra": {"error": {"message": "quota"}},
                },
                {"source_call_id": "c", "content": "sorry", "extra": {"is_error": True}},
                {"source_call_id": "d", "content": "fine", "extra": {"error": None}},
            ],
        ),
        extra={"reward": 1.0, "task_id": "clock-1"},
    )
    trace = read_records_as_traces(record).trace
    assert [call.error for call in trace.calls()] == ["timed out", "quota", "sorry", None]
    assert trace.outcome == Outcome(1.0, True)
    assert trace.task.id == "clock-1"


@pytest.mark.parametrize(
    "tool", ["python_interpreter", "execute_ipython_cell", "python", "ipython"]
)
def test_code_in_an_argument_is_a_code_execution(read_records_as_traces: Read, tool: str) -> None:
    record = trajectory(
        USER,
        agent(
            ("a", tool, {"code": "  x = 1\n  x\n"}),
            results=[{"source_call_id": "a", "content": "1"}],
        ),
        agent(("b", tool, {"anything": "x"}), results=[{"content": "1"}]),
    )
    first, second = read_records_as_traces(record).trace.steps
    assert isinstance(first, CodeExecution)
    assert isinstance(second, CodeExecution)
    assert (first.code, first.result) == ("x = 1\nx", "1")
    assert (second.code, second.result) == ("x", "1")


def test_results_without_ids_belong_to_the_calls_of_their_step(
    read_records_as_traces: Read,
) -> None:
    record = trajectory(
        USER,
        agent(("a", "f", {})),
        agent(
            ("b", "g", {}),
            ("c", "h", {}),
            results=[{"content": "of h"}, {"source_call_id": "b", "content": "of g"}],
        ),
        agent(results=[{"content": "of no call"}]),
    )
    trace = read_records_as_traces(record).trace
    assert [call.result for call in trace.calls()] == [None, "of g", "of h"]


def test_copied_context_is_not_counted_again(read_records_as_traces: Read) -> None:
    record = trajectory(
        USER,
        agent(("a", "now", {}), is_copied_context=True),
        agent(("b", "later", {})),
    )
    assert [call.tool for call in read_records_as_traces(record).trace.calls()] == ["later"]


def test_subagents_are_traces_of_their_own(read_records_as_traces: Read) -> None:
    child = trajectory(
        {"source": "user", "message": "sub"}, agent(("a", "g", {})), trajectory_id="c"
    )
    record = trajectory(
        USER, agent(("a", "f", {})), trajectory_id="p", subagent_trajectories=[child]
    )
    traces = read_records_as_traces(record).traces
    assert [(t.id, t.task.text, [c.tool for c in t.calls()]) for t in traces] == [
        ("p", "What time is it?", ["f"]),
        ("c", "sub", ["g"]),
    ]


def test_tool_definitions_of_the_agent_are_kept(read_records_as_traces: Read) -> None:
    definition = {
        "type": "function",
        "function": {"name": "now", "description": "d", "parameters": {}},
    }
    record = trajectory(USER, agent={"name": "a", "version": "1", "tool_definitions": [definition]})
    assert [tool.name for tool in read_records_as_traces(record).trace.tools] == ["now"]


def test_trajectories_that_the_format_would_refuse_are_read_all_the_same(
    read_records_as_traces: Read,
) -> None:
    record: Json = {
        "steps": [
            {"step_id": 7, "source": "user", "message": "go", "mood": "good"},
            {
                "step_id": 3,
                "source": "agent",
                "tool_calls": [{"function_name": "f", "arguments": '{"a": 1}'}],
                "observation": {"results": [{"content": "2"}]},
            },
        ]
    }
    (call,) = read_records_as_traces(record).trace.steps
    assert isinstance(call, ToolCall)
    assert (call.arguments, call.result) == ({"a": 1}, 2)


def test_a_trajectory_with_broken_steps_is_reported(read_records_as_traces: Read) -> None:
    broken: Json = {"schema_version": "ATIF-v1.7", "steps": [{"source": "agent", "tool_calls": 3}]}
    reading = read_records_as_traces(trajectory(USER), broken)
    assert len(reading.traces) == 1
    assert [(p.place.line, p.message) for p in reading.problems] == [
        (2, "not an ATIF trajectory: steps.0.tool_calls: Input should be a valid list")
    ]


def test_what_is_read_can_be_written_as_atif_and_read_again(read_records_as_traces: Read) -> None:
    record = trajectory(
        USER,
        agent(
            ("a", "f", {"n": 1}),
            results=[{"source_call_id": "a", "content": "[1, 2]"}],
            message="m",
        ),
        agent(("b", "g", {}), results=[{"source_call_id": "b", "content": "text"}]),
        trajectory_id="t",
    )
    trace = read_records_as_traces(record).trace
    steps = [{"source": "user", "message": trace.task.text}]
    for number, call in enumerate(trace.calls()):
        content = call.result if isinstance(call.result, str) else json.dumps(call.result)
        results = [{"source_call_id": str(number), "content": content}]
        steps.append(
            agent((str(number), call.tool, call.arguments), results=results, message=call.reasoning)
        )
    again = read_records_as_traces(trajectory(*steps, trajectory_id=trace.id)).trace
    assert again == trace
