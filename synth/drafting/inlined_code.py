"""Code that agents ran between calls, as a private function of the tool that makes the calls."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolguild.policies.parsing import parse_expression, parse_module
from toolguild.sandbox import Json
from toolguild.synth.drafting.schemas import annotation_of, infer_schema
from toolguild.synth.drafting.tidy import tidy
from toolguild.synth.drafting.wording import MAX_NAME, snake_case, spoken, unique
from toolguild.synth.mining.liveness import MUTATING_METHODS
from toolguild.synth.plans import Constant, PlanStep
from toolguild.synth.traces import ToolCall

__all__ = ["InlinedCode", "inlined", "noun_of_code"]

_VERB = "compute_"
_CHANGING_FUNCTIONS = frozenset(
    {"heapify", "heappop", "heappush", "heappushpop", "heapreplace", "insort", "insort_left"}
    | {"insort_right"}
)
"""Functions that change what they are given first."""
_FRESH_CALLS = frozenset({"dict", "list", "set", "sorted", "Counter", "defaultdict", "deque"})


@dataclass(frozen=True, slots=True)
class InlinedCode:
    """A private function that a tool calls where the agent ran code."""

    name: str
    parameters: tuple[str, ...]
    """Names of what it is given, in order; constants of the plan stand in its text."""
    imports: tuple[str, ...]
    text: str


def noun_of_code(step: PlanStep) -> str:
    """Return what code computes, as far as agents called it anything that reads as a name."""
    name = step.code.name.removeprefix(_VERB) if step.code else ""
    return snake_case(name) if name and spoken(name) != "value" and name.isascii() else "result"


def inlined(step: PlanStep, runs: Sequence[ToolCall], taken: Collection[str]) -> InlinedCode:
    """Write the function for a step that runs code.

    Args:
        step: The step.
        runs: What the code was given and printed, wherever it was run.
        taken: Names of functions that there are already.
    """
    assert step.code is not None  # noqa: S101 - only such steps come here
    *imports, function = parse_module(step.code.source).body
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 - as mining writes it
    constants = {
        name: origin.value for name, origin in step.arguments if isinstance(origin, Constant)
    }
    function = _with_constants(function, constants)
    parameters = [name for name, _ in step.arguments if name not in constants]
    copies = _copied(function, parameters)
    name = unique(f"_{_VERB}{noun_of_code(step)}"[: MAX_NAME - 4], taken)
    function.name = name
    function.args.args = [
        ast.arg(parameter, _annotation([run.arguments[parameter] for run in runs]))
        for parameter in parameters
    ]
    function.returns = _annotation([run.result for run in runs])
    function.body = [*(_copy(one) for one in copies), *function.body]
    written = [ast.unparse(one) for one in imports]
    return InlinedCode(
        name,
        tuple(parameters),
        (*written, *(["from copy import deepcopy"] if copies else [])),
        tidy(ast.unparse(ast.fix_missing_locations(function))),
    )


def _annotation(values: Sequence[Json]) -> ast.expr:
    return parse_expression(annotation_of(infer_schema(values))).body


def _with_constants(function: ast.FunctionDef, constants: Mapping[str, Json]) -> ast.FunctionDef:
    """Return a function with what is the same everywhere in the place of its parameters."""
    changed: ast.FunctionDef = _Constants(constants).visit(copy.deepcopy(function))
    return changed


class _Constants(ast.NodeTransformer):
    def __init__(self, constants: Mapping[str, Json]) -> None:
        self._constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._constants:
            return node
        return parse_expression(repr(self._constants[node.id])).body


def _copied(function: ast.FunctionDef, parameters: Sequence[str]) -> list[str]:
    """Return the parameters that code might change, for what it is given the tool returns as well.

    Which of them it is cannot be told, as one name may be another for a part of any.
    """
    stored = Counter(
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    # What is added to by `+=` is stored there as well, and stays what it was.
    renewed = Counter(name for node in ast.walk(function) for name in _given_anew(node))
    changed = [value for node in ast.walk(function) for value in _changed_by(node)]
    safe = all(
        isinstance(value, ast.Name) and 0 < stored[value.id] == renewed[value.id]
        for value in changed
    )
    return [] if safe else [*parameters]


def _given_anew(node: ast.AST) -> Iterator[str]:
    """Yield the name that a node gives something new, which is no other name for what there is."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_fresh(value):
            yield name
        case ast.AugAssign(target=ast.Name(id=name)):
            yield name


def _changed_by(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a node may change in place."""
    match node:
        case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()) | ast.AugAssign(target=value):
            yield value
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in MUTATING_METHODS:
            yield value
        case ast.Call(args=[value, *_]) if _name_of(node.func) in _CHANGING_FUNCTIONS:
            yield value


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_fresh(value: ast.expr) -> bool:
    """Say whether an expression makes something new, and no other name for what there is."""
    match value:
        case ast.Constant():
            return True
        case ast.List() | ast.Dict() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=function)):
            return function in _FRESH_CALLS
    return False


def _copy(parameter: str) -> ast.stmt:
    called = ast.Call(ast.Name("deepcopy", ast.Load()), [ast.Name(parameter, ast.Load())], [])
    return ast.Assign([ast.Name(parameter, ast.Store())], called, lineno=1)
