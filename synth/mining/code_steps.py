"""Code that an agent ran between two calls, read as a call itself.

Where code only computes, and shares no variable with other code of its session, it is as good as a
tool that was called with the data in it and returned what it printed. As such it takes part in all
that is inferred of calls. All other code may have done anything, and nothing is taken across it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from toolguild.policies.parsing import parse_literal
from toolguild.sandbox import Json
from toolguild.synth.mining.computing import (
    COMPUTING_BUILTINS,
    is_computing_import,
    only_computes,
)
from toolguild.synth.mining.lifting import is_json, lift
from toolguild.synth.mining.programs import bound_by, parse_snippet, single_import
from toolguild.synth.mining.shared_names import NameUse, is_read_later
from toolguild.synth.mining.statements import is_print
from toolguild.synth.plans import CODE, Code, FromResult, Plan, is_code, leaves, origins_of
from toolguild.synth.traces import CodeExecution, Step, ToolCall, Trace

__all__ = ["ReadCode", "is_fed_by_results", "read_code_steps", "with_code"]

MAX_CHARACTERS = 4000
"""Characters of a piece of code without its data."""

MAX_SHOWN = 100_000
"""Characters of what code printed beyond which it is a text, for reading a value takes long."""

_LOGS = "Execution logs:"
_LAST_OUTPUT = "Last output from code snippet:"
"""What smolagents writes around what code printed, and before what it came to."""


@dataclass(frozen=True, slots=True)
class ReadCode:
    """A trace in which code stands as a call where it can."""

    trace: Trace
    codes: Mapping[str, Code]
    """The code behind each name (`CODE`), as it was written here."""


def read_code_steps(trace: Trace) -> ReadCode:
    """Return a trace with calls in the place of the code that can be read as one."""
    called = {step.tool for step in trace.calls()}
    # Code alone is no sequence of calls.
    if not called or not (any(trace.code()) or any(map(is_code, called))):
        return ReadCode(trace, {})
    uses = [NameUse.of(step) for step in trace.code()]
    codes: dict[str, Code] = {}
    steps: list[Step] = []
    number = 0
    for place, step in enumerate(trace.steps):
        if isinstance(step, ToolCall):
            steps.append(_as_unknown_code(step) if is_code(step.tool) else step)
            continue
        # What is done where a call fails is not known to be done where it does not.
        after_failure = place > 0 and trace.steps[place - 1].error is not None
        read = None if after_failure else _read(step, number, trace, uses)
        number += 1
        if read is None:
            steps.append(step)
        else:
            call, codes[call.tool] = read
            steps.append(call)
    return ReadCode(replace(trace, steps=tuple(steps)), codes)


def with_code(plan: Plan, codes: Mapping[str, Code]) -> Plan:
    """Return a plan with the code that stands under the names of its steps."""
    return tuple(
        replace(step, code=codes[step.tool]) if is_code(step.tool) else step for step in plan
    )


def is_fed_by_results(plan: Plan) -> bool:
    """Say whether all code of a plan is given something that a step before it returned.

    What is not could as well stand in any other plan, or be run by the caller.
    """
    return all(
        any(isinstance(leaf, FromResult) for origin in origins_of(step) for leaf in leaves(origin))
        for step in plan
        if is_code(step.tool)
    )


def _as_unknown_code(call: ToolCall) -> CodeExecution:
    """Return what stands for a call under a name of ours, which no tool has: it may be anything."""
    shown = call.result if isinstance(call.result, str) else json.dumps(call.result)
    return CodeExecution("", shown, call.error, call.place, call.reasoning, call.heard)


def _read(
    step: CodeExecution, number: int, trace: Trace, uses: Sequence[NameUse]
) -> tuple[ToolCall, Code] | None:
    """Return the call that code is as good as, and the code; None where it is not."""
    tree = None if step.error is not None else parse_snippet(step.code)
    if tree is None or not tree.body:
        return None
    tree = _with_imports(tree, number, trace, uses)
    if not (_is_alone(number, uses, tree) and only_computes(tree)):
        return None
    shown = _shown(tree.body, step.result)
    if shown is None or any(is_print(node) for one in tree.body[:-1] for node in ast.walk(one)):
        return None
    returned, result = shown
    if any(is_print(node) for node in ast.walk(returned)):
        return None
    lifted = lift(f"compute_{_noun(returned)}", tree.body[:-1], returned)
    if lifted is None or len(lifted.source) > MAX_CHARACTERS:
        return None
    call = ToolCall(
        tool=f"{CODE}{lifted.digest}",
        arguments={**lifted.data},
        result=result,
        error=None,
        place=step.place,
        reasoning=step.reasoning,
        heard=step.heard,
        started_at=step.started_at,
    )
    return call, Code(lifted.function.name, lifted.source)


def _with_imports(
    tree: ast.Module, number: int, trace: Trace, uses: Sequence[NameUse]
) -> ast.Module:
    """Return code with the imports of earlier steps that it goes by, where they are certain."""
    found: dict[str, ast.stmt] = {}
    earlier = [*trace.code()][:number]
    for name in sorted(uses[number].needed):
        binding = [place for place in range(number) if name in uses[place].bound]
        imports = [_import_of(name, earlier[place]) for place in binding]
        texts = {ast.unparse(one) for one in imports if one is not None}
        if binding and None not in imports and len(texts) == 1 and imports[0] is not None:
            found[name] = imports[0]
    return ast.Module([*found.values(), *tree.body], []) if found else tree


def _import_of(name: str, step: CodeExecution) -> ast.stmt | None:
    """Return the import that gives a name its value in a step; None where anything else may."""
    tree = None if step.error is not None else parse_snippet(step.code)
    if tree is None or any(_gives_a_value(node, name) for node in ast.walk(tree)):
        return None
    binding = [
        single_import(one, alias)
        for one in tree.body
        if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
        if bound_by(alias) == name
    ]
    return binding[0] if len(binding) == 1 and is_computing_import(binding[0]) else None


def _gives_a_value(node: ast.AST, name: str) -> bool:
    """Say whether a node that is no import may change what a name stands for."""
    match node:
        case ast.Name(id=found, ctx=ast.Store() | ast.Del()):
            return found == name
        case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found):
            return found == name
        case ast.ClassDef(name=found) | ast.ExceptHandler(name=found):
            return found == name
        case ast.Attribute(value=ast.Name(id=found), ctx=ast.Store() | ast.Del()):
            return found == name
    return False


def _is_alone(number: int, uses: Sequence[NameUse], tree: ast.Module) -> bool:
    """Say whether code shares no variable with other code of its session.

    It reads nothing but builtins that no code before it may have put something else in the place
    of, and nothing that it gives a value is read by later code, or by functions of earlier code.
    """
    use, earlier = uses[number], uses[:number]
    if use.is_wild or any(one.is_wild for one in earlier):
        return False
    imported = {
        bound_by(alias)
        for one in tree.body
        if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
    }
    read = use.needed - imported
    known = read <= COMPUTING_BUILTINS and use.bound.isdisjoint(COMPUTING_BUILTINS)
    return (
        known
        and not any(read & one.bound or use.bound & one.deferred for one in earlier)
        and not is_read_later(use.bound, uses[number + 1 :])
    )


_WRAPPERS = frozenset({"dumps", "list", "loads", "sorted", "str"})


def _noun(returned: ast.expr) -> str:
    """Return what agents called a value, be it before it was written as a text."""
    match returned:
        case ast.Name(id=name):
            return name
        case ast.Call(
            func=ast.Name(id=function) | ast.Attribute(attr=function), args=[inner, *_]
        ) if function in _WRAPPERS:
            return _noun(inner)
    return "result"


def _shown(body: Sequence[ast.stmt], shown: str) -> tuple[ast.expr, Json] | None:
    """Return what code comes to, as an expression, and what it came to where it was run.

    Its last statement has to show it: a `print` of one value, or an expression alone. The value is
    taken from a text that only this value is written as; other texts stand for themselves.
    """
    match body[-1]:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value], keywords=[])):
            if isinstance(value, ast.Starred):
                return None
            return _printed(value, _meaning(value, body), _without_frame(shown))
        case ast.Expr(value=value):
            text = _without_frame(shown, echo=True)
            told = _read_back(text, repr)
            return None if told is None else (value, told[0])
    return None


def _meaning(value: ast.expr, body: Sequence[ast.stmt]) -> ast.expr:
    """Return the expression that a name stands for, where it is given to nothing else."""
    if not isinstance(value, ast.Name):
        return value
    stored = [
        node
        for one in body
        for node in ast.walk(one)
        if isinstance(node, ast.Name) and node.id == value.id and isinstance(node.ctx, ast.Store)
    ]
    for one in body:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=meant) if name == value.id:
                return meant if len(stored) == 1 else value
    return value


def _printed(value: ast.expr, meant: ast.expr, text: str) -> tuple[ast.expr, Json] | None:
    """Return the expression whose value a printed text tells, and that value.

    Args:
        value: What was printed.
        meant: The same, or what a name stands for.
        text: The text.
    """
    if not text:
        return None
    match meant:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json" as module), attr="dumps")):
            try:
                decoded = json.loads(text)
            except (ValueError, RecursionError):
                return None
            read = ast.Attribute(ast.Name(module, ast.Load()), "loads", ast.Load())
            return (ast.Call(read, [value], []), decoded) if is_json(decoded) else None
    if _is_text(meant):
        return value, text
    told = _read_back(text, str)
    if told is not None and (isinstance(told[0], list | dict) or _is_number(meant)):
        return value, told[0]
    return ast.Call(ast.Name("str", ast.Load()), [value], []), text


def _read_back(text: str, write: Callable[[object], str]) -> tuple[Json] | None:
    """Return the one value that is written so, if it is JSON."""
    if len(text) > MAX_SHOWN:
        return None
    try:
        value = parse_literal(text)
    except (ValueError, SyntaxError):
        return None
    return (value,) if is_json(value) and write(value) == text else None


def _is_text(value: ast.expr) -> bool:
    """Say whether an expression is a text whatever its parts are."""
    match value:
        case ast.JoinedStr() | ast.Call(func=ast.Name(id="str" | "repr")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join" | "format")):
            return True
    return False


def _is_number(value: ast.expr) -> bool:
    """Say whether an expression is a number or a truth value whatever its parts are."""
    match value:
        case ast.Call(func=ast.Name(id="abs" | "bool" | "float" | "int" | "len" | "round" | "sum")):
            return True
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Pow()) | ast.Compare():
            return True
    return False


def _without_frame(shown: str, *, echo: bool = False) -> str:
    """Return what code printed, or what it came to, without what an agent framework adds to it."""
    text = shown.strip("\n")
    if text.startswith(_LOGS) and _LAST_OUTPUT in text:
        logs, _, last = text.removeprefix(_LOGS).partition(_LAST_OUTPUT)
        text = last if echo else logs
    return text.strip("\n")
