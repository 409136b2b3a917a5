"""Which calls tell which others something: no flow is missed, and plain texts are understood."""

from __future__ import annotations

import sys
import textwrap
import zlib
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolguild.policies.data_flow import data_flows


def pairs(body: str, before: str = "") -> set[tuple[str, str]]:
    """Return the flows of a tool with the parameter `query`, by the names of the tools."""
    text = f"{before}\ndef tool(query):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    found = data_flows(text)
    assert found.not_understood == ""
    return {(flow.source.tool, flow.sink.tool) for flow in found.flows}


READ = "secret = call_tool('read', {'id': query})\n"
READ_TO_SEND = {("read", "send")}


@pytest.mark.parametrize(
    "body",
    [
        "call_tool('send', {'text': secret})",
        "call_tool('send', arguments=secret)",
        "call_tool('send', {'text': call_tool('read', {})})",
        "text = {'a': [query, f'{secret[0]:>9}']}\ncall_tool('send', text)",
        "rows = []\nother = rows\nother.append(secret)\ncall_tool('send', {'rows': rows})",
        "one = {}\nheld = [one]\nheld[0]['x'] = secret\ncall_tool('send', one)",
        "first, *rest = query, secret\ncall_tool('send', {'text': rest})",
        "text = ''\nfor row in secret['rows']:\n    text += row\ncall_tool('send', {'t': text})",
        "if secret['ok']:\n    call_tool('send', {})",
        "secret and call_tool('send', {})",
        "call_tool('send', {}) if secret else None",
        "text = 1\nif secret:\n    text = 2\ncall_tool('send', {'text': text})",
        "[call_tool('send', {}) for _ in secret]",
        "while True:\n    call_tool('send', {})\n    if secret:\n        break",
        "if secret:\n    return 1\ncall_tool('send', {})",
        "try:\n    secret['x']\nexcept KeyError:\n    call_tool('send', {})",
        "try:\n    [1][secret] = 2\n    call_tool('send', {})\nexcept IndexError:\n    pass",
        "x = 1\nif secret:\n    del x\ntry:\n    x\nexcept NameError:\n    call_tool('send', {})",
        "def f(x):\n    x\ntry:\n    f(secret[0])\n    call_tool('send')\nexcept KeyError:\n    0",
        "if secret:\n    def f(): call_tool('send')\ntry:\n    f()\nexcept NameError:\n    pass",
        "def f(x=secret[0]):\n    return call_tool('send', {'x': x})\nf()",
        "try:\n    raise ValueError(secret)\nexcept ValueError as e:\n    call_tool('send', e)",
        "ask = lambda text: call_tool('send', {'text': text})\nask(secret)",
        "list(map(lambda row: call_tool('send', row), secret))",
        "sends = (call_tool('send', {}) for _ in query)\nif secret:\n    next(sends)",
        "found = call_tool('pure', {'x': secret})\ncall_tool('send', {'text': found})",
    ],
)
def test_what_is_read_is_followed_to_what_is_sent(body: str) -> None:
    assert pairs(READ + body) >= READ_TO_SEND


@pytest.mark.parametrize(
    "body",
    [
        "return call_tool('send', {'text': query})",
        "call_tool('send', {'text': query})\nreturn {'query': query, 'secret': secret}",
        "sent = call_tool('send', {})\nreturn [row['x'] for row in secret['rows'] if sent]",
        "sent = [call_tool('send', {'id': id}) for id in query]\nreturn len(secret), sent",
        "for id in query:\n    call_tool('send', {'id': id})\nreturn secret.get('name').upper()",
    ],
)
def test_what_is_only_returned_is_not_taken_for_sent(body: str) -> None:
    assert READ_TO_SEND & pairs(READ + body) == set()


HELPERS = """
def _row(secret):
    return {'name': secret['name']}

def _send(text):
    return call_tool('send', {'text': text})

def _both(text):
    return _send(text), call_tool('read', {})
"""


def test_helpers_pass_on_what_they_are_given() -> None:
    assert pairs("_send(_row(call_tool('read', {})))", HELPERS) >= READ_TO_SEND
    assert pairs("for send in [_send]:\n    send(call_tool('read', {}))", HELPERS) >= READ_TO_SEND
    assert (
        READ_TO_SEND & pairs("return _row(call_tool('read', {})), _send(query)", HELPERS) == set()
    )


def test_annotations_are_no_flows() -> None:
    head = (
        "from collections.abc import Mapping\ndef tool(query: object) -> Mapping[str, int] | None:"
    )
    found = data_flows(f"{head}\n    {READ}    return call_tool('send', {{}})")
    assert (found.not_understood, found.flows) == ("", ())


def test_places_are_told() -> None:
    found = data_flows("def tool():\n    a = call_tool('read')\n    call_tool('send', a)\n")
    assert [(place.tool, place.line) for place in found.calls] == [("read", 2), ("send", 3)]
    [flow] = found.flows
    assert (flow.source.line, flow.sink.line) == (2, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(:", "not Python"),
        ("def f(t):\n    call_tool(t, {})", "line 2: the name of the called tool"),
        ("def f():\n    g = call_tool\n    g('send')", "line 2: call_tool as something else"),
        ("call_tool = print\ndef f():\n    call_tool('send')", "the name call_tool"),
        ("class A:\n    x = 1", "line 1: ClassDef"),
        ("import random", "line 1: the import of random"),
        ("from typing import get_type_hints", "the import of get_type_hints"),
        ("def f():\n    return f.__globals__", "the attribute __globals__"),
        ("def f():\n    eval('call_tool')", "the name eval"),
        ("def f():\n    import json", "line 2: Import"),
        ("def f():\n    yield 1", "line 2: Yield"),
        ("async def f():\n    pass", "AsyncFunctionDef"),
        ("def f(json):\n    import json", "stands for several things"),
        ("def f():\n    x = 1\nf = 2", "stands for several things"),
        ("def f(x: call_tool('send')):\n    pass", "line 1: an annotation"),
        ("def f(x):\n    def g(y: x): pass", "line 2: an annotation"),
        (f"x = {'(' * 300}1{')' * 300}", "not Python"),
        (f"x = {'-' * 5000}1", ""),
        (f"x = '{'x' * 100_000}'", "more than 100000 characters"),
        ("call_tool('send')\n" * 101, "call_tool where it is not followed"),
    ],
)
def test_what_is_not_understood_counts_as_every_flow(text: str, words: str) -> None:
    found = data_flows(text, ["read", "send"])
    assert found.not_understood
    assert words in found.not_understood
    told = {(flow.source.tool, flow.sink.tool) for flow in found.flows}
    assert told == {(one, other) for one in ("read", "send") for other in ("read", "send")}


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    data_flows(text, ["read"])


# --- the law: where no flow is told of, other results of one call change nothing about the other


class Stop(BaseException):
    """Too many steps; no program catches it."""


class ToolCallError(Exception):
    pass


def shown(value: Any, depth: int = 5) -> str:
    """Return what a value looks like, as deep as it matters."""
    if not depth or not isinstance(value, list | tuple | dict):
        return str(value) if isinstance(value, str | int | float | None) else type(value).__name__
    items = value.values() if isinstance(value, dict) else value
    return f"[{','.join(shown(one, depth - 1) for one in items)}]"


def run(text: str, changed: str) -> dict[str, list[str]] | None:
    """Run a program; return the arguments of every call, or None where it does not end well.

    Args:
        text: The program.
        changed: The tool whose results are other ones than usual.
    """
    seen: dict[str, list[str]] = {}
    steps = count()

    def bounded(frame: FrameType, *_: object) -> Any:
        if frame.f_code.co_filename != "a program":
            return None
        if next(steps) > 2000:
            raise Stop
        return bounded

    def call_tool(name: str, arguments: object) -> Any:
        told = shown(arguments)
        seen.setdefault(name, []).append(told)
        number = zlib.crc32(f"{name} {told}".encode()) % 4 + 2 * (name == changed)
        if number == 5:
            raise ToolCallError([[], []])
        return [[[[]]], [], [[], [[], []]], [[]], []][number]

    names: dict[str, Any] = {"call_tool": call_tool, "ToolCallError": ToolCallError}
    exec(compile(text, "a program", "exec"), names)  # noqa: S102 - made here
    before = sys.gettrace()
    sys.settrace(bounded)
    try:
        names["tool"]([[]], [[], [[]]])
    except (Exception, Stop):
        return None
    finally:
        sys.settrace(before)
    return seen


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Programs over variables that hold lists of lists, over helpers, lambdas and generators.

    They begin with a call and end with one; in between there may be others.
    """
    calls = 0
    variables = st.sampled_from(["a", "b", "c", "secret"])

    def call(depth: int) -> str:
        nonlocal calls
        calls += 1
        return f"call_tool('t{calls}', [{expression(depth - 1)}])"

    def expression(depth: int) -> str:
        one, other = draw(variables), draw(variables)
        if depth <= 0:
            plain = [one, one, "[x]", f"list({one})[:2]", "[]", "[[]]", f"[{one}, {other}]"]
            return draw(st.sampled_from(plain))
        forms: list[Callable[[], str]] = [
            lambda: call(depth),
            lambda: f"({expression(depth - 1)} + [{expression(depth - 1)}])[-3:]",
            lambda: f"({expression(depth - 1)} {draw(st.sampled_from(['and', 'or']))} {one})",
            lambda: f"({one} and {call(1)})",
            lambda: f"({one} if {expression(depth - 1)} else {expression(depth - 1)})",
            lambda: f"[{expression(depth - 1)} for x in {one}[:2] if {expression(0)}]",
            lambda: f"h1({expression(depth - 1)}, {one})",
            lambda: f"(lambda {one}: {expression(depth - 1)})({other})",
            lambda: f"list(map(lambda {one}: {expression(depth - 1)}, {other}[:2]))",
            lambda: f"[*sorted({one}, key=lambda {other}: len({expression(depth - 1)}))][:2]",
            lambda: f"next(g, {one})",
            lambda: f"[[]] * ({one} in g)",
            lambda: f"{one}[0]",
            lambda: f"({one} := {expression(depth - 1)})",
            lambda: f"[x for x, y in zip(g, {one})]",
            lambda: "f()",
        ]
        return draw(st.sampled_from(forms))()

    def block(depth: int, *, loops: bool) -> list[str]:
        count = draw(st.integers(1, 2))
        lines = [line for _ in range(count) for line in statement(depth, loops=loops)]
        return [f"    {line}" for line in lines]

    def statement(depth: int, *, loops: bool) -> list[str]:
        one, other = draw(variables), draw(variables)
        simple: list[Callable[[], list[str]]] = [
            lambda: [f"{one} = {expression(2)}"],
            lambda: [f"{one} = {other}"],
            lambda: [f"{one}.append({expression(1)})"],
            lambda: [f"{one} += {expression(1)}[:2]"],
            lambda: [f"{one}[0:1] = {expression(1)}[:2]"],
            lambda: [f"del {one}[0:1]"],
            lambda: [f"g = ({expression(1)} for x in {other}[:2])"],
            lambda: [f"f = lambda: {expression(1)}"],
            lambda: [call(1)],
        ]
        leaving = [f"return {one}", f"raise ValueError({one})", *(["break", "continue"] * loops)]
        compound: list[Callable[[], list[str]]] = [
            lambda: [f"if {expression(1)}:", *block(depth - 1, loops=loops)],
            lambda: [f"if {expression(0)}:", f"    {draw(st.sampled_from(leaving))}"],
            lambda: [f"for x in {expression(1)}[:2]:", *block(depth - 1, loops=True)],
            lambda: ["for x in g:", *block(depth - 1, loops=True)],
            lambda: [f"while ({one} := {one}[1:]):", *block(depth - 1, loops=True)],
            lambda: [
                "try:",
                *block(depth - 1, loops=loops),
                "except Exception as error:",
                f"    {one} = list(error.args)",
                *block(depth - 1, loops=loops),
            ],
        ]
        return draw(st.sampled_from(simple + compound if depth else simple))()

    start = ["    c, x, f = [[]], [], lambda: [[]]", "    g = iter([[], [[]]])"]
    lines = ["def h1(a, b):", *start, "    secret = b", *block(1, loops=False)]
    lines += [f"    return {expression(1)}", "def tool(a, b):", *start]
    lines += [f"    secret = {call(0)}", *block(2, loops=False), *block(2, loops=False)]
    return "\n".join([*lines, f"    {call(1)}"])


@given(programs())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_flow_is_missed(text: str) -> None:
    found = data_flows(text)
    assert found.not_understood == ""
    told = {(flow.source.tool, flow.sink.tool) for flow in found.flows}
    usual = run(text, changed="")
    if usual is None:
        return
    for source in usual:
        other = run(text, changed=source)
        for sink in usual.keys() | other.keys() if other else ():
            if (source, sink) not in told:
                assert usual.get(sink) == other.get(sink), f"{source} tells {sink} something"
