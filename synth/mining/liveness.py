"""Which variables statements read from before them, and which they change."""

from __future__ import annotations

import ast
from collections.abc import Sequence

__all__ = ["MUTATING_METHODS", "changed_names", "live_in"]

MUTATING_METHODS = frozenset(
    """
    add append clear discard extend insert pop popitem remove reverse setdefault sort update
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def live_in(statements: Sequence[ast.stmt]) -> list[str]:
    """Return the names that may be read before the statements assign them, in order of reading."""
    found: dict[str, None] = {}
    _read(statements, set(), found)
    return list(found)


def _read(statements: Sequence[ast.stmt], bound: set[str], found: dict[str, None]) -> None:
    for statement in statements:
        match statement:
            case ast.For(target=target, iter=source, body=body, orelse=orelse):
                _note(source, bound, found)
                _read(body, bound | _stored(target), found)
                _read(orelse, bound | _stored(target), found)
            case ast.While(test=test, body=body, orelse=orelse):
                _note(test, bound, found)
                _read(body, set(bound), found)
                _read(orelse, set(bound), found)
            case ast.If(test=test, body=body, orelse=orelse):
                _note(test, bound, found)
                branches = [set(bound), set(bound)]
                _read(body, branches[0], found)
                _read(orelse, branches[1], found)
                bound |= branches[0] & branches[1]
            case ast.AugAssign(target=target, value=value):
                _note(value, bound, found)
                _note(target, bound, found)
                if isinstance(target, ast.Name) and target.id not in bound:
                    found[target.id] = None
            case _:
                _note(statement, bound, found)
                bound |= _stored(statement)


def _note(node: ast.AST, bound: set[str], found: dict[str, None]) -> None:
    comprehended: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.comprehension):
            comprehended |= _stored(child.target)
    for child in ast.walk(node):
        if (
            isinstance(child, ast.Name)
            and isinstance(child.ctx, ast.Load)
            and child.id not in bound | comprehended
        ):
            found[child.id] = None


def _stored(node: ast.AST) -> set[str]:
    return {
        child.id
        for child in ast.walk(node)
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
    }


def changed_names(statements: Sequence[ast.stmt]) -> set[str]:
    """Return the names that statements assign or change in place, loop variables left out."""
    changed: set[str] = set()
    passing: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            match node:
                case ast.For(target=target) | ast.comprehension(target=target):
                    passing |= _stored(target)
                case ast.Name(id=name, ctx=ast.Store()):
                    changed.add(name)
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                    changed.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
                    if method in MUTATING_METHODS:
                        changed.add(name)
    return changed - passing
