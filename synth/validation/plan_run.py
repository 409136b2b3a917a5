"""Running a plan as it stands: what a composite of it must do, without the composite's text.

The text of a composite is under suspicion; the plan is what was mined. So the plan is interpreted
here, on the host, with plain subscripts and loops, and fails as Python does where a result has
another shape than the plan expects.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from toolguild.sandbox import Json, JsonObject, ToolCallError, ToolGateway
from toolguild.synth.drafting.composite_names import parameter_spellings, result_keys
from toolguild.synth.plans import (
    EVALUATION_ERRORS,
    CallStep,
    Code,
    LoopStep,
    Parameter,
    Plan,
    PlanStep,
    Scope,
    evaluate,
    flags_of,
)

__all__ = ["CodeEndedError", "CompositeRun", "RunCode", "no_code", "run_composite", "run_plan"]

RunCode: TypeAlias = Callable[[Code, JsonObject], Json]
"""Runs code of a plan with its data, in a sandbox; raises `CodeEndedError`."""


class CodeEndedError(Exception):
    """Code of a plan came to no value; the message is the type of its exception, or the status."""


def no_code(code: Code, data: JsonObject) -> Json:
    """Refuse to run code, for plans that hold none.

    Raises:
        CodeEndedError: always.
    """
    message = "Refused"
    raise CodeEndedError(message)


@dataclass(frozen=True, slots=True)
class CompositeRun:
    """What the composite of a plan does for one set of arguments."""

    value: Json
    """What it returns; None where it raises."""
    error: str | None
    """Type of the exception that it raises."""
    calls: tuple[tuple[str, JsonObject], ...]
    """The tools that it calls and with what, in order; the last one may have failed."""


def run_composite(
    plan: Plan, arguments: JsonObject, call: ToolGateway, run_code: RunCode = no_code
) -> CompositeRun:
    """Run a plan as the tool that is drafted of it, failures included.

    Args:
        plan: What the tool does.
        arguments: What the tool is called with, by the names that it has for its parameters.
        call: Answers the calls.
        run_code: Runs the code of the plan.
    """
    spellings = parameter_spellings(plan)
    calls: list[tuple[str, JsonObject]] = []

    def noted(tool: str, given: JsonObject) -> Json:
        calls.append((tool, copy.deepcopy(given)))
        return call(tool, given)

    try:
        flags = {spellings[name]: True for name in flags_of(plan)}
        if arguments.keys() | flags.keys() != set(spellings.values()):
            _refuse(arguments, spellings)
        given: JsonObject = {**flags, **arguments}
        bindings = {name: given[spelling] for name, spelling in spellings.items()}
        results = run_plan(plan, bindings, noted, run_code)
    except ToolCallError:
        # By this name, whatever the gateway made of it: it is the one that the tool sees.
        return CompositeRun(None, ToolCallError.__name__, tuple(calls))
    except CodeEndedError as error:
        return CompositeRun(None, str(error), tuple(calls))
    except EVALUATION_ERRORS as error:
        return CompositeRun(None, type(error).__name__, tuple(calls))
    value: Json = dict(zip(result_keys(plan, spellings), results, strict=True))
    return CompositeRun(value, None, tuple(calls))


def run_plan(
    plan: Plan,
    bindings: Mapping[str, Json],
    call: ToolGateway,
    run_code: RunCode = no_code,
) -> list[Json]:
    """Make the calls of a plan and return the result of each step: of a loop, a list of them.

    What passes between the plan and a tool is copied, as on the way into and out of a sandbox: a
    tool that keeps or changes what it was given changes nothing here.

    Args:
        plan: What to do.
        bindings: Values of the plan's parameters, by the plan's own names for them.
        call: Answers the calls.
        run_code: Runs the code of the plan.

    Raises:
        ToolCallError: a call failed.
        CodeEndedError: code came to no value.
        LookupError: a result or an item lacks what the plan reads, or a parameter has no value.
        TypeError: a value has no parts, or is nothing to loop over.
        ValueError, ArithmeticError, AttributeError: nothing can be computed of a value.
    """
    results: list[Json] = []
    for step in plan:
        scope = Scope(bindings, results)
        if step.wanted and not evaluate(Parameter(step.wanted), scope):
            results.append(None)
        elif isinstance(step, CallStep):
            results.append(_call(step, scope, call, run_code))
        else:
            # Iterated as it is: the keys of an object and the characters of a text are items, too.
            items = cast("Iterable[Json]", evaluate(step.over, scope))
            results.append(
                [_call(step, replace(scope, item=item), call, run_code) for item in items]
            )
    return results


def _call(step: PlanStep, scope: Scope, call: ToolGateway, run_code: RunCode) -> Json:
    arguments = {name: copy.deepcopy(evaluate(origin, scope)) for name, origin in step.arguments}
    if step.code:
        return run_code(step.code, arguments)
    try:
        return copy.deepcopy(call(step.tool, arguments))
    except ToolCallError:
        if isinstance(step, LoopStep) or step.otherwise is None:
            raise
        return _call(step.otherwise, scope, call, run_code)


def _refuse(arguments: JsonObject, spellings: Mapping[str, str]) -> None:
    message = f"the tool takes {sorted(spellings.values())}, not {sorted(arguments)}"
    raise TypeError(message)
