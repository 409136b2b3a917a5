"""What can be evaluated without anyone noticing, and which statements may change places."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.synth.mining.liveness import changed_names

__all__ = ["CALM_BUILTINS", "canonical_order", "is_calm", "must_follow"]

CALM_BUILTINS = frozenset(
    """
    abs all any bin bool chr complex dict divmod enumerate filter float format frozenset hash hex
    int isinstance len list map max min oct ord pow range repr reversed round set slice sorted str
    sum tuple type zip
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def is_calm(node: ast.AST) -> bool:
    """Say whether code calls nothing but builtins that only compute."""
    return all(
        isinstance(child.func, ast.Name) and child.func.id in CALM_BUILTINS
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
    reaches = [_Reach.of(statement) for statement in statements]
    left = list(range(len(statements)))
    order: list[int] = []
    while left:
        ready = [
            one
            for one in left
            if not any(reaches[one].touches(reaches[other]) for other in left if other < one)
        ]
        chosen = min(ready, key=lambda one: (keys[one], one))
        left.remove(chosen)
        order.append(chosen)
    return tuple(order)


def must_follow(later: ast.stmt, earlier: ast.stmt) -> bool:
    """Say whether a statement cannot be moved before another one."""
    return _Reach.of(later).touches(_Reach.of(earlier))


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a statement has to do with others."""

    fixed: bool
    bound: frozenset[str]
    named: frozenset[str]

    @classmethod
    def of(cls, statement: ast.stmt) -> _Reach:
        names = frozenset(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
        return cls(_is_fixed(statement), frozenset(changed_names([statement])), names)

    def touches(self, other: _Reach) -> bool:
        """Say whether two statements have to keep their order."""
        return (
            self.fixed
            or other.fixed
            or not self.bound.isdisjoint(other.named)
            or not other.bound.isdisjoint(self.named)
        )


def _is_fixed(statement: ast.stmt) -> bool:
    simple = isinstance(statement, ast.Assign | ast.AnnAssign)
    plain_targets = {
        type(node.ctx)
        for node in ast.walk(statement)
        if isinstance(node, ast.Subscript | ast.Attribute)
    } <= {ast.Load}
    return not (simple and plain_targets and is_calm(statement))
