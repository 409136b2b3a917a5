"""The whole way of code that calls different functions: mined, drafted, proven, put to use."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from textwrap import dedent
from typing import Any, TypeAlias

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Json, Limits, Program, Sandbox, Status
from toolguild.synth.mining import RepeatedCode
from toolguild.synth.proving import Proof, prove
from toolguild.synth.rewriting import CodeTool, measure_code
from toolguild.synth.traces import Trace
from toolguild.synth.validation import CheckName, ValidationSettings

Writer: TypeAlias = Any

SETTINGS = ValidationSettings(inputs=40, crowd=200, repeats=10, limits=Limits(wall_s=1.0))

MARGIN = """
    prices = {prices}
    rate = {rate}
    adjusted = []
    for price in prices:
        adjusted.append(round(price * (1 + rate / 100), 2))
    margin = {function}(adjusted) - sum(prices) / len(prices)
    print(margin)
"""
HEIGHT = """
    import math
    {imports}
    angle = {angle}
    side = {side}
    edge = side * 2 + 1
    height = round({function}(math.radians(angle)) * edge / 2 + math.sqrt(edge) * (side + 1), 3)
    print(height)
"""


def trace(writer: Writer, task: str, text: str, **values: object) -> Trace:
    """Return a run of one snippet with what it prints; the code is this module's own."""
    code = dedent(text.format(**values))
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(code, {})  # noqa: S102 - written right here
    made: Trace = writer.trace(task, writer.code(code, printed.getvalue()))
    return made


def margins(writer: Writer, *functions: str, first: int = 0) -> list[Trace]:
    return [
        trace(
            writer,
            f"task{number}",
            MARGIN,
            prices=[number * 7 % 50 + place * 3 % 8 for place in range(2 + number % 3)],
            rate=number % 9 + 1,
            function=function,
        )
        for number, function in enumerate(functions, start=first)
    ]


def proven(writer: Writer, local: Sandbox, traces: list[Trace]) -> Proof:
    (found,) = writer.repeated_code(traces)
    assert isinstance(found, RepeatedCode)
    return prove(found, local, SETTINGS)


@pytest.fixture(scope="module")
def margin(writer: Writer, local: Sandbox) -> Proof:
    return proven(writer, local, margins(writer, *("max", "min", "sum") * 4))


def test_a_tool_that_is_told_what_to_call_is_drafted_and_passes(margin: Proof) -> None:
    assert margin.passed
    assert margin.draft is not None
    assert margin.draft.source == dedent('''\
        from typing import Literal


        def compute_margin(
            prices: list[int],
            rate: float,
            function: Literal['max', 'min', 'sum'],
        ) -> float:
            """Compute the margin from `prices`, `rate` and `function`.

            Args:
                prices: The prices, not empty.
                rate: The rate, such as 1.
                function: The function that is called, 'max', 'min' or 'sum'.

            Returns:
                A number, such as 1.5299999999999998.
            """
            functions = {'max': max, 'min': min, 'sum': sum}
            if function not in functions:
                raise ValueError("function must be 'max', 'min' or 'sum'")
            chosen = functions[function]
            adjusted = []
            for price in prices:
                adjusted.append(round(price * (1 + rate / 100), 2))
            return chosen(adjusted) - sum(prices) / len(prices)
    ''')
    properties = margin.draft.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["function"] == {
        "type": "string",
        "enum": ["max", "min", "sum"],
        "description": "The function that is called, 'max', 'min' or 'sum'",
    }


def test_it_is_tried_on_every_function_and_on_no_other(margin: Proof) -> None:
    assert margin.draft is not None
    recorded = (*margin.draft.cases, *margin.draft.held_out)
    assert {case.arguments["function"] for case in recorded} == {"max", "min", "sum"}
    assert margin.report is not None
    checks = {check.name: check.passed for check in margin.report.checks}
    assert checks[CheckName.HELD_OUT]
    assert checks[CheckName.ORIGINAL]


@pytest.mark.parametrize("function", ["len", "print", "eval", "__import__", "", "MAX"])
def test_it_calls_nothing_else_whatever_it_is_given(
    margin: Proof, local: Sandbox, function: str
) -> None:
    assert margin.draft is not None
    program = Program(margin.draft.source, margin.draft.name)
    arguments: dict[str, Json] = {"prices": [1, 2], "rate": 3, "function": function}
    outcome = local.run(program, arguments, tier=Tier.SANDBOX)
    assert outcome.status is Status.ERROR
    assert "ValueError: function must be 'max', 'min' or 'sum'" in outcome.error


def test_code_that_calls_any_of_the_functions_is_rewritten_and_prints_the_same(
    writer: Writer, local: Sandbox, margin: Proof
) -> None:
    assert margin.draft is not None
    tool = CodeTool.of("compute_margin@1", margin.draft)
    assert tool is not None
    unseen = margins(writer, "sum", "max", "len", "min", first=40)
    measured = measure_code([tool], unseen, local)
    assert [use.trace_id for use in measured.uses] == ["task40/run", "task41/run", "task43/run"]
    assert measured.refused == []
    assert measured.uses[0].place.text.endswith("'sum')")
    assert measured.saved == sum(use.place.saved for use in measured.uses) > 0


def test_functions_of_modules_are_chosen_by_their_full_names(
    writer: Writer, local: Sandbox
) -> None:
    ways = [("", "math.sin"), ("from math import cos", "cos"), ("import math as m", "m.tan")]
    traces = [
        trace(
            writer,
            f"task{number}",
            HEIGHT,
            imports=ways[number % 3][0],
            function=ways[number % 3][1],
            angle=number * 5 + 7,
            side=number * 3 % 11,
        )
        for number in range(15)
    ]
    proof = proven(writer, local, traces[:12])
    assert proof.passed
    assert proof.draft is not None
    properties = proof.draft.parameters["properties"]
    assert isinstance(properties, dict)
    function, side = properties["function"], properties["side"]
    assert isinstance(function, dict)
    assert function["enum"] == ["math.cos", "math.sin", "math.tan"]
    # The `ValueError` of a root is not taken for that which refuses other names.
    assert isinstance(side, dict)
    assert side["minimum"] == 0
    tool = CodeTool.of("compute_height@1", proof.draft)
    assert tool is not None
    measured = measure_code([tool], traces[12:], local)
    assert len(measured.uses) == 3
    assert measured.refused == []
