"""Which texts a name can stand for, where the code has asked before.

`if op not in ("add", "mul"): raise ...` leaves two texts for `op`, unless a class of the text's own
decides what is equal to what.
"""

from __future__ import annotations

import ast

from toolguild.synth.validation.static.index import FunctionNode
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["possible_texts"]

_DECIDING = frozenset({"__contains__", "__eq__", "__hash__"})
_MAX_STEPS = 100  # statements and blocks around a name that are looked at


def possible_texts(node: ast.AST, source: ToolSource) -> frozenset[str] | None:
    """Return the only texts that an expression can be, or None where that is not known."""
    constant = source.constant_text(node)
    if constant is not None:
        return frozenset({constant})
    binding = source.only_binding(node) if isinstance(node, ast.Name) else None
    if not isinstance(node, ast.Name) or binding is None or not isinstance(binding.node, ast.arg):
        return None
    function = source.function_around(node)
    # The parameter of this very function, so that it was asked in the same call.
    if function is not source.function_around(binding.node) or _DECIDING & source.own_attributes:
        return None
    inner: ast.AST = node
    asked: list[tuple[ast.expr, type[ast.cmpop]]]
    for _ in range(_MAX_STEPS):
        outer = source.parent(inner)
        asked = [(outer.test, ast.In)] if isinstance(outer, ast.If) and inner in outer.body else []
        asked += [
            (statement.test, ast.NotIn)
            for statement in _before(inner, outer)
            if isinstance(statement, ast.If) and isinstance(statement.body[-1], _LEAVING)
        ]
        for test, kind in asked:
            if (texts := _texts(test, node.id, kind, source)) is not None:
                return texts
        if isinstance(outer, FunctionNode | ast.Lambda | ast.Module):
            return None
        inner = outer
    return None


_LEAVING = (ast.Raise, ast.Return)


def _before(inner: ast.AST, outer: ast.AST) -> list[ast.stmt]:
    """Return the statements that stand before one in the same block."""
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(outer, block, None)
        if isinstance(statements, list) and inner in statements:
            return statements[: statements.index(inner)][-_MAX_STEPS:]
    return []


def _texts(
    test: ast.expr, name: str, kind: type[ast.cmpop], source: ToolSource
) -> frozenset[str] | None:
    """Return the texts that a test asks for, if it is `name in (...)` or `name not in (...)`."""
    match test:
        case ast.Compare(left=ast.Name(id=asked), ops=[op], comparators=[container]):
            if asked != name or not isinstance(op, kind):
                return None
            display = source.aliased(container)
            # A list that has a name can have got longer since.
            fixed = display is container or isinstance(display, ast.Tuple)
            return _constants(display) if fixed else None
    return None


def _constants(node: ast.AST) -> frozenset[str] | None:
    """Return the texts in a display of nothing but texts."""
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []
    values = [item.value if isinstance(item, ast.Constant) else None for item in items]
    texts = frozenset(value for value in values if isinstance(value, str))
    return texts if items and all(isinstance(value, str) for value in values) else None
