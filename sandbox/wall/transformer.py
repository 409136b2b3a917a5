"""What the parts of the wall's compiler share: the rules, the scopes, and how it says no.

Nodes stay as they are wherever nothing can go wrong there, so that a program means the same behind
the wall as without it. The guards' names hold a space: no program can spell, bind or shadow them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from RestrictedPython.transformer import RestrictingNodeTransformer

from toolguild.sandbox.wall.rules import Fault, Rules

__all__ = [
    "CAPTURED",
    "CLASS",
    "FUNCTION",
    "METHOD",
    "MODULE",
    "OWN",
    "SEEN",
    "WRITE",
    "WRITE_PRIVATE",
    "WallTransformer",
    "guarded",
]

SEEN = "wall seen"
"""Guard of a value that was read from an attribute or an item."""
OWN = "wall own"
"""Guard of an object whose attribute with a leading underscore is asked for."""
METHOD = "wall method"
"""Guard of a method that reaches attributes by data, told by its name."""
WRITE = "wall write"
"""Guard of an object whose attribute is set or deleted."""
WRITE_PRIVATE = "wall write private"
"""The same, for attributes with a leading underscore."""
CAPTURED = "wall captured "
"""Begins the name of what a class pattern has bound and no guard has looked at yet."""

MODULE, CLASS, FUNCTION = "module", "class", "function"
"""Kinds of scope."""

_LEAVES = (ast.Constant, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_PLACE = ("lineno", "end_lineno", "col_offset", "end_col_offset")
_Node = TypeVar("_Node", bound=ast.AST)


class WallTransformer(RestrictingNodeTransformer):
    """Visits a program; the base class refuses every kind of node that has no method."""

    def __init__(self, rules: Rules, tree: ast.Module) -> None:
        """Take the rules, and the program that is to be visited."""
        super().__init__()
        self.rules = rules
        self.tree = tree
        self._scopes = [MODULE]

    def settle(self) -> None:
        """Refuse what could only be judged with the whole program seen."""

    def error(self, node: ast.AST, info: Fault | str) -> None:
        """Note why the program is refused."""
        why = info if isinstance(info, str) else info.tell()
        message = f"line {getattr(node, 'lineno', '?')}: {why}"
        if message not in self.errors:
            self.errors.append(message)

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a kind of node that nobody has looked at."""
        self.error(node, f"{type(node).__name__} is not available behind the wall")

    def visit(self, node: ast.AST) -> Any:
        """Visit a node, unless there is nothing in it."""
        return node if isinstance(node, _LEAVES) else super().visit(node)

    def each(self, nodes: Sequence[Any]) -> list[Any]:
        """Visit nodes of a list."""
        return [self.visit(node) for node in nodes]

    def contents(self, node: _Node) -> _Node:
        """Visit what is in a node, and keep the node."""
        return self.node_contents_visit(node)

    @property
    def scope(self) -> str:
        """The kind of scope that the visit is in."""
        return self._scopes[-1]

    @contextmanager
    def in_scope(self, kind: str) -> Iterator[None]:
        """Visit something in a scope of its own."""
        self._scopes.append(kind)
        yield
        self._scopes.pop()

    # What needs no guard: the base class refuses it or changes its meaning.
    visit_AsyncFor = visit_AsyncWith = visit_Await = contents
    visit_For = visit_With = visit_comprehension = contents
    visit_Match = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = contents
    visit_Module = contents
    visit_TryStar = contents
    visit_TypeAlias = visit_TypeVar = visit_TypeVarTuple = visit_ParamSpec = contents


def guarded(guard: str, node: ast.expr, *more: ast.expr) -> ast.Call:
    """Return the call of a guard with an expression, at the place of that."""
    name = ast.Name(guard, ast.Load())
    call = ast.Call(name, [node, *more], [])
    place = {field: vars(node)[field] for field in _PLACE}
    for made in (name, call, *more):
        vars(made).update(place)
    return call
