"""Checks that agents write again and again, and holes for whole expressions."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Sandbox
from toolguild.synth.mining import MiningSettings, RepeatedCode
from toolguild.synth.mining.purity import canonical_order
from toolguild.synth.proving import prove
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any

QUICK = ValidationSettings(inputs=20, crowd=50, mutants=0)


def sessions(writer: Writer, *codes: str) -> list[Trace]:
    """Return one trace of one snippet for each text, all of different tasks."""
    return [
        writer.trace(f"task{number}", writer.code(dedent(code)))
        for number, code in enumerate(codes)
    ]


def mined(writer: Writer, *codes: str, **settings: Any) -> list[RepeatedCode]:
    return list(writer.repeated_code(sessions(writer, *codes), MiningSettings(**settings)))


CHECKS = [
    "assert add(1, 2) == 3, 'Expected 3 but got {}'.format(add(1, 2))",
    "res = work([4])\nassert res == [1, 2], 'Expected [1,2] but got {}'.format(res)",
    "assert name(5) == 'ab', f\"Expected 'ab' but got {name(5)}\"",
    "done = run()\nassert done == True, 'Expected True but got ' + str(done)",
]


def test_a_message_made_of_the_values_goes_with_the_check(writer: Writer) -> None:
    (found,) = mined(writer, *CHECKS * 2)
    assert (found.name, found.kind) == ("check_equal", "check")
    assert found.parameters == ("got", "expected")
    assert found.source == dedent("""\
        def check_equal(got, expected):
            assert got == expected, f'Expected {expected!r} but got {got}'
            return True""")
    assert len(found.occurrences) == 8


def test_a_check_that_is_no_longer_than_its_call_is_no_tool(writer: Writer) -> None:
    assert mined(writer, *(f"assert work({n}) == {n}" for n in range(9))) == []


def test_a_check_with_a_message_of_its_own_is_not_claimed(writer: Writer) -> None:
    codes = [f"assert work({n}) == {n}, 'Case number {n + 50} has failed'" for n in range(9)]
    assert mined(writer, *codes) == []


def test_what_a_check_calls_is_never_a_parameter(writer: Writer) -> None:
    codes = [f"assert f{n}(data) == g{n}(data) and len(data) > 0, 'they differ'" for n in range(9)]
    for found in mined(writer, *codes):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(found.source))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert called <= {"len"}


LOOPED = """
    total = 0
    for item in items:
        total += item * {0} + len(items) * max(items) - min(items) % 7
    print(total)
"""


def test_an_expression_inside_a_loop_is_no_parameter(writer: Writer) -> None:
    """It would be evaluated once, before."""
    inner = ["len(names)", "items[0]", "read()", "sum(names)"]
    for found in mined(writer, *(LOOPED.format(one) for one in inner * 2)):
        assert "total += item * value" not in found.source


FORMULA = """
    low = min(data) * {0} + max(data) * {0} - len(data) % 3 + sum(data) * 17 - len(data) ** 5
    print(low)
"""


def test_an_expression_that_is_evaluated_once_becomes_a_parameter(writer: Writer) -> None:
    inner = ["len(names)", "limit", "rates[0]", "(a + b)"]
    (found,) = mined(writer, *(FORMULA.format(one) for one in inner * 2))
    assert set(found.parameters) == {"data", "value"}
    assert found.source.count("value") == 3


def test_statements_in_another_order_are_the_same_code(writer: Writer) -> None:
    one = """
        low = min(data) * 3 + 1
        high = max(data) * 5 - 2
        print(low, high)
    """
    other = """
        high = max(data) * 5 - 2
        low = min(data) * 3 + 1
        print(low, high)
    """
    (found,) = mined(writer, one, other, one)
    assert len(found.occurrences) == 3


names = st.sampled_from("abcd")
statements = st.builds(
    "{0} = {1} * 2 + {2}".format, names, names | st.just("1"), names | st.just("7")
)


@given(lines=st.lists(statements, min_size=1, max_size=5), data=st.data())
def test_the_canonical_order_computes_the_same_and_is_the_same_for_all(
    lines: list[str], data: st.DataObject
) -> None:
    parsed = ast.parse("\n".join(lines)).body
    keys = [ast.unparse(statement) for statement in parsed]
    order = canonical_order(parsed, keys)
    assert sorted(order) == list(range(len(lines)))

    def state(arranged: list[str]) -> dict[str, int]:
        scope: dict[str, Any] = dict.fromkeys("abcd", 3)
        exec("\n".join(arranged), {}, scope)  # noqa: S102 - written right here
        return scope

    arranged = [keys[number] for number in order]
    assert state(arranged) == state(keys)
    again = canonical_order([parsed[number] for number in order], arranged)
    assert [arranged[number] for number in again] == arranged


RUNNABLE = [
    "def add(a, b):\n    return a + b\n"
    "assert add(1, 2) == 3, 'Expected 3 but got {}'.format(add(1, 2))",
    "x = [1, 2]\nassert x == [1, 2], 'Expected [1, 2] but got {}'.format(x)",
    "y = 'ab'\nassert y == 'ab', f\"Expected 'ab' but got {y}\"",
    "z = True\nassert z == True, 'Expected True but got {}'.format(z)",
]


def test_a_check_becomes_a_tool_that_returns_true_or_raises(writer: Writer, local: Sandbox) -> None:
    (found,) = [one for one in mined(writer, *RUNNABLE * 2) if one.kind == "check"]
    proof = prove(found, local, QUICK)
    assert proof.passed, proof.report and proof.report.reasons
    assert proof.draft is not None
    assert "raise AssertionError(f'Expected {expected!r} but got {got}')" in proof.draft.source
    assert proof.draft.returns == {"type": "boolean"}


def test_a_check_that_failed_is_a_case_of_its_tool(writer: Writer, local: Sandbox) -> None:
    failing = "x = [1, 3]\nassert x == [1, 2], 'Expected [1, 2] but got {}'.format(x)"
    traces = [
        *sessions(writer, *RUNNABLE),
        *[
            writer.trace(f"failing{n}", writer.code(failing, "", error="AssertionError: Expected"))
            for n in range(4)
        ],
    ]
    (found,) = [one for one in writer.repeated_code(traces) if one.kind == "check"]
    proof = prove(found, local, QUICK)
    assert proof.passed
    assert proof.draft is not None
    cases = (*proof.draft.cases, *proof.draft.held_out)
    assert {case.error for case in cases} == {None, "AssertionError"}


@pytest.mark.parametrize("pair", ["(1, 2)", "((), 1)"])
def test_values_that_json_would_change_are_no_cases(
    writer: Writer, local: Sandbox, pair: str
) -> None:
    codes = [
        *RUNNABLE,
        *[f"x = {pair}\nassert x == {pair}, 'Expected {pair} but got {{}}'.format(x)"] * 2,
    ]
    (found,) = [one for one in mined(writer, *codes) if one.kind == "check"]
    proof = prove(found, local, QUICK)
    assert proof.draft is not None
    assert len((*proof.draft.cases, *proof.draft.held_out)) == 4
