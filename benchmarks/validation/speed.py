"""How long validation takes: the gate alone, and the whole of it for a small pure tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from benchmarks.sandbox.timing import Times, measure
from benchmarks.static_gate.speed import tool_times
from toolguild.policies import load_profile
from toolguild.sandbox import SandboxUnavailableError, open_sandbox
from toolguild.synth.drafting import Case
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place
from toolguild.synth.validation import ValidationSettings, validate

__all__ = ["INPUTS", "Speed", "measure_speed"]

INPUTS = 100
_RUNS = 11
_CHECKS = 300

_TOOL = '''\
def is_prime(n: int) -> bool:
    """Tell whether `n` is prime.

    Args:
        n: A whole number, such as 17.

    Returns:
        Whether it is.
    """
    if n < 2:
        return False
    for divisor in range(2, int(n**0.5) + 1):
        if n % divisor == 0:
            return False
    return True
'''
_RECORDED = {1: False, 2: True, 17: True, 91: False, 101: True, 7919: True}


@dataclass(frozen=True, slots=True)
class Speed:
    """What was timed, in milliseconds."""

    gate_ms: float
    """Median of the static gate for a tool of 40 lines."""
    validation: Mapping[str, Times]
    """Whole validations, by sandbox and by whether mutation adequacy is among it."""
    why_not: Mapping[str, str]
    """Sandboxes that could not be had, and why."""


def measure_speed() -> Speed:
    """Time the gate, and validations of one pure tool with 100 generated inputs each."""
    validation: dict[str, Times] = {}
    why_not: dict[str, str] = {}
    kinds: tuple[Literal["docker", "local"], ...] = ("docker", "local")
    for kind in kinds:
        try:
            validation |= _validation_times(kind)
        except SandboxUnavailableError as error:
            why_not[kind] = str(error)
    gate = tool_times(_CHECKS, load_profile())["check"]
    return Speed(gate.p50, validation, why_not)


def _validation_times(kind: Literal["docker", "local"]) -> dict[str, Times]:
    place = Place("written.jsonl", 1)
    cases = [
        Case({"n": number}, value, None, (), str(number), place)
        for number, value in _RECORDED.items()
    ]
    draft = draft_from_text(_TOOL, cases)
    times = {}
    with open_sandbox(kind) as sandbox:
        for name, settings in (
            (f"{kind}, as shipped", ValidationSettings(inputs=INPUTS)),
            (f"{kind}, without mutation adequacy", ValidationSettings(inputs=INPUTS, mutants=0)),
        ):
            report = validate(draft, sandbox, settings)
            if not report.passed:
                message = f"the tool that is timed does not pass: {report.reasons}"
                raise RuntimeError(message)
            times[name] = measure(partial(validate, draft, sandbox, settings), _RUNS)
    return times
