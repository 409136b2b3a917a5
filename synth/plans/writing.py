"""Origins as Python expressions: the text that a composite computes its arguments by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from toolguild.sandbox import Json
from toolguild.synth.plans.functions import FUNCTIONS
from toolguild.synth.plans.plan import (
    Computed,
    Constant,
    FromItem,
    FromResult,
    JsonPath,
    Leaf,
    Origin,
    Parameter,
    PlanStep,
    render_path,
)

__all__ = ["helpers", "literal", "spoken", "spoken_call", "subscripts", "written"]


def written(origin: Origin, name: Callable[[Leaf], str]) -> str:
    """Return an origin as a Python expression.

    Args:
        origin: What to write.
        name: Writes what is no constant and not computed, as an expression that binds as tightly
            as a name does.
    """
    match origin:
        case Computed(function, inputs):
            texts = [
                written(given, name)
                if FUNCTIONS[function].encloses
                else _bound(given, name, first=not number)
                for number, given in enumerate(inputs)
            ]
            return FUNCTIONS[function].write(*texts)
        case Constant(value):
            return literal(value)
        case leaf:
            return name(leaf)


def helpers(origins: Iterable[Origin]) -> str:
    """Return the functions that the expressions of origins call, as the text of a module."""
    used = dict.fromkeys(
        FUNCTIONS[function].helper for origin in origins for function in _functions(origin)
    )
    return "\n\n".join(helper.strip("\n") for helper in used if helper)


def _functions(origin: Origin) -> Iterator[str]:
    if isinstance(origin, Computed):
        yield origin.function
        for given in origin.inputs:
            yield from _functions(given)


def spoken(origin: Origin) -> str:
    """Return an origin in words, or as an expression over `result_1`, `result_2` and so on."""
    match origin:
        case Parameter(name):
            return name
        case FromResult(step, path):
            return f"{render_path(path) or 'the result'} of call {step + 1}"
        case FromItem(path):
            return f"{render_path(path)} of each item" if path else "each item"
    return written(origin, _numbered)


_MAX_LINE = 40


def spoken_call(step: PlanStep) -> str:
    """Return what a step calls: the tool by its name, and code by the first line that it runs."""
    if step.code is None:
        return step.tool
    _, _, body = step.code.source.partition(f"def {step.code.name}(")
    line = next((line.strip() for line in body.splitlines()[1:] if line.strip()), step.code.name)
    return f"code: {line if len(line) <= _MAX_LINE else f'{line[:_MAX_LINE]}...'}"


def _numbered(leaf: Leaf) -> str:
    match leaf:
        case Parameter(name):
            return name
        case FromResult(step, path):
            return f"result_{step + 1}{subscripts(path)}"
        case FromItem(path):
            return f"item{subscripts(path)}"
        case Constant(value):
            return literal(value)


def _bound(origin: Origin, name: Callable[[Leaf], str], *, first: bool) -> str:
    """Return an origin as text that binds as tightly as a name does.

    A number may stand anywhere but before a dot.
    """
    text = written(origin, name)
    match origin:
        case Computed(function):
            loose = not FUNCTIONS[function].binds
        case Constant(value):
            loose = first and isinstance(value, int | float)
        case _:
            loose = False
    return f"({text})" if loose else text


def subscripts(path: JsonPath) -> str:
    """Return a path as Python subscripts."""
    return "".join(f"[{literal(part)}]" for part in path)


def literal(value: Json) -> str:
    """Return a value as Python text, strings in double quotes where they need no escapes."""
    text = repr(value)
    return (
        f'"{value}"'
        if isinstance(value, str) and text == f"'{value}'" and '"' not in value
        else text
    )
