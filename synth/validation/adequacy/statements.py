"""Operators that change which statements run, and what a function gives back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from toolguild.synth.mining import believed_read_only
from toolguild.synth.validation.adequacy.operators import Operator
from toolguild.synth.validation.adequacy.tree import Change, Site, same, with_fields

__all__ = ["STATEMENTS"]

_DROPPED = (
    ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Assert, ast.Raise, ast.For,
    ast.While, ast.If,
)  # fmt: skip

_EMPTY: Final[dict[str, tuple[ast.expr, ...]]] = {
    "bool": (ast.Constant(True), ast.Constant(False)),
    "int": (ast.Constant(0),),
    "float": (ast.Constant(0.0),),
    "str": (ast.Constant(""),),
    "list": (ast.List([], ast.Load()),),
    "dict": (ast.Dict([], []),),
    "tuple": (ast.Tuple([], ast.Load()),),
}
"""Values that say nothing, by the type that a function declares to return."""


def _statement(site: Site) -> Iterator[Change]:
    node = site.node
    if not isinstance(node, _DROPPED):
        return
    if isinstance(node, ast.If) and node.orelse:
        return  # what is left out of one of two branches, other operators leave out
    if not isinstance(node, ast.For | ast.While | ast.If) and site.tree.is_first_binding(
        node, site.function
    ):
        return
    yield site.becomes(ast.Pass())


def _else(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.If(orelse=[*rest]) | ast.For(orelse=[*rest]) | ast.While(orelse=[*rest]) if rest:
            yield Change(site.node, "orelse", slice(0, len(rest)), [ast.Pass()])


def _loop(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.Break():
            yield site.becomes(ast.Continue())
        case ast.Continue():
            yield site.becomes(ast.Break())
        case ast.AugAssign(target=target, value=value) if isinstance(target, ast.Name):
            yield site.becomes(ast.Assign([target], value))


def _returned(site: Site) -> Iterator[Change]:
    if not isinstance(site.node, ast.Return) or site.node.value is None or site.function is None:
        return
    match site.function.returns:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)) if name in _EMPTY:
            empty = _EMPTY[name]
        case _:
            empty = (ast.Constant(None),)
    for value in empty:
        if not same([value, site.node.value]):
            yield Change(site.node, "value", None, with_fields(value))


def _exception(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.ExceptHandler(type=ast.Name() as caught) as handler:
            yield Change(handler, "type", None, _unrelated(caught))
        case ast.ExceptHandler(type=ast.Tuple(elts=types) as caught) as handler if len(types) > 1:
            for index in range(len(types)):
                fewer = with_fields(caught, elts=[*types[:index], *types[index + 1 :]])
                yield Change(handler, "type", None, fewer)
        case ast.Raise(exc=ast.Call(func=ast.Name() as raised) as made):
            yield Change(made, "func", None, _unrelated(raised))
        case ast.Raise(exc=ast.Name() as raised) as statement:
            if raised.id.endswith(("Error", "Exception")):
                yield Change(statement, "exc", None, _unrelated(raised))


def _unrelated(exception: ast.Name) -> ast.Name:
    """Return an exception that neither is one of these nor includes them."""
    is_arithmetic = exception.id in {"ArithmeticError", "ZeroDivisionError"}
    return with_fields(exception, id="BufferError" if is_arithmetic else "ZeroDivisionError")


def _neighbours(site: Site) -> Iterator[Change]:
    """Swap a statement that calls a tool with the next, where that does not use its result."""
    statements = getattr(site.owner, site.field)
    if site.index is None or not isinstance(site.node, ast.stmt):
        return
    pair = statements[site.index : site.index + 2]
    if len(pair) < 2 or not all(isinstance(one, ast.Assign | ast.Expr) for one in pair):
        return
    first, second = map(_called_tools, pair)
    if not first or not second or _stored(pair[0]) & _names(pair[1]):
        return
    if not all(map(believed_read_only, first + second)):
        yield site.statements(2, [pair[1], pair[0]])


def _called_tools(node: ast.AST) -> list[str]:
    found = []
    for one in ast.walk(node):
        match one:
            case ast.Call(func=ast.Name(id="call_tool"), args=[ast.Constant(value=str(name)), *_]):
                found.append(name)
    return found


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    names = (one for one in ast.walk(node) if isinstance(one, ast.Name))
    return {one.id for one in names if isinstance(one.ctx, ast.Store)}


STATEMENTS: Final = (
    Operator(
        "statement",
        "A statement left out. Not the one that gives a name its first value, which would fail at"
        " once, nor what only prints.",
        _statement,
        makes=(
            ("a.append(b)", "pass"),
            ("if a:\n    x = b", "pass"),
            ("raise ValueError(a)", "pass"),
            ("x = a\nx = x + b", "x = a\npass"),
        ),
        spares=("x = a", "print(a)"),
    ),
    Operator(
        "else",
        "The `else` or `elif` branches of a condition or a loop left out.",
        _else,
        makes=(
            ("if a:\n    b = 1\nelse:\n    b = 2\n    c = 3", "if a:\n    b = 1\nelse:\n    pass"),
            ("if a:\n    b = 1\nelif c:\n    b = 2", "if a:\n    b = 1\nelse:\n    pass"),
        ),
        spares=("if a:\n    x = b",),
    ),
    Operator(
        "loop",
        "`break` for `continue`, and back; a sum that starts anew in each round.",
        _loop,
        makes=(
            ("for x in a:\n    break", "for x in a:\n    continue"),
            ("for x in a:\n    c += x", "for x in a:\n    c = x"),
        ),
    ),
    Operator(
        "return",
        "An empty value returned, of the type that the function declares.",
        _returned,
        makes=(("return a", "return []"),),
        spares=("return []", "return"),
    ),
    Operator(
        "exception",
        "Another exception caught or raised, or one of several no longer caught.",
        _exception,
        makes=(
            ("try:\n    x = a\nexcept KeyError:\n    x = b",
             "try:\n    x = a\nexcept ZeroDivisionError:\n    x = b"),
            ("try:\n    x = a\nexcept (KeyError, OSError):\n    x = b",
             "try:\n    x = a\nexcept (OSError,):\n    x = b"),
            ("raise ValueError('no')", "raise ZeroDivisionError('no')"),
        ),
        spares=("raise",),
    ),
    Operator(
        "call order",
        "Two neighbouring statements that call tools swapped, where the second does not use the"
        " result of the first and not both of the tools only read.",
        _neighbours,
        makes=(("x = call_tool('book', {})\ny = call_tool('get', {})",
                "y = call_tool('get', {})\nx = call_tool('book', {})"),),
        spares=(
            "x = call_tool('book', {})\ny = call_tool('pay', x)",
            "x = call_tool('get', {})\ny = call_tool('find', {})",
        ),
    ),
)  # fmt: skip
