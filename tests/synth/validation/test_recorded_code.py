"""Code that stands in a plan runs in the sandbox, on data of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolguild.sandbox import Json, JsonObject, Limits, Sandbox
from toolguild.synth.plans import CODE, CallStep, Code, FromResult, LoopStep, Parameter, Plan
from toolguild.synth.validation.plan_run import CodeEndedError, run_composite, run_plan
from toolguild.synth.validation.recorded_code import code_runner


def numbers(name: str, arguments: JsonObject) -> Json:
    return arguments["of"]


def plan_of(code: Code) -> Plan:
    return (
        CallStep("get_numbers", (("of", Parameter("of")),)),
        CallStep(f"{CODE}1", (("data", FromResult(0, ())),), code=code),
        LoopStep("get_numbers", FromResult(1, ()), (("of", FromResult(1, ())),)),
    )


FIRST_TWO = Code("first", "def first(data):\n    data.sort()\n    return data[:2]\n")


def test_code_is_a_step_like_any_other_and_changes_no_result(local: Sandbox) -> None:
    run_code = code_runner(local, Limits())
    results = run_plan(plan_of(FIRST_TWO), {"of": [3, 1, 2]}, numbers, run_code)
    assert results == [[3, 1, 2], [1, 2], [[1, 2], [1, 2]]]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def first(data):\n    return data['x']\n", "TypeError"),
        ("def first(data):\n    while True:\n        pass\n", "timeout"),
    ],
)
def test_how_code_ends_is_how_the_composite_ends(source: str, error: str, local: Sandbox) -> None:
    run_code = code_runner(local, Limits(wall_s=0.5))
    run = run_composite(plan_of(Code("first", source)), {"of": [3]}, numbers, run_code)
    assert (run.value, run.error) == (None, error)
    assert run.calls == (("get_numbers", {"of": [3]}),)


def test_code_reaches_no_file(local: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "left"
    source = f"def first(data):\n    open({str(target)!r}, 'w').write('x')\n    return []\n"
    with pytest.raises(CodeEndedError):
        run_plan(plan_of(Code("first", source)), {"of": []}, numbers, code_runner(local, Limits()))
    assert not target.exists()


def test_without_a_sandbox_no_code_runs() -> None:
    with pytest.raises(CodeEndedError, match="Refused"):
        run_plan(plan_of(FIRST_TWO), {"of": [1]}, numbers)
