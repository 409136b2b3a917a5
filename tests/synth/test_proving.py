"""From an opportunity to a proven tool: what a failed validation teaches, and what it does not."""

from __future__ import annotations

from textwrap import dedent
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json, JsonObject, Limits, Sandbox
from toolguild.synth.mining import MiningSettings
from toolguild.synth.proving import Proof, prove
from toolguild.synth.validation import CheckName, ValidationSettings

Writer: TypeAlias = Any

SETTINGS = ValidationSettings(inputs=40, repeats=10, limits=Limits(wall_s=1.0))


def proof(writer: Writer, sandbox: Sandbox, function: str, *runs: tuple[str, str]) -> Proof:
    """Prove the function that two tasks wrote, from runs of it (code, output)."""
    steps = [writer.code(dedent(function)), *(writer.code(*run) for run in runs)]
    traces = [writer.trace(f"task{number}", *steps) for number in range(2)]
    (found,) = writer.repeated_code(traces, MiningSettings(statements_support=9))
    return prove(found, sandbox, SETTINGS)


def parameter(proof: Proof, name: str) -> JsonObject:
    assert proof.draft is not None
    properties = proof.draft.parameters["properties"]
    assert isinstance(properties, dict)
    schema = properties[name]
    assert isinstance(schema, dict)
    return {key: value for key, value in schema.items() if key != "description"}


FACTORIAL = """
    def factorial(n):
        return 1 if n == 0 else n * factorial(n - 1)
"""


def test_a_bound_keeps_out_inputs_that_the_code_was_never_given(
    writer: Writer, local: Sandbox
) -> None:
    proven = proof(writer, local, FACTORIAL, ("print(factorial(5), factorial(0))", "120 1"))
    assert proven.passed
    assert parameter(proven, "n") == {"type": "integer", "minimum": 0}
    assert proven.draft is not None
    assert "n: An integer, at least 0, such as 5." in proven.draft.source


def test_the_mildest_bound_is_taken(writer: Writer, local: Sandbox) -> None:
    function = """
        def share(total, people):
            return [total // people + len(str(total)) * 0] * people if people >= 0 else 1 // 0
    """
    proven = proof(writer, local, function, ("print(share(6, 3))", "[2, 2, 2]"))
    assert proven.passed
    assert parameter(proven, "people") == {"type": "integer", "minimum": 1}
    assert parameter(proven, "total") == {"type": "integer"}


def test_a_bound_is_put_on_the_parameter_that_explains_the_failures_and_on_no_other(
    writer: Writer, local: Sandbox
) -> None:
    function = """
        def first(k, xs):
            return xs[0] * k + len(xs) - 1
    """
    proven = proof(writer, local, function, ("print(first(3, [4, 2]))", "13"))
    assert proven.passed
    assert parameter(proven, "k") == {"type": "integer"}
    assert parameter(proven, "xs")["minItems"] == 1


def test_bounds_on_two_parameters_can_be_needed(writer: Writer, local: Sandbox) -> None:
    function = """
        def spread(k, xs):
            return xs[0] * [5][0 if k >= 0 else 1] + len(xs) - 1
    """
    proven = proof(writer, local, function, ("print(spread(3, [4, 2]))", "21"))
    assert proven.passed
    assert parameter(proven, "k")["minimum"] == 0
    assert parameter(proven, "xs")["minItems"] == 1


@pytest.mark.parametrize(
    ("function", "run", "schema"),
    [
        (
            "def first(xs):\n    return xs[0] + len(xs) * 2 - 1",
            ("print(first([4, 2]))", "7"),
            {"type": "array", "items": {"type": "integer"}, "minItems": 1},
        ),
        (
            "def first(text):\n    return text[0].upper() + text[1:].lower()",
            ("print(first('aB'))", "Ab"),
            {"type": "string", "minLength": 1},
        ),
    ],
)
def test_what_was_never_empty_need_not_be(
    writer: Writer, local: Sandbox, function: str, run: tuple[str, str], schema: JsonObject
) -> None:
    proven = proof(writer, local, function, run)
    assert proven.passed
    (name,) = proven.draft.parameters["required"]  # type: ignore[union-attr,misc]
    assert parameter(proven, str(name)) == schema


@pytest.mark.parametrize(
    ("function", "run"),
    [
        # It was given a negative number once, so its failing on others is its own fault.
        (
            "def f(n):\n    return 10 // (n % 3) + len(str(n)) - 1",
            ("print(f(4), f(-8))", "10 11"),
        ),
        (
            "def f(n):\n    return [5][0 if n > -5 else 1] + len(str(n)) * 0 + n",
            ("print(f(9), f(-2))", "14 3"),
        ),
        # It fails for a text in the middle of its domain, which no bound keeps out.
        (
            "def f(text):\n    return int(text) * 2 + len(text) - 1",
            ("print(f('12'))", "25"),
        ),
        # A bound on one parameter explains some failures only.
        (
            "def f(xs, k):\n    return xs[0] + 10 // (k % 2) + len(xs) - 1",
            ("print(f([1], 7))", "11"),
        ),
    ],
)
def test_failures_that_no_bound_explains_refuse_the_draft(
    writer: Writer, local: Sandbox, function: str, run: tuple[str, str]
) -> None:
    proven = proof(writer, local, function, run)
    assert not proven.passed
    assert proven.report is not None
    assert [check.name for check in proven.report.checks if check.passed is False] == [
        CheckName.GENERATED
    ]
    assert proven.draft is not None
    required = proven.draft.parameters["required"]
    assert isinstance(required, list)
    assert all("minimum" not in parameter(proven, str(name)) for name in required)


def test_a_result_of_a_type_that_was_not_recorded_widens_the_schema(
    writer: Writer, local: Sandbox
) -> None:
    function = """
        def half(n):
            return n // 2 if n % 2 == 0 else n / 2
    """
    proven = proof(writer, local, function, ("print(half(4))", "2"))
    assert proven.passed
    assert proven.draft is not None
    assert proven.draft.returns == {"type": "number"}
    assert "(n: int) -> float:" in proven.draft.source


def test_none_is_no_result_to_widen_a_schema_by(writer: Writer, local: Sandbox) -> None:
    function = """
        def find(n):
            if n % 2 == 0:
                return n * 10 + len(str(n))
    """
    proven = proof(writer, local, function, ("print(find(4))", "41"))
    assert not proven.passed
    assert any(reason.startswith(CheckName.RESULT) for reason in proven.report.reasons)  # type: ignore[union-attr]


def test_code_without_a_faithful_run_is_not_drafted(writer: Writer, local: Sandbox) -> None:
    proven = proof(writer, local, FACTORIAL, ("print(factorial(5))", "121"))
    assert (proven.draft, proven.report, proven.passed) == (None, None, False)
    assert "agrees with the log" in proven.reason


def test_a_sequence_is_proven_on_its_recordings(writer: Writer, local: Sandbox) -> None:
    def trace(task: int) -> Any:
        hits: Json = [f"hit-{task}-{number}" for number in range(1 + task % 3)]
        gets = [writer.call("get_hit", {"hit": hit}, {"of": hit}) for hit in hits]  # type: ignore[union-attr]
        return writer.trace(
            f"task{task}", writer.call("find_hits", {"text": f"word{task}"}, hits), *gets
        )

    (found,) = writer.sequences(map(trace, range(3)))
    proven = prove(found, local, SETTINGS)
    assert proven.passed
    assert proven.report is not None
    assert proven.report.cases == 3


def test_the_same_opportunity_gives_the_same_proof(writer: Writer, local: Sandbox) -> None:
    runs = [("print(factorial(5), factorial(0))", "120 1")]
    first, second = (proof(writer, local, FACTORIAL, *runs) for _ in range(2))
    assert first == second
