"""Chat messages as traces: tool calls, their results, and what was said around them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.traces import CodeExecution, ReadOptions, ToolCall, ToolDefinition

# What `conftest` gives cannot be imported from it: under importlib it is no module of ours.
Read: TypeAlias = Callable[..., Any]


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def called(*calls: tuple[str, str, Json], text: str | None = None, **more: Json) -> Json:
    """An assistant's message that calls (id, name, arguments)."""
    listed: list[Json] = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    return {"role": "assistant", "content": text, "tool_calls": listed, **more}


def answered(call_id: str, content: Json, **more: Json) -> Json:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **more}


WEATHER: list[Json] = [
    {"role": "system", "content": "Be brief."},
    user("Weather in Paris?"),
    called(("c1", "get_weather", '{"city": "Paris"}'), text="Let me look."),
    answered("c1", '{"sky": "rainy", "degrees": 12.5}'),
    {"role": "assistant", "content": "It is rainy."},
]


def test_a_call_has_its_arguments_result_and_surroundings(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces({"id": "run-1", "messages": WEATHER}).trace
    assert trace.id == "run-1"
    assert trace.task.text == "Weather in Paris?"
    (call,) = trace.steps
    assert isinstance(call, ToolCall)
    assert (call.tool, call.arguments) == ("get_weather", {"city": "Paris"})
    assert call.result == {"sky": "rainy", "degrees": 12.5}
    assert call.error is None
    assert (call.reasoning, call.heard) == ("Let me look.", "Weather in Paris?")
    assert (call.place.line, call.place.step) == (1, 1)
    assert call.place.file.endswith("log.jsonl")


@pytest.mark.parametrize(
    "record",
    [
        {"messages": WEATHER},
        {"traj": WEATHER, "reward": 1},
        {"state": {"history": WEATHER}},
        {"what_was_said": WEATHER},
        WEATHER,
    ],
)
def test_messages_are_found_where_they_stand(read_records_as_traces: Read, record: Json) -> None:
    reading = read_records_as_traces(record, record)
    assert [[step.tool for step in trace.steps] for trace in reading.traces] == [
        ["get_weather"],
        ["get_weather"],
    ]
    assert len({trace.id for trace in reading.traces}) == 2
    assert len({trace.task.id for trace in reading.traces}) == 1


@pytest.mark.parametrize("framing", ["one array", "one message a line"])
def test_a_file_of_single_messages_is_one_trace(read: Read, tmp_path: Path, framing: str) -> None:
    path = tmp_path / "run.json"
    lines = [json.dumps(message) for message in WEATHER]
    path.write_text("[" + ",\n".join(lines) + "]" if framing == "one array" else "\n".join(lines))
    trace = read(path).trace
    assert trace.source.line == 1
    assert [step.place.line for step in trace.steps] == [3]
    assert trace.task.text == "Weather in Paris?"


def test_the_messages_key_decides_where_there_are_several_lists(
    read_records_as_traces: Read,
) -> None:
    record: Json = {"messages": WEATHER[:2], "full": {"log": {"all": WEATHER}}}
    assert read_records_as_traces(record).trace.steps == ()
    keyed = read_records_as_traces(record, options=ReadOptions(messages_key="full.log.all"))
    assert len(keyed.trace.steps) == 1


def test_results_go_to_the_latest_open_call_with_their_id(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                called(("same", "first", "{}")),
                answered("same", "1"),
                called(("same", "second", "{}")),
                answered("same", "2"),
                answered("same", "stray"),
                called(("other", "third", "{}")),
            ]
        }
    ).trace
    assert [(step.tool, step.result) for step in trace.calls()] == [
        ("first", 1),
        ("second", 2),
        ("third", None),
    ]


def test_parallel_calls_take_their_own_results(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("both"),
                called(("a", "x", "{}"), ("b", "y", "{}"), ("c", "z", "{}"), text="all three"),
                answered("b", "of y"),
                answered("a", "of x"),
                user("well?"),
                called(("d", "w", "{}")),
            ]
        }
    ).trace
    assert [(s.tool, s.result, s.heard, s.reasoning) for s in trace.calls()] == [
        ("x", "of x", "both", "all three"),
        ("y", "of y", "", "all three"),
        ("z", None, "", "all three"),
        ("w", None, "well?", ""),
    ]


def test_results_without_ids_go_by_name_then_by_order(read_records_as_traces: Read) -> None:
    calls: Json = [{"function": {"name": name, "arguments": "{}"}} for name in ("x", "y", "z")]
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                {"role": "assistant", "content": None, "tool_calls": calls},
                {"role": "tool", "name": "y", "content": "of y"},
                {"role": "tool", "content": "of x"},
                {"role": "tool", "tool_call_id": "unheard of", "content": "of z"},
            ]
        }
    ).trace
    assert [(step.tool, step.result) for step in trace.calls()] == [
        ("x", "of x"),
        ("y", "of y"),
        ("z", "of z"),
    ]


def test_a_call_left_without_result_does_not_take_that_of_a_later_turn(
    read_records_as_traces: Read,
) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                called(("a", "x", "{}")),
                user("never mind, do y"),
                called(("b", "y", "{}")),
                {"role": "tool", "content": "of y"},
            ]
        }
    ).trace
    assert [(step.tool, step.result) for step in trace.calls()] == [("x", None), ("y", "of y")]


def test_legacy_and_custom_calls_are_read(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                {
                    "role": "assistant",
                    "content": None,
                    "function_call": {"name": "f", "arguments": "{}"},
                },
                {"role": "function", "name": "f", "content": "1"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c",
                            "type": "custom",
                            "custom": {"name": "sql", "input": "select 1"},
                        }
                    ],
                },
                answered("c", "2"),
            ]
        }
    ).trace
    assert [(step.tool, step.arguments, step.result) for step in trace.calls()] == [
        ("f", {}, 1),
        ("sql", {"input": "select 1"}, 2),
    ]


def test_arguments_that_are_no_json_object_are_kept_raw(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                called(("a", "f", '{"city": "Par'), ("b", "f", {"city": "Rome"}), ("c", "f", "")),
            ]
        }
    ).trace
    assert [step.arguments for step in trace.calls()] == [
        {"_raw": '{"city": "Par'},
        {"city": "Rome"},
        {},
    ]


def test_errors_are_taken_from_marks_and_from_texts(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                called(("a", "f", "{}"), ("b", "f", "{}"), ("c", "f", "{}"), ("d", "f", "{}")),
                answered("a", "Error: no such city"),
                answered("b", '{"error": "quota"}'),
                answered("c", "refused", status="error"),
                answered("d", "fine", is_error=False),
            ]
        }
    ).trace
    assert [(step.result, step.error) for step in trace.calls()] == [
        ("Error: no such city", "Error: no such city"),
        ({"error": "quota"}, "quota"),
        ("refused", "refused"),
        ("fine", None),
    ]


def test_thoughts_and_earlier_words_of_the_turn_are_the_reasoning(
    read_records_as_traces: Read,
) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                {"role": "assistant", "content": [{"type": "text", "text": "First I look."}]},
                called(("a", "f", "{}"), reasoning_content="need f"),
                answered("a", "1"),
                {"role": "assistant", "content": "Done with f."},
                user("thanks"),
                called(("b", "g", "{}"), reasoning="need g"),
            ]
        }
    ).trace
    assert [(step.reasoning, step.heard) for step in trace.steps] == [
        ("First I look.\nneed f", "go"),
        ("need g", "thanks"),
    ]


def test_tool_definitions_beside_the_messages_are_kept(read_records_as_traces: Read) -> None:
    schema: JsonObject = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools: Json = [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}},
        {"name": "g", "input_schema": schema},
        {"type": "web_search"},
        "no tool",
    ]
    trace = read_records_as_traces({"messages": WEATHER, "tools": tools}).trace
    assert trace.tools == (ToolDefinition("f", "d", schema), ToolDefinition("g", "", schema))


def test_an_interpreter_called_as_a_tool_runs_code(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "messages": [
                user("go"),
                called(("a", "python", '{"code": "\\n  1/0\\n"}')),
                answered(
                    "a", "Traceback (most recent call last):\nZeroDivisionError: division by zero"
                ),
                called(("b", "python", '{"path": 1}')),
            ]
        }
    ).trace
    run, call = trace.steps
    assert isinstance(run, CodeExecution)
    assert (run.code, run.error) == ("1/0", "ZeroDivisionError: division by zero")
    assert isinstance(call, ToolCall)


MINT_PREAMBLE = """Solve the task.
Example:
Assistant: <execute> print("not part of the run") </execute>
Observation:
not part of the run
---
Task:
What is 6 times 7?
"""


def test_execute_blocks_are_code_executions(read_records_as_traces: Read) -> None:
    trace = read_records_as_traces(
        {
            "state": {
                "history": [
                    user(MINT_PREAMBLE),
                    {
                        "role": "assistant",
                        "content": "Assistant:\n<thought> multiply </thought>\n"
                        "<execute>\nx = 6 * 7\n</execute>\nthen\n<execute> x / 0 </execute>",
                    },
                    user(
                        "Observation:\n"
                        "\x1b[0;31mZeroDivisionError\x1b[0m  Traceback (most recent call last)\n"
                        "ZeroDivisionError: division by zero\n"
                        "You have 3 steps left and 2 chances to propose solution left.\n"
                        "You should take the last step to propose a solution.\n"
                    ),
                    {"role": "assistant", "content": "<execute> x </execute>"},
                    user(
                        "Observation:\nOut[2]: 42\n"
                        "You have 1 steps left and 1 chances to propose solution left."
                    ),
                    {
                        "role": "assistant",
                        "content": "<execute> x </execute> <solution> 41 </solution>",
                    },
                    user(
                        "Observation:\nYour answer is wrong.\nYou have 0 steps left and 1 chances."
                    ),
                    {"role": "assistant", "content": "<execute> x + 1 </execute>"},
                ],
                "success": False,
            },
            "task": {"prompt": "What is 6 times 7?", "task_id": 3},
        }
    ).trace
    assert trace.task.text == "What is 6 times 7?"
    assert trace.outcome.success is False
    shown = (
        "ZeroDivisionError  Traceback (most recent call last)\nZeroDivisionError: division by zero"
    )
    assert [(s.code, s.result, s.error, s.heard) for s in trace.code()] == [
        ("x = 6 * 7", "", None, "What is 6 times 7?"),
        ("x / 0", shown, "ZeroDivisionError: division by zero", ""),
        ("x", "Out[2]: 42", None, ""),
        ("x", "", None, ""),
        ("x + 1", "", None, "Your answer is wrong."),
    ]
    assert trace.steps[0].reasoning == "multiply"
    assert [step.place.step for step in trace.steps] == [1, 2, 3, 4, 5]


def test_an_example_in_the_prompt_alone_is_no_code(read_records_as_traces: Read) -> None:
    record: Json = {"messages": [user(MINT_PREAMBLE), {"role": "assistant", "content": "42"}]}
    assert read_records_as_traces(record).trace.steps == ()


def test_a_record_that_is_no_chat_is_reported_and_skipped(read_records_as_traces: Read) -> None:
    good: Json = {"messages": WEATHER}
    broken: Json = {"messages": [*WEATHER, {"role": "assistant", "tool_calls": [{"function": {}}]}]}
    reading = read_records_as_traces(good, {"note": "nothing here"}, broken, good)
    assert len(reading.traces) == 2
    assert [(p.place.line, p.message) for p in reading.problems] == [
        (2, "no list of chat messages in the record"),
        (3, "not chat messages: 5.tool_calls.0.function.name: Field required"),
    ]


def test_single_messages_over_the_bound_are_not_gathered(read_records_as_traces: Read) -> None:
    reading = read_records_as_traces(*WEATHER, options=ReadOptions(max_record_bytes=250))
    assert reading.traces == []
    assert "too many for one run" in reading.problems[0].message


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
        {"trajectory": [{"action": "ls", "observation": "a"}], "history": WEATHER},
        {"step_number": 1, "model_input_messages": WEATHER},
        {"id": "1", "run_type": "llm", "inputs": {"messages": WEATHER}},
    ],
)
def test_chats_inside_richer_formats_are_not_claimed(
    read_records_as_traces: Read, record: Json
) -> None:
    with pytest.raises(ValueError, match="is in no known format"):
        read_records_as_traces(record)
