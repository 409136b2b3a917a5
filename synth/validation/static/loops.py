"""Which loops of a text something in them can end."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from toolguild.synth.validation.static.index import Index

__all__ = ["Loop", "loops_left", "loops_that_may_raise"]

Loop = ast.For | ast.AsyncFor | ast.While
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)


def loops_left(index: Index) -> frozenset[ast.AST]:
    """Return the loops whose body has a `break`, `return`, `raise` or `yield` that is theirs."""
    after = _else_statements(index)
    broken: set[ast.AST] = set()
    for leaving in index.of_kind(ast.Break):
        inner: ast.AST = leaving
        node = index.parents[inner]
        # In the `else` of a loop, it ends the loop around.
        while not isinstance(node, Loop) or inner in after:
            inner, node = node, index.parents[node]
        broken.add(node)
    ways_out = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
    out = (node for kind in ways_out for node in index.of_kind(kind))
    return frozenset(broken | _loops_around(out, index, after))


def loops_that_may_raise(index: Index) -> frozenset[ast.AST]:
    """Return the loops whose body calls something or looks something up."""
    risky: list[ast.AST] = [*index.of_kind(ast.Call), *index.of_kind(ast.Subscript)]
    return frozenset(_loops_around(risky, index, _else_statements(index)))


def _else_statements(index: Index) -> set[ast.stmt]:
    loops: list[Loop] = [*index.of_kind(ast.For), *index.of_kind(ast.While)]
    loops += index.of_kind(ast.AsyncFor)
    return {statement for loop in loops for statement in loop.orelse}


def _loops_around(nodes: Iterable[ast.AST], index: Index, after: set[ast.stmt]) -> set[ast.AST]:
    """Return the loops in whose body, and not in whose `else`, nodes stand.

    Goes up the tree from each node, and no further than where another one went already: hostile
    text has thousands of loops inside of one another.
    """
    found: set[ast.AST] = set()
    for start in nodes:
        node = start
        while not isinstance(node, _FUNCTIONS):
            inner, node = node, index.parents[node]
            if isinstance(node, Loop) and isinstance(inner, ast.stmt) and inner not in after:
                if node in found:
                    break
                found.add(node)
    return found
