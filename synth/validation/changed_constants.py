"""Text in which one constant is another: where no run notices, nothing tells what it is there for.

Left alone are constants that only say or bound: docstrings, annotations, what is raised and the
tests before it, and bounds in `range` and slices, unless they are computed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from toolguild.policies.parsing import parse_module

__all__ = ["Changed", "changed_constants", "only_raises"]

_OTHER_TEXT = "~ another text ~"


@dataclass(frozen=True, slots=True)
class Changed:
    """A text with one constant changed."""

    source: str
    line: int
    was: str
    """The constant, as it was written."""


def changed_constants(source: str) -> Iterator[Changed]:
    """Yield a text for each constant in it, text or number, that may matter.

    Raises:
        SyntaxError: it is no Python.
    """
    module = parse_module(source)
    count = len(_constants(module))
    for number in range(count):
        tree = deepcopy(module)
        constant = _constants(tree)[number]
        was = ast.unparse(constant)
        constant.value = _other(constant.value)
        yield Changed(ast.unparse(tree), constant.lineno, was)


def _other(value: object) -> str | int | float:
    return value + 1 if isinstance(value, int | float) else _OTHER_TEXT


def _constants(module: ast.Module) -> list[ast.Constant]:
    finder = _Finder()
    finder.visit(module)
    return finder.found


class _Finder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[ast.Constant] = []

    def visit_Constant(self, node: ast.Constant) -> None:
        # A bool is an int; and there are but two of them.
        if isinstance(node.value, str | int | float) and not isinstance(node.value, bool):
            self.found.append(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)
            else:
                self.visit(part)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave alone what is raised."""

    def visit_If(self, node: ast.If) -> None:
        if not only_raises(node.body):
            self.visit(node.test)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def visit_Slice(self, node: ast.Slice) -> None:
        self._visit_bounds(filter(None, (node.lower, node.upper, node.step)))

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            self._visit_bounds(node.args)
        else:
            self.generic_visit(node)

    def _visit_bounds(self, bounds: Iterable[ast.expr]) -> None:
        """Leave alone bounds that are constants; what they are computed from is not."""
        for bound in bounds:
            if not isinstance(bound, ast.Constant):
                self.visit(bound)


def only_raises(body: list[ast.stmt]) -> bool:
    """Say whether a block ends by raising, and calls no tool before."""
    calls = any(
        isinstance(one, ast.Name) and one.id == "call_tool"
        for statement in body
        for one in ast.walk(statement)
    )
    return isinstance(body[-1], ast.Raise) and not calls
