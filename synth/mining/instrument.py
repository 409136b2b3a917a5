"""Programs that run recorded code again and report what went in and out of a part of it.

A log of code says what was printed, not what each variable held. Running the session again,
with a recorder around the part of interest, brings the values back; where the run prints what
the log shows, they can be relied on.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from toolguild.policies.parsing import parse_module
from toolguild.synth.mining.programs import Session

__all__ = ["ENTRY", "watch_expression", "watch_function", "watch_statements", "with_tools"]

ENTRY = "toolguild_replay"
"""The function of an instrumented program that returns `{"cases": [...], "errors": [...]}`."""

_RECORDER = "_toolguild_recorder"


def watch_function(
    session: Session, block: list[ast.stmt], position: int, name: str, parameters: Sequence[str]
) -> str:
    """Return the session as a program that notes the calls of one of its functions.

    Args:
        session: The recorded code.
        block: The list, in one of its syntax trees, that holds the definition.
        position: Index of the definition in the block.
        name: The function's name.
        parameters: The names under which its arguments are reported, in order.
    """
    trees, memo = _copies(session)
    watch = f"{name} = {_RECORDER}.watch({name}, {list(parameters)!r})"
    memo[id(block)].insert(position + 1, parse_module(watch).body[0])
    return _program(trees)


def watch_statements(
    session: Session,
    block: list[ast.stmt],
    span: tuple[int, int],
    inputs: Mapping[str, ast.expr],
    outputs: Mapping[str, str],
) -> str:
    """Return the session as a program that notes the values around some statements.

    Args:
        session: The recorded code.
        block: The list, in one of its syntax trees, that holds the statements.
        span: Index of the first statement, and of the one after the last.
        inputs: For each parameter, the expression that has its value before the statements.
        outputs: For each result, the name of the variable that has it after them; none where
            they only check something, which then is true unless they raise.
    """
    trees, memo = _copies(session)
    body: list[ast.stmt] = memo[id(block)]
    start, end = span
    if not outputs:
        checking = ast.withitem(_call_of("checking", inputs))
        body[start:end] = [ast.With([checking], body[start:end])]
        return _program(trees)
    after = {name: ast.Name(variable, ast.Load()) for name, variable in outputs.items()}
    body.insert(end, _note("leave", after))
    body.insert(start, _note("enter", inputs))
    return _program(trees)


def watch_expression(session: Session, node: ast.expr, inputs: Mapping[str, ast.expr]) -> str:
    """Return the session as a program that notes the value of an expression.

    Args:
        session: The recorded code.
        node: The expression, in one of its syntax trees.
        inputs: For each parameter, the expression that has its value before.
    """
    memo: dict[int, ast.AST] = {}
    trees = [copy.deepcopy(snippet.tree, memo) for snippet in session.snippets]
    watched = memo[id(node)]
    assert isinstance(watched, ast.expr)  # noqa: S101 - the copy of one
    call = _call_of("evaluate", inputs)
    call.args.append(_delayed(watched))
    wrapper = _Wrapper(watched, call)
    return _program([wrapper.visit(tree) for tree in trees])


class _Wrapper(ast.NodeTransformer):
    """Puts a node, once, in the place of another one."""

    def __init__(self, watched: ast.AST, put: ast.expr) -> None:
        self._watched = watched
        self._put = put

    def visit(self, node: ast.AST) -> Any:
        return self._put if node is self._watched else self.generic_visit(node)


def with_tools(trees: Sequence[ast.Module], tools: Mapping[str, str]) -> str:
    """Return code as a program that can call tools as functions, and that notes how it ends.

    Args:
        trees: The snippets, which share an interpreter.
        tools: The text of each tool, by its name.
    """
    lent = [f"{name} = {_RECORDER}.lend({name!r}, {text!r})" for name, text in tools.items()]
    return _program(trees, lent)


def _copies(session: Session) -> tuple[list[ast.Module], dict[int, list[ast.stmt]]]:
    """Copy the trees; the memo leads from the identity of an original part to its copy."""
    memo: dict[int, list[ast.stmt]] = {}
    return [copy.deepcopy(snippet.tree, memo) for snippet in session.snippets], memo


def _note(method: str, values: Mapping[str, ast.expr]) -> ast.stmt:
    return ast.Expr(_call_of(method, values))


def _call_of(method: str, values: Mapping[str, ast.expr]) -> ast.Call:
    pairs = ast.Dict([ast.Constant(name) for name in values], list(values.values()))
    recorder = ast.Name(_RECORDER, ast.Load())
    return ast.Call(ast.Attribute(recorder, method, ast.Load()), [_delayed(pairs)], [])


def _delayed(value: ast.expr) -> ast.Lambda:
    none = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Lambda(none, value)


def _program(trees: Sequence[ast.Module], setup: Sequence[str] = ()) -> str:
    recorder = resources.files(__package__).joinpath("recorder.py").read_text("utf-8")
    blocks = "\n".join([*setup, *(_block(tree) for tree in trees)])
    return (
        f"{recorder}\n{_RECORDER} = Recorder()\n{blocks}\n"
        f"def {ENTRY}():\n    return {_RECORDER}.report()\n"
    )


def _block(tree: ast.Module) -> str:
    """Return one snippet as a statement that ends as it did in the interpreter."""
    body = [statement for statement in tree.body if not _is_future_import(statement)]
    if body and isinstance(body[-1], ast.Expr):
        show = ast.Attribute(ast.Name(_RECORDER, ast.Load()), "show", ast.Load())
        body[-1] = ast.Expr(ast.Call(show, [body[-1].value], []))
    guarded = parse_module(
        f"{_RECORDER}.begin()\n"
        f"try:\n    pass\n"
        f"except (Exception, SystemExit) as _toolguild_error:\n"
        f"    {_RECORDER}.fail(_toolguild_error)\n"
    )
    attempt = guarded.body[1]
    assert isinstance(attempt, ast.Try)  # noqa: S101 - the text is right above
    attempt.body = [*body, ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(guarded))


def _is_future_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
