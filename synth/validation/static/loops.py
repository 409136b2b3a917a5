"""Which loops of a text something in them can leave."""

from __future__ import annotations

import ast

from toolguild.synth.validation.static.index import Index

__all__ = ["Loop", "loops_left"]

Loop = ast.For | ast.AsyncFor | ast.While
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)


def loops_left(index: Index) -> frozenset[ast.AST]:
    """Return the loops whose body has a `break`, `return`, `raise` or `yield` that is theirs.

    One step up the tree from each such statement, and no further than where another one went
    already: hostile text has thousands of loops inside of one another.
    """
    loops: list[Loop] = [*index.of_kind(ast.For), *index.of_kind(ast.While)]
    loops += index.of_kind(ast.AsyncFor)
    after = {statement for loop in loops for statement in loop.orelse}
    broken: set[ast.AST] = set()
    for leaving in index.of_kind(ast.Break):
        inner: ast.AST = leaving
        node = index.parents[inner]
        # In the `else` of a loop, it ends the loop around.
        while not isinstance(node, Loop) or inner in after:
            inner, node = node, index.parents[node]
        broken.add(node)
    left: set[ast.AST] = set()
    ways_out = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
    for out in (node for kind in ways_out for node in index.of_kind(kind)):
        node = out
        while not isinstance(node, _FUNCTIONS):
            inner, node = node, index.parents[node]
            if isinstance(node, Loop) and isinstance(inner, ast.stmt) and inner not in after:
                if node in left:
                    break
                left.add(node)
    return frozenset(broken | left)
