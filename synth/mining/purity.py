"""What can be evaluated without anyone noticing, and which statements may change places."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from toolguild.synth.mining.liveness import changed_names

__all__ = ["canonical_order", "is_calm"]

_CALM_BUILTINS = frozenset(
    """
    abs all any bin bool chr complex dict divmod enumerate filter float format frozenset hash hex
    int isinstance len list map max min oct ord pow range repr reversed round set slice sorted str
    sum tuple type zip
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def is_calm(node: ast.AST) -> bool:
    """Say whether code calls nothing but builtins that only compute."""
    return all(
        isinstance(child.func, ast.Name) and child.func.id in _CALM_BUILTINS
        for child in ast.walk(node)
        if isinstance(child, ast.Call)
    )


def canonical_order(statements: Sequence[ast.stmt], keys: Sequence[str]) -> tuple[int, ...]:
    """Return an order that does not depend on how independent statements are arranged.

    Statements keep their order where one reads or binds what the other binds, and where one may
    do more than bind names: call a function that is no builtin, or change a value in place.

    Args:
        statements: In the order in which they stand.
        keys: What decides between those that may come next: equal for statements that are alike.
    """
    bound = [_bound(statement) for statement in statements]
    named = [_named(statement) for statement in statements]
    fixed = [_is_fixed(statement) for statement in statements]

    def must_follow(later: int, earlier: int) -> bool:
        return (
            fixed[later]
            or fixed[earlier]
            or not bound[earlier].isdisjoint(named[later])
            or not bound[later].isdisjoint(named[earlier])
        )

    left = list(range(len(statements)))
    order: list[int] = []
    while left:
        ready = [
            one for one in left if not any(must_follow(one, other) for other in left if other < one)
        ]
        chosen = min(ready, key=lambda one: (keys[one], one))
        left.remove(chosen)
        order.append(chosen)
    return tuple(order)


def _is_fixed(statement: ast.stmt) -> bool:
    simple = isinstance(statement, ast.Assign | ast.AnnAssign)
    plain_targets = {
        type(node.ctx)
        for node in ast.walk(statement)
        if isinstance(node, ast.Subscript | ast.Attribute)
    } <= {ast.Load}
    return not (simple and plain_targets and is_calm(statement))


def _bound(statement: ast.stmt) -> set[str]:
    return changed_names([statement])


def _named(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
