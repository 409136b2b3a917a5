"""Plans as plain data, for what is kept beyond one run."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.plans.functions import FUNCTIONS
from toolguild.synth.plans.plan import (
    CallStep,
    Code,
    Computed,
    Constant,
    FromItem,
    FromResult,
    JsonPath,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
)

__all__ = ["plan_from_json", "plan_to_json"]


def plan_to_json(plan: Plan) -> list[Json]:
    """Return a plan as plain data: one object for each step."""
    return [_step(step) for step in plan]


def plan_from_json(data: Json) -> Plan:
    """Return the plan that `plan_to_json` made data of.

    Raises:
        ValueError: the data is of no plan.
    """
    if not isinstance(data, list):
        message = f"a plan is a list of steps, not {type(data).__name__}"
        raise ValueError(message)
    return tuple(_read_step(step) for step in data)


def _step(step: PlanStep) -> JsonObject:
    arguments: list[Json] = [[name, _origin(origin)] for name, origin in step.arguments]
    told: JsonObject = {"call": step.tool, "arguments": arguments}
    if step.wanted:
        told["if"] = step.wanted
    if step.code:
        told["code"] = {"name": step.code.name, "source": step.code.source}
    if isinstance(step, LoopStep):
        return {"for_each": _origin(step.over), **told}
    return {**told, "otherwise": _step(step.otherwise)} if step.otherwise else told


def _origin(origin: Origin) -> JsonObject:
    match origin:
        case Parameter(name):
            return {"parameter": name}
        case Constant(value):
            return {"constant": value}
        case FromResult(step, path):
            return {"result_of": step, "path": [*path]}
        case FromItem(path):
            return {"item": [*path]}
        case Computed(function, inputs):
            return {"compute": function, "of": [_origin(given) for given in inputs]}


def _read_step(data: Json) -> PlanStep:
    match data:
        case {"if": str() as wanted, **rest}:
            return replace(_read_step(cast("JsonObject", rest)), wanted=wanted)
        case {"code": {"name": str() as name, "source": str() as source}, **rest}:
            return replace(_read_step(cast("JsonObject", rest)), code=Code(name, source))
        case {"code": _}:
            pass
        case {"for_each": looped, "call": str() as tool, "arguments": list() as pairs}:
            over = _read_origin(looped)
            if isinstance(over, FromResult | Parameter | Computed):
                return LoopStep(tool, over, _read_arguments(pairs))
        case {"call": str() as tool, "arguments": list() as pairs, "otherwise": instead}:
            otherwise = _read_step(instead)
            if isinstance(otherwise, CallStep):
                return CallStep(tool, _read_arguments(pairs), otherwise)
        case {"call": str() as tool, "arguments": list() as pairs}:
            return CallStep(tool, _read_arguments(pairs))
    raise _no_part_of_a_plan(data)


def _read_arguments(pairs: list[Json]) -> tuple[tuple[str, Origin], ...]:
    return tuple(_read_argument(pair) for pair in pairs)


def _read_argument(data: Json) -> tuple[str, Origin]:
    match data:
        case [str() as name, origin]:
            return name, _read_origin(origin)
    raise _no_part_of_a_plan(data)


def _read_origin(data: Json) -> Origin:
    match data:
        case {"parameter": str() as name}:
            return Parameter(name)
        case {"constant": value}:
            return Constant(value)
        case {"result_of": int() as step, "path": list() as path}:
            return FromResult(step, _read_path(path))
        case {"item": list() as path}:
            return FromItem(_read_path(path))
        case {"compute": str() as function, "of": list() as inputs} if function in FUNCTIONS:
            return Computed(function, tuple(_read_origin(given) for given in inputs))
    raise _no_part_of_a_plan(data)


def _read_path(parts: list[Json]) -> JsonPath:
    path = tuple(part for part in parts if isinstance(part, str | int))
    if len(path) != len(parts):
        raise _no_part_of_a_plan(parts)
    return path


def _no_part_of_a_plan(data: object) -> ValueError:
    return ValueError(f"no part of a plan: {str(data)[:100]}")
