"""What is recovered from recorded sessions by running them again, and what is not believed."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import (
    Json,
    Outcome,
    Sandbox,
    SandboxUnavailableError,
    ScriptedSandbox,
    Status,
)
from toolguild.synth.drafting import Case, NotDrafted, draft_tool
from toolguild.synth.drafting.recovery import recover_cases
from toolguild.synth.mining import ENTRY, MiningSettings, RepeatedCode

Writer: TypeAlias = Any

SCALE = dedent("""
    def scale(x, k):
        if k == 0:
            raise ValueError('k')
        return x * k + len(str(x))
""")

DEFINITIONS = MiningSettings(statements_support=99)
STATEMENTS = MiningSettings(definition_support=99)


def definition(writer: Writer, *snippets: tuple[str, str] | tuple[str, str, str]) -> RepeatedCode:
    """Return what two runs of these snippets (code, output, error) have in common."""
    steps = [
        writer.code(dedent(code), shown, error=error[0] if error else None)
        for code, shown, *error in snippets
    ]
    traces = [writer.trace(f"task{number}", *steps) for number in range(2)]
    (found,) = writer.repeated_code(traces, DEFINITIONS)
    return found  # type: ignore[no-any-return]


def window(writer: Writer, *snippets: tuple[str, str]) -> RepeatedCode:
    steps = [writer.code(dedent(code), shown) for code, shown in snippets]
    traces = [writer.trace(f"task{number}", *steps) for number in range(3)]
    (found,) = writer.repeated_code(traces, STATEMENTS)
    return found  # type: ignore[no-any-return]


def recovered(found: RepeatedCode, sandbox: Sandbox) -> list[tuple[dict[str, Json], Json]]:
    cases = recover_cases(found.occurrences, found.parameters, sandbox)
    assert all(case.error is None for case in cases)
    return [(case.arguments, case.value) for case in cases]


# -- what a faithful run shows


def test_calls_of_a_recorded_function_become_cases(writer: Writer, local: Sandbox) -> None:
    found = definition(
        writer,
        (SCALE, ""),
        ("print(scale(2, 3))\nscale(10, k=4)", "7\nOut[2]: 42"),
        ("y = scale(k=1, x=5)", "[Executed Successfully with No Output]"),
    )
    cases = recover_cases(found.occurrences, found.parameters, local)
    assert [(case.arguments, case.value) for case in cases] == [
        ({"x": 2, "k": 3}, 7),
        ({"x": 10, "k": 4}, 42),
        ({"x": 5, "k": 1}, 6),
    ]
    assert {(case.task_id, str(case.place)) for case in cases} == {("task0", "task0.jsonl:1#1")}


def test_an_exception_that_the_log_shows_is_a_case(writer: Writer, local: Sandbox) -> None:
    found = definition(
        writer, (SCALE, ""), ("print(scale(2, 0))", "Traceback ...", "ValueError: k")
    )
    (case,) = recover_cases(found.occurrences, found.parameters, local)
    assert (case.arguments, case.value, case.error) == ({"x": 2, "k": 0}, None, "ValueError")


def test_an_exception_that_was_caught_is_a_case(writer: Writer, local: Sandbox) -> None:
    code = "try:\n    scale(2, 0)\nexcept ValueError:\n    print('caught')"
    found = definition(writer, (SCALE, ""), (code, "caught"))
    (case,) = recover_cases(found.occurrences, found.parameters, local)
    assert case.error == "ValueError"


def test_defaults_are_part_of_the_arguments(writer: Writer, local: Sandbox) -> None:
    code = "def scale(x, k=3):\n    return x * k + len(str(x))\nprint(scale(2))"
    assert recovered(definition(writer, (code, "7")), local) == [({"x": 2, "k": 3}, 7)]


def test_only_the_outermost_call_of_a_recursion_is_a_case(writer: Writer, local: Sandbox) -> None:
    code = "def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\nprint(fact(5))"
    assert recovered(definition(writer, (code, "120")), local) == [({"n": 5}, 120)]


def test_arguments_are_those_before_the_call(writer: Writer, local: Sandbox) -> None:
    code = (
        "def last(xs):\n    top = xs.pop() * 2 - 1\n    return top + len(xs)\nprint(last([1, 2]))"
    )
    assert recovered(definition(writer, (code, "4")), local) == [({"xs": [1, 2]}, 4)]


def test_a_window_of_statements_is_a_case_each_time_it_runs(writer: Writer, local: Sandbox) -> None:
    code = """
        for cells in [[1, 3], [2]]:
            total = sum(cells) * len(cells)
            top = max(cells) - min(cells) + total
            print(top)
    """
    found = window(writer, (code, "10\n2"))
    assert recovered(found, local) == [({"cells": [1, 3]}, 10), ({"cells": [2]}, 2)]


# -- what is not believed


@pytest.mark.parametrize("logged", ["8", "", "7 7", "error"])
def test_a_run_that_shows_something_else_than_the_log_gives_no_case(
    writer: Writer, local: Sandbox, logged: str
) -> None:
    assert recovered(definition(writer, (SCALE, ""), ("print(scale(2, 3))", logged)), local) == []


def test_a_run_that_fails_otherwise_than_the_log_says_gives_no_case(
    writer: Writer, local: Sandbox
) -> None:
    for snippet in [
        ("print(scale(2, 0))", "", "KeyError: k"),
        ("print(scale(2, 3))", "7", "ValueError: k"),
    ]:
        found = definition(writer, (SCALE, ""), snippet)
        assert recover_cases(found.occurrences, found.parameters, local) == []
    succeeded = definition(writer, (SCALE, ""), ("print(scale(2, 0))", ""))
    assert recover_cases(succeeded.occurrences, succeeded.parameters, local) == []


def test_an_unfaithful_snippet_does_not_spoil_the_others(writer: Writer, local: Sandbox) -> None:
    found = definition(
        writer, (SCALE, ""), ("print(scale(2, 3))", "wrong"), ("print(scale(1, 1))", "2")
    )
    assert recovered(found, local) == [({"x": 1, "k": 1}, 2)]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("def f(x):\n    return {x, x + 1, len(str(x))}\nprint(len(f(5)))", "3"),
        ("def f(x):\n    return {x: x + 1, 2: len(str(x))}\nprint(len(f(5)))", "2"),
        ("def f(x):\n    return [{'k': {x: x + len(str(x))}}]\nprint(len(f(5)))", "1"),
        ("def f(x):\n    return float('nan') * x + len(str(x))\nprint(f(5))", "nan"),
        ("def f(x):\n    return float('inf') * x + len(str(x))\nprint(f(5))", "inf"),
        ("def f(x):\n    return b'ab' * x + b'c' * len(str(x))\nprint(len(f(5)))", "11"),
        ("def f(x):\n    return max(x) + min(x) + len(str(x))\nprint(f({5}))", "13"),
        ("def f(x):\n    return x[1] + len(str(x)) + len(x) * 2\nprint(f({1: 5}))", "13"),
        ("def f(x):\n    return (i * x for i in range(len(str(x))))\nprint(len(list(f(5))))", "1"),
        ("def f(x):\n    return 'y' * x * 30_000 + str(x)\nprint(len(f(5)))", "150001"),
    ],
)
def test_values_that_json_does_not_carry_give_no_case(
    writer: Writer, local: Sandbox, code: str, shown: str
) -> None:
    assert recovered(definition(writer, (code, shown)), local) == []


def test_a_value_that_is_not_carried_does_not_spoil_the_others(
    writer: Writer, local: Sandbox
) -> None:
    code = "def f(x):\n    return float(x) * 2 + len(str(x)) * 0\nprint(f('nan'), f('2'))"
    assert recovered(definition(writer, (code, "nan 4.0")), local) == [({"x": "2"}, 4.0)]


@pytest.mark.parametrize("broken", ["return 5", "break", "def g(:", "%run x", "nonlocal x"])
def test_a_snippet_that_python_refuses_does_not_spoil_the_others(
    writer: Writer, local: Sandbox, broken: str
) -> None:
    found = definition(
        writer, (SCALE, ""), (broken, "SyntaxError", "SyntaxError: x"), ("print(scale(1, 1))", "2")
    )
    assert recovered(found, local) == [({"x": 1, "k": 1}, 2)]


def test_tuples_are_carried_as_lists(writer: Writer, local: Sandbox) -> None:
    code = "def f(x):\n    return x, [x + 1, (x * 2, len(str(x)))]\nprint(f(5))"
    found = definition(writer, (code, "(5, [6, (10, 1)])"))
    assert recovered(found, local) == [({"x": 5}, [5, [6, [10, 1]]])]


def test_code_that_keeps_a_state_of_its_own_gives_no_case(writer: Writer, local: Sandbox) -> None:
    code = """
        def count(x):
            count.calls = count.calls + 1 if hasattr(count, 'calls') else 1
            return x + count.calls * 2
        print(count(3), count(3))
    """
    found = definition(writer, (code, "5 7"))
    assert recover_cases(found.occurrences, found.parameters, local) == []


def test_a_task_that_contradicts_another_leaves_no_case(writer: Writer, local: Sandbox) -> None:
    code = "import os\ndef f(x):\n    return x + len(os.sep) * 2\n{}print(f(3))"
    plain, forged = code.format(""), code.format("os.sep = 'abc'\n")
    traces = [
        writer.trace("a", writer.code(plain, "5")),
        writer.trace("b", writer.code(forged, "9")),
    ]
    (found,) = writer.repeated_code(traces, DEFINITIONS)
    assert recover_cases(found.occurrences[:1], found.parameters, local) != []
    assert recover_cases(found.occurrences, found.parameters, local) == []


# -- hostile sessions

TAMPERING = {
    "endless loop": "while True:\n    pass",
    "exit": "import os\nos._exit(0)",
    "exit with a report": "import os, sys\nsys.stdout.write('{}')\nsys.stdout.flush()\nos._exit(0)",
    "interrupt": "raise KeyboardInterrupt",
    "flood": "while True:\n    print('x' * 100_000)",
    "recursion": "def g(n):\n    return g(n + 1)\ng(0)",
    "no recorder": "_toolguild_recorder = None",
    "other report": "_toolguild_recorder.report = lambda: [1, 2]",
    "report of texts": "_toolguild_recorder.report = lambda: {'cases': 'x', 'errors': 3}",
    "report that fails": "_toolguild_recorder.report = lambda: 1 / 0",
    "case of nothing": "_toolguild_recorder._cases.append({})",
    "case of other arguments": "_toolguild_recorder._cases.append("
    "{'block': 1, 'arguments': {'y': 1}, 'value': 2})",
    "case without arguments": "_toolguild_recorder._cases.append("
    "{'block': 1, 'arguments': {}, 'value': 2})",
    "case of more arguments": "_toolguild_recorder._cases.append("
    "{'block': 1, 'arguments': {'x': 1, 'k': 2, 'z': 3}, 'value': 2})",
    "case of no snippet": "_toolguild_recorder._cases.append("
    "{'block': -1, 'arguments': {'x': 1, 'k': 2}, 'value': 2})",
    "deep case": "deep = []\nfor _ in range(900):\n    deep = [deep]\n"
    "_toolguild_recorder._cases.append("
    "{'block': 1, 'arguments': {'x': deep, 'k': 2}, 'value': 2})",
    "marks": "print('\\x1e\\x1e\\x1e7')",
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_hostile_sessions_crash_nothing_and_forge_no_result_of_others(
    writer: Writer, local: Sandbox, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolguild.synth.drafting import recovery

    monkeypatch.setattr(recovery, "_LIMITS", replace(recovery._LIMITS, wall_s=1.0))
    good = [writer.code(SCALE), writer.code("print(scale(2, 3))", "7")]
    bad = [writer.code(SCALE), writer.code("print(scale(2, 3))", "7"), writer.code(TAMPERING[kind])]
    traces = [
        writer.trace("bad", *bad),
        writer.trace("good", *good),
    ]
    (found,) = writer.repeated_code(traces, DEFINITIONS)
    cases = recover_cases(found.occurrences, found.parameters, local)
    honest = Case({"x": 2, "k": 3}, 7, None, (), "", found.occurrences[0].place)
    assert {(str(case.arguments), case.value) for case in cases} == {
        (str(honest.arguments), honest.value)
    }
    draft_tool(found, local)


def test_a_forged_case_speaks_for_its_own_session_only(writer: Writer, local: Sandbox) -> None:
    forged = (
        "print(scale(2, 3))\n"
        "_toolguild_recorder._cases[0] = {'block': 1, 'arguments': {'x': 2, 'k': 3}, 'value': 8}"
    )
    steps = [writer.code(SCALE), writer.code(forged, "7")]
    honest = [writer.code(SCALE), writer.code("print(scale(2, 3))", "7")]
    traces = [writer.trace("forged", *steps), writer.trace("honest", *honest)]
    (found,) = writer.repeated_code(traces, DEFINITIONS)
    # It contradicts the honest session, so nothing is believed at all.
    assert recover_cases(found.occurrences, found.parameters, local) == []


# -- what is asked of the sandbox


def test_the_tasks_take_turns_and_only_so_many_sessions_are_run(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolguild.synth.drafting import recovery

    monkeypatch.setattr(recovery, "MAX_OCCURRENCES", 3)
    traces = [
        writer.trace(task, writer.code(f"tag = '{task}{run}'\n{SCALE}"), run=f"run{run}")
        for task in ("a", "b")
        for run in range(3)
    ]
    (found,) = writer.repeated_code(traces, DEFINITIONS)
    scripted = ScriptedSandbox({ENTRY: [Outcome(Status.TIMEOUT)] * 9})
    assert recover_cases(found.occurrences, found.parameters, scripted) == []
    asked = [run.program.source for run in scripted.runs]
    first, second, third = (
        next(one for one in found.occurrences if one.program == text) for text in asked
    )
    assert (first.task_id, second.task_id, third.task_id) == ("a", "b", "a")


def test_a_sandbox_that_cannot_run_is_no_answer(writer: Writer) -> None:
    found = definition(writer, (SCALE, ""), ("print(scale(2, 3))", "7"))
    broken = ScriptedSandbox(lambda run: SandboxUnavailableError("no isolation"))
    with pytest.raises(SandboxUnavailableError):
        draft_tool(found, broken)


def test_code_whose_runs_show_nothing_is_not_drafted(writer: Writer, local: Sandbox) -> None:
    never = definition(writer, (SCALE, ""))
    none = definition(
        writer, ("def f(x):\n    x.append(len(str(x)) + 1)\n    return None or None\nf([])", "")
    )
    for found in (never, none):
        drafted = draft_tool(found, local)
        assert isinstance(drafted, NotDrafted)
        assert "agrees with the log" in drafted.reason
