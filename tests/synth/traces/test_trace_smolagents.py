"""Runs of smolagents, in the shape that its 1.26 wrote (FORMATS.md 1.14)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json
from toolguild.synth.traces import CodeExecution, ToolCall

# What `conftest` gives cannot be imported from it: under importlib it is no module of ours.
Read: TypeAlias = Callable[..., Any]

TASK: Json = {"task": "Weather in Paris?", "task_images": None}


def step(number: int, **more: Json) -> Json:
    return {
        "step_number": number,
        "timing": {"start_time": 1795223659.5, "duration": 0.0057},
        "model_input_messages": [{"role": "user", "content": "Weather in Paris?"}],
        "error": None,
        "model_output": "Thought: look",
        "observations": None,
        "action_output": None,
        "is_final_answer": False,
        **more,
    }


def call(name: str, arguments: Json) -> Json:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


CODE = "w=get_weather(city='Paris')\nprint(w)"
CODE_STEP = step(
    1,
    tool_calls=[call("python_interpreter", CODE)],
    code_action=CODE,
    observations="Execution logs:\nrainy\nLast output from code snippet:\nNone",
)
LAST_STEP = step(2, code_action="final_answer('rainy')", is_final_answer=True)


@pytest.mark.parametrize("shape", ["pretty list", "step a line", "list a line", "run result"])
def test_code_steps_are_code_executions(read: Read, tmp_path: Path, shape: str) -> None:
    steps = [TASK, CODE_STEP, LAST_STEP]
    path = tmp_path / "memory.json"
    text = {
        "pretty list": json.dumps(steps, indent=2),
        "step a line": "\n".join(map(json.dumps, steps)),
        "list a line": json.dumps(steps) + "\n" + json.dumps([TASK, CODE_STEP]) + "\n",
        "run result": json.dumps({"output": "rainy", "state": "success", "steps": steps}),
    }[shape]
    path.write_text(text)
    reading = read(path)
    assert reading.problems == []
    trace = reading.traces[0]
    assert len(reading.traces) == (2 if shape == "list a line" else 1)
    assert trace.task.text == "Weather in Paris?"
    assert trace.outcome.success is True
    first, last = trace.steps
    assert isinstance(first, CodeExecution)
    assert (first.code, first.error, first.heard) == (CODE, None, "Weather in Paris?")
    assert first.result.startswith("Execution logs:\nrainy")
    assert (first.reasoning, last.heard) == ("Thought: look", "")
    assert first.started_at == "2026-11-21T01:14:19.500000+00:00"
    assert (first.place.step, last.place.step) == (1, 2)
    if shape == "step a line":
        assert (first.place.line, last.place.line) == (2, 3)


def test_tool_calling_steps_are_tool_calls(read_records_as_traces: Read) -> None:
    steps: list[Json] = [
        TASK,
        step(
            1, tool_calls=[call("get_weather", {"city": "Paris"})], observations='{"sky": "rainy"}'
        ),
        step(2, tool_calls=[call("f", {}), call("g", {})], observations="1\n2"),
        step(3, tool_calls=[call("f", {}), call("g", {})], observations="1\n2\n3"),
    ]
    trace = read_records_as_traces({"steps": steps, "state": "max_steps_error"}).trace
    assert trace.outcome.success is False
    assert all(isinstance(done, ToolCall) for done in trace.steps)
    assert [(done.tool, done.arguments, done.result) for done in trace.calls()] == [
        ("get_weather", {"city": "Paris"}, {"sky": "rainy"}),
        ("f", {}, 1),
        ("g", {}, 2),
        ("f", {}, None),
        ("g", {}, None),
    ]


def test_errors_of_steps_are_kept(read_records_as_traces: Read) -> None:
    error: Json = {"type": "AgentExecutionError", "message": "ZeroDivisionError: division by zero"}
    trace = read_records_as_traces(
        TASK,
        step(1, code_action="1/0", error=error),
        step(2, tool_calls=[call("f", {})], error="no such tool"),
        step(3, tool_calls=[call("python_interpreter", "x")], error={"type": "Timeout"}),
    ).trace
    assert [done.error for done in trace.steps] == [
        "ZeroDivisionError: division by zero",
        "no such tool",
        "Timeout",
    ]
    assert trace.outcome.success is None


def test_single_steps_are_cut_at_each_task(read_records_as_traces: Read) -> None:
    other: Json = {"task": "Weather in Rome?", "task_images": None}
    traces = read_records_as_traces(TASK, CODE_STEP, other, CODE_STEP, LAST_STEP).traces
    assert [(trace.task.text, len(trace.steps)) for trace in traces] == [
        ("Weather in Paris?", 1),
        ("Weather in Rome?", 2),
    ]
    assert [trace.source.line for trace in traces] == [1, 3]


def test_a_broken_run_is_reported_and_the_next_is_read(read_records_as_traces: Read) -> None:
    broken: Json = [TASK, step(1, code_action=3)]
    reading = read_records_as_traces(broken, [TASK, CODE_STEP])
    assert len(reading.traces) == 1
    assert [(p.place.line, p.message) for p in reading.problems] == [
        (1, "not a smolagents run: steps.1.code_action: Input should be a valid string")
    ]
