"""Which annotations only name types, so that nothing gets hold of what stands in them.

`x: type[int]` is such a one. `x: BOX[type]` need not be: where `BOX` is an object of the tool's
own, its `__getitem__` is handed `type` when the function is defined.
"""

from __future__ import annotations

import ast

from toolguild.synth.validation.static.source import ToolSource

__all__ = ["is_type_hint"]

_ANNOTATED = (ast.arg, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef)
_TYPE_MAKERS = frozenset(
    f"typing.{name}"
    for name in ("NamedTuple", "NewType", "ParamSpec", "TypedDict", "TypeVar", "TypeVarTuple")
)
_MAX_DEPTH = 20


def is_type_hint(node: ast.AST, source: ToolSource) -> bool:
    """Whether a name or attribute is part of an annotation that only names types."""
    if not source.in_annotation(node):
        return False
    for _ in range(_MAX_DEPTH):
        parent = source.parent(node)
        match parent:
            case ast.Subscript(value=generic, slice=argument):
                if argument is node and not _is_type(generic, source):
                    return False
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                if not _is_type(right if left is node else left, source):
                    return False
            case ast.Tuple() | ast.List() | ast.Constant():
                pass  # several arguments, or the quotes around an annotation
            case _:
                return isinstance(parent, _ANNOTATED)
        node = parent
    return False


def _is_type(node: ast.AST, source: ToolSource, depth: int = _MAX_DEPTH) -> bool:
    """Whether an expression is a type for certain, and no object with operators of its own."""
    if depth == 0:
        return False
    node = source.aliased(node)
    match node:
        case ast.Constant():
            return True
        case ast.Subscript(value=generic):
            return _is_type(generic, source, depth - 1)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_type(left, source, depth - 1) and _is_type(right, source, depth - 1)
        case ast.Call(func=function):
            return source.certain_origin(function) in _TYPE_MAKERS
    return source.own_class(node) is not None or source.certain_origin(node) is not None
