"""Operators that change values and conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from toolguild.synth.validation.adequacy.operators import Operator
from toolguild.synth.validation.adequacy.tree import Change, Site, constant, same, with_fields

__all__ = ["EXPRESSIONS"]

_ARITHMETIC: Final[dict[type[ast.operator], tuple[type[ast.operator], ...]]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.FloorDiv),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Mult, ast.Div),
    ast.Mod: (ast.FloorDiv, ast.Mult),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
}

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}

_NEUTRAL: Final[dict[type[ast.operator], int]] = {
    ast.Add: 0, ast.Sub: 0, ast.Mult: 1, ast.Div: 1, ast.FloorDiv: 1, ast.Pow: 1,
    ast.LShift: 0, ast.RShift: 0, ast.BitOr: 0, ast.BitXor: 0,
}  # fmt: skip
"""Right-hand sides that leave the left as it is."""


_GIVE_TEXT = frozenset({"str", "join", "format", "strip", "lower", "upper", "title", "replace"})


def _is_sequence(node: ast.AST) -> bool:
    """Whether an expression is plainly a text or a list, with which few operators work."""
    match node:
        case ast.Constant(value=str() | bytes()):
            return True
        case ast.Call(func=function):
            return _name(function) in _GIVE_TEXT
    return isinstance(node, ast.JoinedStr | ast.List | ast.ListComp | ast.Tuple)


def _is_neutral(operator: ast.operator, right: ast.expr) -> bool:
    return isinstance(right, ast.Constant) and right.value == _NEUTRAL.get(type(operator))


def _arithmetic(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.BinOp(left=left, op=operator, right=right):
            sides = [left, right]
        case ast.AugAssign(op=operator, value=right):
            sides = [right]
        case _:
            return
    if any(map(_is_sequence, sides)) or _is_neutral(operator, right):
        return
    for other in _ARITHMETIC.get(type(operator), ()):
        # Where the right side would do nothing, it is as if it were left out: see `operand`.
        if not _is_neutral(other(), right):
            yield site.becomes(with_fields(site.node, op=other()))


def _operand(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.BinOp(left=left, op=operator, right=right):
            if not _is_neutral(operator, right) and not _is_assigned_to(left, site.owner):
                yield site.becomes(left)
            yield site.becomes(right)
        case ast.BoolOp(values=values):
            for index in range(len(values)):
                rest = [value for position, value in enumerate(values) if position != index]
                left_over = with_fields(site.node, values=rest)
                yield site.becomes(rest[0] if len(rest) == 1 else left_over)
        case ast.IfExp(body=body, orelse=orelse):
            yield site.becomes(body)
            yield site.becomes(orelse)


def _is_assigned_to(node: ast.expr, owner: ast.AST) -> bool:
    """Whether leaving only a name gives `a = a`, the same as no statement at all."""
    match node, owner:
        case ast.Name(id=name), ast.Assign(targets=[ast.Name(id=target)]):
            return name == target
    return False


def _comparison(site: Site) -> Iterator[Change]:
    if isinstance(site.node, ast.Compare):
        for index, operator in enumerate(site.node.ops):
            for other in _COMPARISONS[type(operator)]:
                ops = [*site.node.ops[:index], other(), *site.node.ops[index + 1 :]]
                yield site.becomes(with_fields(site.node, ops=ops))


def _boolean(site: Site) -> Iterator[Change]:
    if isinstance(site.node, ast.BoolOp) and not same(site.node.values):
        other = ast.Or() if isinstance(site.node.op, ast.And) else ast.And()
        yield site.becomes(with_fields(site.node, op=other))


def _negation(site: Site) -> Iterator[Change]:
    node = site.node
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield site.becomes(operand)
        case ast.Compare(ops=[_]):
            return  # its negation is another comparison
        case ast.expr() if site.is_condition:
            yield site.becomes(ast.UnaryOp(ast.Not(), node))


def _sign(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
            if not (isinstance(site.owner, ast.Call) and _name(site.owner.func) in {"abs", "fabs"}):
                yield site.becomes(operand)


def _number(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.Constant(value=bool()):
            return
        case ast.Constant(value=int() | float() as value):
            for other in dict.fromkeys([value + 1, value - 1, value * 0, -value]):
                if other != value and not _is_said_otherwise(other, site.owner):
                    yield site.becomes(constant(other))


def _is_said_otherwise(value: float, owner: ast.AST) -> bool:
    """Whether it makes no difference, or another operator makes the same: `a + -1` is `a - 1`."""
    match owner:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return value <= 0
        case ast.BinOp(op=ast.Mod()):
            return value < 0  # mostly asked whether it is 0, and that does not depend on the sign
    return isinstance(owner, ast.UnaryOp) and value < 0


def _text(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.FormattedValue(format_spec=ast.JoinedStr()):
            yield site.becomes(with_fields(site.node, format_spec=None))
        case ast.Constant(value=str(value)) if not _is_looked_up(site):
            if value and site.quoted_in is None:
                yield site.becomes(constant(""))
            yield site.becomes(constant(f"{value}_"))


def _is_looked_up(site: Site) -> bool:
    """Whether a text is a key or the name of a tool: operators of their own change those."""
    match site.owner:
        case ast.Subscript(slice=node) if node is site.node:
            return True
        case ast.Call(func=ast.Name(id="call_tool"), args=[node, *_]) if node is site.node:
            return True
        case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[node, *_]):
            return node is site.node
    return site.field == "keys"


def _truth(site: Site) -> Iterator[Change]:
    if isinstance(site.node, ast.Constant) and isinstance(site.node.value, bool):
        yield site.becomes(constant(not site.node.value))


def _slice(site: Site) -> Iterator[Change]:
    if not isinstance(site.node, ast.Slice):
        return
    usual = {"lower": 0, "upper": None, "step": 1}
    for bound, value in usual.items():
        held = getattr(site.node, bound)
        if held is None or (isinstance(held, ast.Constant) and held.value == value):
            continue
        yield site.becomes(with_fields(site.node, **{bound: None}))
        if bound != "step" and not isinstance(held, ast.Constant):
            more = ast.BinOp(held, ast.Add(), ast.Constant(1))
            yield site.becomes(with_fields(site.node, **{bound: more}))


def _range(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.Call(func=ast.Name(id="range"), args=[*arguments], keywords=[]) if arguments:
            position = min(len(arguments) - 1, 1)
            if any(isinstance(argument, ast.Starred) for argument in arguments):
                return
            if _ends_in_number(arguments[position]):
                return  # the number is changed by an operator of its own
            for operator in (ast.Add(), ast.Sub()):
                stop = ast.BinOp(arguments[position], operator, ast.Constant(1))
                changed = [*arguments[:position], stop, *arguments[position + 1 :]]
                yield site.becomes(with_fields(site.node, args=changed))


def _ends_in_number(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant()) | ast.Constant():
            return True
    return False


def _name(function: ast.expr) -> str:
    """Return the last part of what is called."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


EXPRESSIONS: Final = (
    Operator(
        "arithmetic",
        "One arithmetic operator for another. Not between texts or lists, nor where the right side"
        " leaves the left as it is (`x + 0`).",
        _arithmetic,
        makes=(
            ("x = a + b", "x = a - b"),
            ("x -= a", "x += a"),
            ("x = a * (b - c)", "x = a + (b - c)"),
        ),
        spares=("x = a + 'text'", "x = a + 0", "x = [0] * n"),
    ),
    Operator(
        "operand",
        "One side of an operation left out, of `and`, `or` and `a if b else c` too.",
        _operand,
        makes=(("x = a % b", "x = a"), ("x = a and b", "x = b"), ("x = a if b else c", "x = c")),
        spares=("x = -a",),
    ),
    Operator(
        "comparison",
        "The boundary moved (`<` to `<=`), or the comparison turned round.",
        _comparison,
        makes=(
            ("x = a < b", "x = a <= b"),
            ("x = a < b", "x = a >= b"),
            ("x = a in b", "x = a not in b"),
        ),
    ),
    Operator(
        "boolean",
        "`and` for `or`, and back.",
        _boolean,
        makes=(
            ("x = a and (b or c)", "x = a or (b or c)"),
            ("x = a and (b or c)", "x = a and (b and c)"),
        ),
        spares=("x = a and a",),
    ),
    Operator(
        "negation",
        "A condition negated, or a `not` left out. A single comparison is left to `comparison`.",
        _negation,
        makes=(("x = a if b else c", "x = a if not b else c"), ("x = not a", "x = a")),
        spares=("x = a if b < c else d",),
    ),
    Operator(
        "sign",
        "A minus left out. Not inside `abs`, which would undo it.",
        _sign,
        makes=(("x = -a", "x = a"),),
        spares=("x = abs(-a)",),
    ),
    Operator(
        "number",
        "A number one more, one less, zero, or negative.",
        _number,
        makes=(
            ("x = 5", "x = 6"),
            ("x = 5", "x = -5"),
            ("x = a[0]", "x = a[-1]"),
            ("x = .5", "x = 0.0"),
        ),
        spares=("x = True", "x = a + b"),
    ),
    Operator(
        "text",
        "A text empty or changed, a format dropped. Keys and names of tools have operators of their"
        " own.",
        _text,
        makes=(("x = 'ab'", "x = ''"), ("x = 'ab'", "x = 'ab_'"), ("x = f'{a:.2f}'", "x = f'{a}'")),
        spares=("x = a['key']", "x = {'key': a}"),
    ),
    Operator("truth", "True for False, and back.", _truth, makes=(("x = True", "x = False"),)),
    Operator(
        "slice",
        "A bound of a slice left out, or one further. Not where it is what is left out anyway.",
        _slice,
        makes=(
            ("x = a[b:c]", "x = a[:c]"),
            ("x = a[b:c]", "x = a[b:c + 1]"),
            ("x = a[::-1]", "x = a[:]"),
        ),
        spares=("x = a[0:]",),
    ),
    Operator(
        "range",
        "A range that stops one later or one earlier.",
        _range,
        makes=(("x = range(a)", "x = range(a + 1)"), ("x = range(a, b)", "x = range(a, b - 1)")),
        spares=("x = range(*a)", "x = range(a + 1)"),
    ),
)
