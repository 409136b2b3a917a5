"""The Python text of what a plan does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, groupby

from toolguild.synth.drafting.composite_names import list_name, reserved_names
from toolguild.synth.drafting.inlined_code import InlinedCode
from toolguild.synth.drafting.text import bracketed
from toolguild.synth.drafting.wording import (
    singular,
    unique,
)
from toolguild.synth.plans import (
    CallStep,
    Constant,
    FromItem,
    FromResult,
    Leaf,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    literal,
    subscripts,
    written,
)

__all__ = ["body_of"]


def body_of(
    plan: Plan,
    keys: Sequence[str],
    spellings: Mapping[str, str],
    code: Mapping[int, InlinedCode],
) -> list[str]:
    """Return the statements of the tool, with the functions that its code was made into."""
    lines: list[str] = []
    steps = [*zip(plan, keys, map(code.get, range(len(plan))), strict=True)]
    for wanted, together in groupby(steps, key=lambda one: one[0].wanted):
        optional = [*together]
        block = chain.from_iterable(
            _step_lines(step, key, plan, keys, spellings, run) for step, key, run in optional
        )
        if wanted:
            lines += [f"{key} = None" for _, key, _ in optional]
            lines += [f"if {spellings[wanted]}:", *(f"    {line}" for line in block)]
        else:
            lines += block
    return [*lines, *bracketed("return {", [f'"{key}": {key}' for key in keys], "}")]


def _step_lines(
    step: PlanStep,
    key: str,
    plan: Plan,
    keys: Sequence[str],
    spellings: Mapping[str, str],
    code: InlinedCode | None,
) -> list[str]:
    if isinstance(step, CallStep):
        if code:
            return _run(f"{key} = ", code, step, "", keys, spellings)
        return _attempt(key, step, keys, spellings)
    wish = _looped_over(step, keys, spellings)
    item = unique(singular(wish), [*keys, *spellings.values(), *reserved_names(plan)])
    source = _expression(step.over, "", keys, spellings)
    if code:
        call = _run("", code, step, item, keys, spellings)
    else:
        call = _call("", step, item, keys, spellings)
    return [
        f"{key} = [",
        *(f"    {line}" for line in call),
        f"    for {item} in {source}",
        "]",
    ]


def _attempt(
    key: str, step: CallStep, keys: Sequence[str], spellings: Mapping[str, str]
) -> list[str]:
    """Return the lines of a call, and of what is called where it fails."""
    call = _call(f"{key} = ", step, "", keys, spellings)
    if step.otherwise is None:
        return call
    instead = _attempt(key, step.otherwise, keys, spellings)
    return [
        "try:",
        *(f"    {line}" for line in call),
        "except ToolCallError:",
        *(f"    {line}" for line in instead),
    ]


def _looped_over(step: LoopStep, keys: Sequence[str], spellings: Mapping[str, str]) -> str:
    """Return the name of the list that a loop goes over."""
    match step.over:
        case Parameter(name):
            return spellings[name].removesuffix("_list")
        case FromResult(number, ()):
            return keys[number]
    return list_name(step)


def _call(
    opening: str, step: PlanStep, item: str, keys: Sequence[str], spellings: Mapping[str, str]
) -> list[str]:
    pairs = [
        f"{literal(argument)}: {_expression(origin, item, keys, spellings)}"
        for argument, origin in step.arguments
    ]
    return bracketed(f"{opening}call_tool({literal(step.tool)}, {{", pairs, "})")


def _run(
    opening: str,
    code: InlinedCode,
    step: PlanStep,
    item: str,
    keys: Sequence[str],
    spellings: Mapping[str, str],
) -> list[str]:
    """Return the lines of a call of the function that stands for code."""
    origins = dict(step.arguments)
    given = [_expression(origins[name], item, keys, spellings) for name in code.parameters]
    return bracketed(f"{opening}{code.name}(", given, ")")


def _expression(
    origin: Origin, item: str, keys: Sequence[str], spellings: Mapping[str, str]
) -> str:
    def name(leaf: Leaf) -> str:
        match leaf:
            case Parameter(parameter):
                return spellings[parameter]
            case FromResult(step, path):
                return keys[step] + subscripts(path)
            case FromItem(path):
                return item + subscripts(path)
            case Constant(value):
                return literal(value)

    return written(origin, name)
