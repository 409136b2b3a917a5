"""What `call_tool` is answered with while a composite is proven."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import load_profile
from toolguild.sandbox import Json, ToolCallError
from toolguild.synth.traces import Place, ToolCall
from toolguild.synth.validation.raises import raised_types
from toolguild.synth.validation.recordings import RecordedTools, SimulatedTools

Writer: TypeAlias = Any


def call(tool: str, result: Json, error: str | None = None, **arguments: Json) -> ToolCall:
    return ToolCall(tool, arguments, result, error, Place("log", 1))


def test_a_recorded_call_has_its_recorded_answer_whatever_the_order_of_arguments() -> None:
    tools = RecordedTools([call("get", {"r": 1}, a=1, b=[2])])
    assert tools("get", {"b": [2], "a": 1}) == {"r": 1}
    assert tools.unrecorded == []


def test_repeated_calls_are_answered_in_turn_and_the_last_answer_stays() -> None:
    tools = RecordedTools([call("get", 1, a=1), call("get", 2, a=1)])
    assert [tools("get", {"a": 1}) for _ in range(4)] == [1, 2, 2, 2]


@pytest.mark.parametrize(("tool", "arguments"), [("get", {"a": 2}), ("put", {"a": 1}), ("get", {})])
def test_what_was_not_recorded_fails_and_is_noted(tool: str, arguments: dict[str, Json]) -> None:
    tools = RecordedTools([call("get", 1, a=1)])
    with pytest.raises(ToolCallError, match="no call"):
        tools(tool, arguments)
    assert len(tools.unrecorded) == 1
    assert tools.unrecorded[0].startswith(tool)


def test_a_recorded_failure_fails_again() -> None:
    tools = RecordedTools([call("get", None, "not found", a=1)])
    with pytest.raises(ToolCallError, match="not found"):
        tools("get", {"a": 1})
    assert tools.unrecorded == []


@pytest.mark.parametrize(
    ("made", "agree"),
    [
        (["book_a", "book_b"], True),
        (["book_a", "get_c", "book_b", "get_c"], True),
        (["book_b", "book_a"], False),
        (["book_a"], False),
        (["book_a", "book_b", "book_b"], False),
        ([], False),
    ],
)
def test_writes_agree_if_each_is_made_once_in_the_recorded_order(
    made: list[str], agree: bool
) -> None:
    tools = RecordedTools([call("book_a", 1), call("get_c", 2), call("book_b", 3)])
    for tool in made:
        tools(tool, {})
    assert tools.writes_agree is agree


@given(
    arguments=st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    name=st.sampled_from(["get", "put"]),
)
def test_a_simulated_tool_answers_anything_and_always_the_same(
    arguments: dict[str, Json], name: str
) -> None:
    recorded = [call("get", 1), call("get", [2]), call("get", None, "broken"), call("put", "ok")]
    tools = SimulatedTools(recorded)
    answer = tools(name, arguments)
    assert answer in ([1, [2]] if name == "get" else ["ok"])
    assert SimulatedTools(reversed(recorded[:0] + recorded))(name, arguments) is not None
    assert tools(name, dict(reversed(arguments.items()))) == answer


def test_a_tool_without_a_recorded_result_fails_when_simulated() -> None:
    tools = SimulatedTools([call("get", None, "broken")])
    for name in ("get", "other"):
        with pytest.raises(ToolCallError, match=name):
            tools(name, {})


@pytest.mark.parametrize(
    ("source", "types"),
    [
        ("def f(x):\n    raise ValueError('a')", {"ValueError"}),
        ("def f(x):\n    if x:\n        raise KeyError\n    raise", {"KeyError"}),
        ("def f(x):\n    raise errors.Odd(x)", set()),
        ("def f(x):\n    return 1", set()),
    ],
)
def test_the_exceptions_that_a_text_means_to_raise(source: str, types: set[str]) -> None:
    assert raised_types(source, load_profile()) == types


CHOOSING = """
def f(xs: list[int], function: {annotation}) -> int:
    functions = {{'max': max, 'min': min}}
    if function not in functions:
        raise ValueError("function must be 'max' or 'min'")
    chosen = functions[function]
    return chosen(xs) + 1
"""


@pytest.mark.parametrize(
    ("annotation", "types"), [("Literal['max', 'min']", set()), ("str", {"ValueError"})]
)
def test_an_exception_that_no_valid_input_meets_is_not_meant(
    annotation: str, types: set[str]
) -> None:
    assert raised_types(CHOOSING.format(annotation=annotation), load_profile()) == types
