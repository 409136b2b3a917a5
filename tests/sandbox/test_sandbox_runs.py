"""What a program gives back, in either real backend."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolguild.sandbox import Json, Status, ToolCallError

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NUMBERS = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(value=_JSON)
@settings(
    max_examples=60,
    deadline=None,
    # The sandbox is shared by all examples on purpose: none may see another.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_json_value_comes_back_as_it_went_in(run, value: Json) -> None:
    outcome = run("def tool(value): return value", {"value": value})
    assert outcome.status is Status.OK, outcome.error
    assert outcome.value == value
    assert repr(outcome.value) == repr(value)  # 1 and True, 0.0 and -0.0 are told apart


def test_stdout_is_kept_apart_from_the_value(run) -> None:
    outcome = run("def tool():\n    print('working: ä')\n    return 7")
    assert (outcome.value, outcome.stdout) == (7, "working: ä\n")
    assert 0 < outcome.duration_s < 10


def test_tuples_and_subclasses_become_the_json_they_are_made_of(run) -> None:
    outcome = run(
        """
        import collections, enum
        class Colour(enum.StrEnum):
            RED = "red"
        class Size(enum.IntEnum):
            BIG = 3
        Point = collections.namedtuple("Point", "x y")
        def tool():
            return {Colour.RED: (Size.BIG, Point(1, 2.5)), "n": collections.Counter("aab")}
        """
    )
    assert outcome.value == {"red": [3, [1, 2.5]], "n": {"a": 2, "b": 1}}


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("{'a': [{1}]}", "TypeError: the result holds a set at $.a[0], which JSON cannot carry"),
        ("[object()]", "TypeError: the result holds an object at $[0]"),
        ("{1: 2}", "TypeError: the result holds a key of type int at $"),
        ("float('nan')", "ValueError: the result holds nan at $"),
        ("{'x': -float('inf')}", "ValueError: the result holds -inf at $.x"),
        ("'\\ud800'", "ValueError: the result holds text with a lone surrogate at $"),
        ("10 ** 5000", "ValueError: Exceeds the limit (4300 digits)"),
    ],
)
def test_what_json_cannot_carry_is_an_error_that_says_where(run, expression, error) -> None:
    outcome = run(f"def tool(): return {expression}")
    assert outcome.status is Status.ERROR
    assert outcome.error.startswith(error)
    assert outcome.value is None


@pytest.mark.parametrize(
    "body",
    ["x = []\n    x.append(x)", "x = []\n    for _ in range(200_000): x = [x]"],
    ids=["cyclic", "deep"],
)
def test_values_without_an_end_are_errors(run, body) -> None:
    outcome = run(f"def tool():\n    {body}\n    return x")
    assert outcome.status is Status.ERROR
    assert outcome.error.startswith("ValueError: the result holds ")


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        ("def tool(): return 1 / 0", Status.ERROR, "ZeroDivisionError: division by zero"),
        ("def tool(:", Status.ERROR, "SyntaxError: "),
        ("def tool(): return '\0'", Status.ERROR, "SyntaxError: "),
        ("other = 1", Status.ERROR, "NameError: the program defines no 'tool'"),
        ("tool = 1", Status.ERROR, "TypeError: 'int' object is not callable"),
        ("def tool(x): return x", Status.ERROR, "TypeError: tool() missing 1 required"),
        ("async def tool(): return 1", Status.ERROR, "TypeError: the result holds a coroutine"),
        ("def tool(): return tool()", Status.ERROR, "RecursionError: "),
        ("def tool(): raise KeyboardInterrupt", Status.ERROR, "KeyboardInterrupt: "),
        ("import sys\ndef tool(): sys.exit(3)", Status.KILLED, "The program left with sys.exit(3)"),
        ("import os\ndef tool(): os._exit(3)", Status.KILLED, "The program left with exit code 3"),
        ("raise SystemExit", Status.KILLED, "The program left with sys.exit()"),
        (
            "import ctypes\ndef tool(): ctypes.string_at(0)",
            Status.KILLED,
            "The program's process died of SIGSEGV",
        ),
        (
            "import os\ndef tool(): os.abort()",
            Status.KILLED,
            "The program's process died of SIGABRT",
        ),
        (
            "class Bad(Exception):\n    def __str__(self): raise Bad\ndef tool(): raise Bad",
            Status.ERROR,
            "Bad: (its message cannot be shown)",
        ),
    ],
)
def test_each_way_to_fail_has_its_status(run, source, status, error) -> None:
    outcome = run(source)
    assert (outcome.status, outcome.error[: len(error)]) == (status, error)
    assert outcome.value is None


def test_the_text_that_runs_is_the_text_that_was_given(run) -> None:
    # As a file, the cookie would turn `+AAo-x = 1` into a new line and an assignment.
    source = "# coding: utf_7\nx = 0\n#+AAo-x = 1\ndef tool(): return x"
    assert run(source).value == 0


def test_the_program_is_a_module_like_any_other(run) -> None:
    outcome = run(
        """
        from __future__ import annotations
        import dataclasses, sys
        @dataclasses.dataclass
        class Point:
            x: int
        def tool():
            return [__name__, sys.modules[__name__].Point(3).x, dataclasses.asdict(Point(4))]
        """
    )
    assert outcome.value == ["tool", 3, {"x": 4}]


def test_what_is_random_by_process_is_the_same_in_all_workers(run) -> None:
    source = "import time\ndef tool(): return [hash('salt'), time.tzname[0], list({'b', 'a', 'c'})]"
    first = run(source)
    assert first.value == run(source).value
    assert first.value[1] == "UTC"


def test_chance_is_not_repeated_from_run_to_run(run) -> None:
    source = "import random, uuid\ndef tool(): return [random.random(), str(uuid.uuid4())]"
    one, other = run(source).value, run(source).value
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_modules_that_need_more_than_the_interpreter_work(run) -> None:
    outcome = run(
        """
        import asyncio, bz2, datetime, hashlib, lzma, sqlite3, threading, zoneinfo
        import xml.etree.ElementTree as tree
        from concurrent.futures import ThreadPoolExecutor
        async def later(): return 1
        def tool():
            berlin = datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
            with ThreadPoolExecutor(4) as pool:
                squares = list(pool.map(lambda n: n * n, range(5)))
            return [
                asyncio.run(later()),
                berlin.utcoffset().seconds,
                tree.fromstring("<a b='1'/>").get("b"),
                sqlite3.connect(":memory:").execute("select 1 + 1").fetchone()[0],
                hashlib.sha256(bz2.decompress(bz2.compress(b"x"))).hexdigest()[:4],
                lzma.decompress(lzma.compress(b"x")).decode(),
                squares,
            ]
        """
    )
    assert outcome.value == [1, 7200, "1", 2, "2d71", "x", [0, 1, 4, 9, 16]], outcome.error


class TestCallTool:
    def test_the_gateway_gets_name_and_arguments_and_its_answer_comes_back(self, run) -> None:
        calls = []

        def gateway(name, arguments):
            calls.append((name, arguments))
            return {"sum": arguments["a"] + arguments["b"]}

        source = "def tool(n): return [call_tool('add', {'a': i, 'b': n})['sum'] for i in range(3)]"
        outcome = run(source, {"n": 10}, tools=gateway)
        assert outcome.value == [10, 11, 12]
        assert calls == [("add", {"a": i, "b": 10}) for i in range(3)]

    def test_a_failing_tool_is_an_exception_that_can_be_caught(self, run) -> None:
        def gateway(name, arguments):
            raise ToolCallError(f"{name} is out of order")

        source = """
        def tool():
            try:
                call_tool("lift", {})
            except ToolCallError as error:
                return str(error)
        """
        assert run(source, tools=gateway).value == "lift is out of order"
        outcome = run("def tool(): call_tool('lift', {})", tools=gateway)
        assert (outcome.status, outcome.error) == (
            Status.ERROR,
            "ToolCallError: lift is out of order",
        )

    def test_without_tools_every_call_fails(self, run) -> None:
        outcome = run("def tool(): return call_tool('add', {})")
        assert outcome.status is Status.ERROR
        assert outcome.error.startswith("ToolCallError: add cannot be called")

    @pytest.mark.parametrize("call", ["call_tool(3, {})", "call_tool('a', [1])"])
    def test_what_is_no_call_never_reaches_the_gateway(self, run, call) -> None:
        def gateway(name, arguments):
            pytest.fail("called")

        outcome = run(f"def tool(): return {call}", tools=gateway)
        assert outcome.error.startswith("ToolCallError: call_tool takes")

    def test_arguments_that_json_cannot_carry_are_the_programs_error(self, run) -> None:
        outcome = run("def tool(): call_tool('a', {'x': {1}})", tools=lambda *_: 1)
        assert outcome.error.startswith("TypeError: the call holds a set at $.arguments.x")

    def test_calls_from_several_threads_get_their_own_answers(self, run) -> None:
        source = """
        from concurrent.futures import ThreadPoolExecutor
        def tool():
            with ThreadPoolExecutor(8) as pool:
                return list(pool.map(lambda n: call_tool("same", {"n": n}), range(40)))
        """
        assert run(source, tools=lambda name, arguments: arguments["n"]).value == list(range(40))

    def test_large_answers_and_requests_pass(self, run) -> None:
        source = "def tool(): return len(call_tool('echo', {'text': 'ä' * 300_000})['text'])"
        assert run(source, tools=lambda name, arguments: arguments).value == 300_000

    def test_an_error_of_the_gateway_itself_reaches_the_caller(self, run) -> None:
        def gateway(name, arguments):
            raise LookupError("a bug on the host")

        with pytest.raises(LookupError, match="a bug on the host"):
            run("def tool(): call_tool('a', {})", tools=gateway)
        assert run("def tool(): return 1").value == 1


@pytest.mark.parametrize("arguments", [{"x": math.nan}, {"x": {1}}])
def test_arguments_that_are_no_json_are_the_callers_error(run, arguments) -> None:
    with pytest.raises((TypeError, ValueError)):
        run("def tool(x): return x", arguments)
