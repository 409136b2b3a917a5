"""What an expression always is, found without running it.

Hostile text can make constants grow without end (`b = a + a`, `c = b + b`, ...), so folding has a
budget, and gives up where it is spent.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["KnownText", "fold_number", "fold_text"]

ValueOf = Callable[[ast.Name], ast.expr | None]
"""Gives the expression that a name is bound to, where it is bound once."""

_BUDGET = 100  # nodes looked at for one expression
_MAX_CHARACTERS = 100_000
_MAX_NUMBER = 10**40


@dataclass(frozen=True, slots=True)
class KnownText:
    """What is known of a string."""

    start: str
    complete: bool
    """Whether `start` is all of it."""


def fold_text(node: ast.AST, value_of: ValueOf) -> KnownText:
    """Return what is known of the string that an expression gives, from its start."""
    known: list[str] = []
    pending = [node]
    for _ in range(_BUDGET):
        if not pending:
            return KnownText("".join(known), complete=True)
        match pending.pop():
            case ast.Constant(value=str(text)) if sum(map(len, known)) < _MAX_CHARACTERS:
                known.append(text)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                pending += [right, left]
            case ast.JoinedStr(values=values):
                pending += reversed(values)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                pending.append(value)
            case ast.Name(ctx=ast.Load()) as name if (bound := value_of(name)) is not None:
                pending.append(bound)
            case _:
                break
    return KnownText("".join(known), complete=False)


def fold_number(node: ast.AST, depth: int = 20) -> int | float | None:
    """Return the number that literals and arithmetic give; None where unknown or too big."""
    if depth == 0:
        return None
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as number):
            return number if abs(number) <= _MAX_NUMBER else None
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = fold_number(operand, depth - 1)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=op, right=right):
            a, b = fold_number(left, depth - 1), fold_number(right, depth - 1)
            return None if a is None or b is None else _apply(op, a, b)
    return None


def _apply(op: ast.operator, a: float, b: float) -> float | None:
    match op:
        case ast.Add():
            result = a + b
        case ast.Sub():
            result = a - b
        case ast.Mult():
            result = a * b
        case ast.Pow() if abs(a) <= 10**6 and 0 <= b <= 40:
            result = a**b
        case ast.LShift() if isinstance(a, int) and isinstance(b, int) and 0 <= b <= 128:
            result = a << b
        case _:
            return None
    return result if abs(result) <= _MAX_NUMBER else None
