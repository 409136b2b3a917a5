"""What no recorded run reaches is refused, where there is nothing else to hold a text against."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json, JsonObject, ToolCallError
from toolguild.synth.validation.changed_constants import changed_constants
from toolguild.synth.validation.coverage import MARK_TOOL, MarkedTools, marked


def lines_missed(source: str, *calls: tuple[Any, ...]) -> list[int]:
    """Return the lines of the parts that calls of `tool` do not reach."""
    text = marked(source)
    reached: set[int] = set()
    for arguments in calls:
        tools = MarkedTools(None)
        names: dict[str, Any] = {"call_tool": tools, "ToolCallError": ToolCallError}
        exec(text.source, names)  # noqa: S102 - texts of this file
        with suppress(ValueError):
            names["tool"](*arguments)
        reached |= tools.reached
    return sorted({line for part, line in enumerate(text.lines) if part not in reached})


BRANCHES = {
    "if": "def tool(x):\n    if x > 9:\n        return 0\n    return x",
    "else": "def tool(x):\n    if x < 9:\n        return x\n    else:\n        return 0",
    "after a loop": "def tool(x):\n    for one in [x]:\n        return one\n    return 0",
    "in a loop": "def tool(x):\n    for one in range(x - 9):\n        x = 0\n    return x",
    "while": "def tool(x):\n    while x > 9:\n        x = 0\n    return x",
    "except": "def tool(x):\n    try:\n        x = 1 // x\n    except OSError:\n        x = 7\n",
    "conditional expression": "def tool(x):\n    return (\n        0 if x > 9 else x)",
    "or": "def tool(x):\n    return x or (\n        9)",
    "and": "def tool(x):\n    return x > 9 and (\n        9)",
    "comprehension": "def tool(x):\n    return [\n        0 for _ in range(x - 9)]",
    "filter": "def tool(x):\n    return {\n        0: 1 for one in [x] if one > 9}",
    "helper": "def _other(x):\n    return x\n\ndef tool(x):\n    return x",
    "lambda": "def tool(x):\n    f = lambda: (\n        0)\n    return x",
    "match": "def tool(x):\n    match x:\n        case 9:\n            x = 0\n    return x",
    "nested function": "def tool(x):\n    def inner():\n        return 0\n    return x",
}


@pytest.mark.parametrize("kind", BRANCHES)
def test_what_does_not_run_is_missed(kind: str) -> None:
    source = BRANCHES[kind]
    assert lines_missed(source, (1,), (2,))


def test_all_of_it_may_be_reached_by_several_runs() -> None:
    source = "def tool(x):\n    if x:\n        return 2 if x > 1 else 1\n    return x or 0"
    assert lines_missed(source, (0,), (1,), (2,)) == []
    assert lines_missed(source, (0,), (1,)) == [3]


def test_what_only_raises_need_not_run() -> None:
    source = (
        "def tool(x):\n    if x < 0:\n        words = 'negative'\n        raise ValueError(words)\n"
        "    return x"
    )
    assert lines_missed(source, (1,)) == []


def test_a_call_before_a_raise_has_to_run() -> None:
    source = (
        "def tool(x):\n    if x < 0:\n        call_tool('delete', {})\n        raise ValueError\n"
        "    return x"
    )
    assert lines_missed(source, (1,)) == [3]


@pytest.mark.parametrize("name", [MARK_TOOL, "_mark_reached", "_seen_reached"])
def test_a_text_that_could_set_marks_itself_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="kept for the marks"):
        marked(f"def tool(x):\n    return {name!r}")


@given(first=st.integers(-9, 9), second=st.integers(-9, 9))
def test_marks_change_no_result(first: int, second: int) -> None:
    source = '''
"""A module."""

from __future__ import annotations

import math


def _sign(x):
    """Return the sign."""
    return 1 if x > 0 else -1 if x < 0 else 0


def tool(x, y):
    """Return something of x and y."""
    found = [a * y for a in range(abs(x)) if a % 2 or y > 3]
    while y > 0 and len(found) < 20:
        found.append(y)
        y -= 2
    try:
        found.append(math.factorial(x))
    except ValueError as error:
        found.append(str(error))
    finally:
        found.append(_sign(x) or "zero")
    return {"found": found, "sum": sum(one for one in found if isinstance(one, int))}
'''
    plain: dict[str, Any] = {}
    exec(source, plain)  # noqa: S102 - it stands above
    with_marks: dict[str, Any] = {"call_tool": MarkedTools(None)}
    exec(marked(source).source, with_marks)  # noqa: S102
    assert with_marks["tool"](first, second) == plain["tool"](first, second)


def test_other_calls_go_on_to_the_tools() -> None:
    def tools(name: str, arguments: JsonObject) -> Json:
        return [name, arguments]

    noted = MarkedTools(tools)
    assert noted("find", {"part": "x"}) == ["find", {"part": "x"}]
    assert noted(MARK_TOOL, {"part": 3}) is None
    assert noted.reached == {3}
    with pytest.raises(ToolCallError):
        MarkedTools(None)("find", {})


def constants_of(body: str) -> list[str]:
    return [one.was for one in changed_constants(f"def tool(x):\n    {body}\n")]


def test_each_constant_is_changed_once_and_alone() -> None:
    first, second = changed_constants("def tool(x):\n    return x.replace('a', 'b')\n")
    assert (first.was, first.line) == ("'a'", 2)
    assert "'b'" in first.source
    assert "'a'" not in first.source
    assert "'a'" in second.source


@pytest.mark.parametrize(
    ("body", "constants"),
    [
        ("'words'", []),
        ("y: Literal['a'] = x", []),
        ("raise ValueError('a')", []),
        ("if x > 9:\n        raise ValueError('a')", []),
        ("if x > 9:\n        return 1", ["9", "1"]),
        ("if x:\n        raise ValueError\n    elif x > 9:\n        return 1", ["9", "1"]),
        ("return [a for a in range(9)][:7]", []),
        ("return [a for a in range(9 * x)][: x + 7]", ["9", "7"]),
        ("return x[0] + f'{x}:{x[1]!r:>10}'", ["0", "':'", "1"]),
        ("return True, None, 2.5", ["2.5"]),
    ],
)
def test_constants_that_only_say_or_bound_are_left_alone(body: str, constants: list[str]) -> None:
    assert constants_of(body) == constants
