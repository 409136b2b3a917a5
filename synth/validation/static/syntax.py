"""The kinds of syntax that the gate was written for: those of Python 3.11 to 3.13.

What a later Python adds is refused until somebody has looked at what it can do: a rule that does
not know a node says nothing about it.
"""

from __future__ import annotations

import ast
from typing import Final

__all__ = ["unknown_syntax"]

_NAMES: Final = """
    Module Expression
    FunctionDef AsyncFunctionDef ClassDef Return Delete Assign TypeAlias AugAssign AnnAssign
    For AsyncFor While If With AsyncWith Match Raise Try TryStar Assert Import ImportFrom
    Global Nonlocal Expr Pass Break Continue
    BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict Set ListComp SetComp DictComp GeneratorExp
    Await Yield YieldFrom Compare Call FormattedValue JoinedStr Constant Attribute Subscript
    Starred Name List Tuple Slice
    Load Store Del And Or
    Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv
    Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn
    comprehension ExceptHandler arguments arg keyword alias withitem match_case
    MatchValue MatchSingleton MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr
    TypeVar ParamSpec TypeVarTuple
"""
_KNOWN: Final = frozenset(_NAMES.split())


def unknown_syntax(node: ast.AST) -> str | None:
    """Return the name of a node's kind if the gate does not know it."""
    kind = type(node).__name__
    return None if kind in _KNOWN else kind
