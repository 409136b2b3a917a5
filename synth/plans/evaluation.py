"""What a plan's origins are worth, with plain subscripts and functions, failing as Python does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from toolguild.sandbox import Json
from toolguild.synth.plans.functions import FUNCTIONS
from toolguild.synth.plans.plan import (
    Computed,
    Constant,
    FromItem,
    FromResult,
    JsonPath,
    Origin,
    Parameter,
)

__all__ = ["EVALUATION_ERRORS", "Scope", "evaluate", "value_at"]

EVALUATION_ERRORS: Final = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
)
"""What evaluating raises where a value is not of the shape that a plan expects."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known at one step of a plan."""

    bindings: Mapping[str, Json] = field(default_factory=dict)
    """Values of the plan's parameters, by the plan's own names for them."""
    results: Sequence[Json] = ()
    """What the steps before returned: of a loop, a list."""
    item: Json = None
    """Where a loop is."""


def evaluate(origin: Origin, scope: Scope) -> Json:
    """Return the value of an origin.

    Raises:
        LookupError: a parameter, a key or an item is missing.
        TypeError: a value has no parts, or is nothing that a function takes.
        ValueError, ArithmeticError, AttributeError: a function has no answer.
    """
    match origin:
        case Parameter(name):
            return scope.bindings[name]
        case Constant(value):
            return value
        case FromResult(step, path):
            return _part(scope.results[step], path)
        case FromItem(path):
            return _part(scope.item, path)
        case Computed(function, inputs):
            values = [evaluate(given, scope) for given in inputs]
            return cast("Json", FUNCTIONS[function].evaluate(*values))


def _part(value: Json, path: JsonPath) -> Json:
    """Return the part that Python's own subscripts lead to, or raise what they raise."""
    part: Any = value
    for key in path:
        part = part[key]
    return cast("Json", part)


def value_at(value: Json, path: JsonPath) -> Json:
    """Return the part of a value that a path leads to, by keys of objects and indices of lists.

    Raises:
        LookupError: the value has no such part.
    """
    for part in path:
        match value, part:
            case dict(), str():
                value = value[part]
            case list(), int():
                value = value[part]
            case _:
                message = f"no part {part!r} in a {type(value).__name__}"
                raise LookupError(message)
    return value
