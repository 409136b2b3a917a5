"""Code that only computes: what it prints follows from its text alone, whenever it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.mining.purity import CALM_BUILTINS

__all__ = ["COMPUTING_BUILTINS", "is_computing_import", "only_computes"]

COMPUTING_BUILTINS = (
    CALM_BUILTINS
    # The hash of a text differs from process to process.
    - {"hash"}
    | {"ascii", "iter", "next", "print"}
    | {"Exception", "ArithmeticError", "AttributeError", "IndexError", "KeyError", "LookupError"}
    | {"StopIteration", "TypeError", "ValueError", "ZeroDivisionError", "AssertionError"}
)

_MODULES = frozenset(
    """
    ast bisect calendar collections copy csv datetime decimal fractions functools heapq html
    itertools json math operator re statistics string textwrap typing unicodedata urllib.parse
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Modules of which nothing works on files, processes, the network or chance."""

_CLOCK = frozenset(
    """
    astimezone ctime fromtimestamp localtime now timestamp today utcnow
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Attributes that depend on when and where they are read."""

_BEYOND = (
    *(ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await, ast.With),
    *(ast.ClassDef, ast.Delete, ast.Global, ast.Nonlocal, ast.Match, ast.NamedExpr),
)
"""Nodes that mean something else inside a function, or that may do more than compute."""

_ORDERING = frozenset({"len", "max", "min", "sorted"})
"""Functions for which the order of a set is no matter."""


def only_computes(tree: ast.Module) -> bool:
    """Say whether code does nothing but compute, before it shows what came of it.

    It fails closed: what it does not know may do anything. Names are not followed; that those
    which are read belong to the code, or are `COMPUTING_BUILTINS`, is for the caller to check.
    """
    ordered = {id(node) for node in _ordered_sets(tree)}
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                if node not in tree.body or not is_computing_import(node):
                    return False
            case ast.Attribute(attr=name, ctx=context):
                if name.startswith("_") or name in _CLOCK or not isinstance(context, ast.Load):
                    return False
            case ast.FunctionDef(decorator_list=[_, *_]):
                return False
            case ast.Set() | ast.SetComp() | ast.Name(id="set" | "frozenset"):
                if id(node) not in ordered:
                    return False
            case ast.Name(id=name) if name.startswith("__"):
                return False
        if isinstance(node, _BEYOND):
            return False
    return True


def _ordered_sets(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the sets that something takes for which their order, which varies, is no matter."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=function), args=[taken], keywords=[]) if (
                function in _ORDERING
            ):
                pass
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[taken]):
                pass
            case _:
                continue
        yield taken
        if isinstance(taken, ast.Call):
            yield taken.func


def is_computing_import(node: ast.stmt) -> bool:
    """Say whether a statement imports nothing but what only computes."""
    match node:
        case ast.Import(names=names):
            return all(alias.name in _MODULES for alias in names)
        case ast.ImportFrom(module=str() as module, names=names, level=0):
            clean = all(
                alias.name != "*" and not alias.name.startswith("_") and alias.name not in _CLOCK
                for alias in names
            )
            return module in _MODULES and clean
    return False
