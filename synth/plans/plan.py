"""A composite tool as a small program: calls whose arguments say where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.sandbox import Json

__all__ = [
    "CODE",
    "MAX_BATCH",
    "CallStep",
    "Code",
    "Computed",
    "Constant",
    "FromItem",
    "FromResult",
    "JsonPath",
    "Leaf",
    "LoopStep",
    "Origin",
    "Parameter",
    "Plan",
    "PlanStep",
    "calls_of",
    "flags_of",
    "is_code",
    "leaves",
    "origins_of",
    "parameters_of",
    "render_path",
    "tools_of",
]

MAX_BATCH = 20
"""Items of a list that a caller gives for a loop, at most: one mistake should not do more harm."""

CODE = "compute_code#"
"""What the names begin with under which code stands among calls, before its digest. As a name of a
tool it says that it only reads; no vendor's API takes a tool with this sign in its name."""

JsonPath: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead from a JSON value to a part of it; -1 is the last item of a list."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """The caller of the composite gives the value."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The value was the same in every occurrence."""

    value: Json


@dataclass(frozen=True, slots=True)
class FromResult:
    """The value stands in the result of an earlier step of the plan."""

    step: int
    path: JsonPath


@dataclass(frozen=True, slots=True)
class FromItem:
    """The value stands in the item that the loop is at."""

    path: JsonPath


Leaf: TypeAlias = Parameter | Constant | FromResult | FromItem


@dataclass(frozen=True, slots=True)
class Computed:
    """The value is what a function of the catalogue (`functions`) makes of other values."""

    function: str
    inputs: tuple[Origin, ...]


Origin: TypeAlias = Leaf | Computed


@dataclass(frozen=True, slots=True)
class Code:
    """Code that agents ran between calls, as a function of the data that stood in it."""

    name: str
    """The function's name."""
    source: str
    """The function, after what it imports. It only computes, and returns what the code printed."""


@dataclass(frozen=True, slots=True)
class CallStep:
    """Call a tool once, or run code."""

    tool: str
    """Of code, what it stands under (`CODE`): equal where only names and data differ."""
    arguments: tuple[tuple[str, Origin], ...]
    """Argument names, each with the origin of its value."""
    otherwise: CallStep | None = None
    """What is called instead where the call fails; its result takes the place."""
    wanted: str = ""
    """Parameter that says whether to call it at all; "" if always. If not, its result is None."""
    code: Code | None = None
    """What is run; None where a tool is called."""


@dataclass(frozen=True, slots=True)
class LoopStep:
    """Call a tool, or run code, once for each item of a list."""

    tool: str
    over: FromResult | Parameter | Computed
    """The list: in an earlier result, the caller's, or computed from those."""
    arguments: tuple[tuple[str, Origin], ...]
    wanted: str = ""
    """Parameter that says whether to loop at all; "" if always. If not, its result is None."""
    code: Code | None = None
    """What is run; None where a tool is called."""


PlanStep: TypeAlias = CallStep | LoopStep
Plan: TypeAlias = tuple[PlanStep, ...]


def leaves(origin: Origin) -> Iterator[Leaf]:
    """Yield the origins that a value is made from in the end, from left to right."""
    if isinstance(origin, Computed):
        for given in origin.inputs:
            yield from leaves(given)
    else:
        yield origin


def origins_of(step: PlanStep) -> tuple[Origin, ...]:
    """Return the origins of all that a step needs, first of whether it is wanted and its list."""
    wanted = (Parameter(step.wanted),) if step.wanted else ()
    over = (step.over,) if isinstance(step, LoopStep) else ()
    arguments = tuple(origin for call in calls_of(step) for _, origin in call.arguments)
    return (*wanted, *over, *arguments)


def calls_of(step: PlanStep) -> tuple[PlanStep, ...]:
    """Return a step, and after it what is called where it fails."""
    otherwise = step.otherwise if isinstance(step, CallStep) else None
    return (step, *calls_of(otherwise)) if otherwise else (step,)


def tools_of(plan: Plan) -> tuple[str, ...]:
    """Return the tools that a plan may call, each once, in order of their names."""
    called = {call.tool for step in plan for call in calls_of(step) if call.code is None}
    return tuple(sorted(called))


def is_code(tool: str) -> bool:
    """Say whether a name is one under which code stands among calls."""
    return tool.startswith(CODE)


def parameters_of(plan: Plan) -> tuple[str, ...]:
    """Return the names of what a plan asks of its caller, in the order in which steps need it."""
    found = (leaf for step in plan for origin in origins_of(step) for leaf in leaves(origin))
    return tuple(dict.fromkeys(leaf.name for leaf in found if isinstance(leaf, Parameter)))


def flags_of(plan: Plan) -> frozenset[str]:
    """Return the parameters that say whether steps are wanted: true unless given."""
    return frozenset(step.wanted for step in plan if step.wanted)


def render_path(path: JsonPath) -> str:
    """Return a path as a person writes it: `flights[0].origin`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
