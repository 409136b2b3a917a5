"""Text that tells which of its parts run: statements, and the arms of expressions that branch.

Each part has a mark before it that calls out once. What only raises needs none: saying that
something is wrong is not an answer that could be false.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.policies.parsing import parse_module
from toolguild.sandbox import Json, JsonObject, ToolCallError, ToolGateway
from toolguild.synth.validation.changed_constants import only_raises

__all__ = ["MARK_TOOL", "Marked", "MarkedTools", "marked"]

MARK_TOOL = "toolguild_reached"
"""What a mark calls; no tool of a draft may have this name."""
_MARK = "_mark_reached"
_SEEN = "_seen_reached"
_DEFINITION = f"""
{_SEEN} = []
def {_MARK}(part):
    if part not in {_SEEN}:
        {_SEEN}.append(part)
        call_tool("{MARK_TOOL}", {{"part": part}})
    return True
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with marks."""

    source: str
    lines: tuple[int, ...]
    """For each part, by its number, its line in the text as it was."""


def marked(source: str) -> Marked:
    """Return a tool text with a mark before each part that should run.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it uses the names that marks need.
    """
    if any(name in source for name in (MARK_TOOL, _MARK, _SEEN)):
        message = "the text uses a name that is kept for the marks"
        raise ValueError(message)
    marker = _Marker()
    module = parse_module(source)
    imports, rest = _parted(module.body)
    definitions = [marker.visit(node) for node in rest]
    tree = ast.Module([*imports, *parse_module(_DEFINITION).body, *definitions], [])
    return Marked(ast.unparse(ast.fix_missing_locations(tree)), tuple(marker.lines))


def _parted(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Return what has to stay before everything else, and the rest."""
    first = next(
        (number for number, node in enumerate(body) if not _is_preamble(node)),
        len(body),
    )
    return [*body[:first]], [*body[first:]]


def _is_preamble(node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom)


class _Marker(ast.NodeTransformer):
    """Puts marks into functions; what stands outside of them always runs."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self._depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self._depth += 1
        node.body = self._block(node.body)
        self._depth -= 1
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        self._depth += 1
        node.body = self._block(node.body)
        self._depth -= 1
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.body = self._arm(node.body)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self.visit(node.test)
        node.body, node.orelse = self._arm(node.body), self._arm(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        first, *others = node.values
        node.values = [self.visit(first), *map(self._arm, others)]
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> ast.AST:
        node.elt = self._arm(node.elt)
        node.generators = [self.visit(one) for one in node.generators]
        return node

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        node.key, node.value = self.visit(node.key), self._arm(node.value)
        node.generators = [self.visit(one) for one in node.generators]
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.guard = None if node.guard is None else self.visit(node.guard)
        node.body = self._block(node.body)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Put marks into all blocks of a statement, and into its expressions."""
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self._block(value))
            elif isinstance(value, list):
                setattr(node, name, [self._visited(one) for one in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def _visited(self, value: object) -> object:
        return self.visit(value) if isinstance(value, ast.AST) else value

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return statements with a mark before each that may not run though others before it did.

        A block that ends by raising, and calls no tool before, needs none.
        """
        if not self._depth or only_raises(body):
            return body
        marked_up: list[ast.stmt] = []
        for number, node in enumerate(body):
            if not (number == 0 and _is_preamble(node)) and not isinstance(node, ast.Raise):
                marked_up.append(ast.Expr(self._mark(node.lineno)))
            marked_up.append(self.visit(node))
        return marked_up

    def _arm(self, node: ast.expr) -> ast.expr:
        line = node.lineno
        return ast.BoolOp(ast.And(), [self._mark(line), self.visit(node)])

    def _mark(self, line: int) -> ast.expr:
        self.lines.append(line)
        number = ast.Constant(len(self.lines) - 1)
        return ast.Call(ast.Name(_MARK, ast.Load()), [number], [])


class MarkedTools:
    """Takes the marks of one run, and hands on all other calls."""

    def __init__(self, tools: ToolGateway | None) -> None:
        self._tools = tools
        self.reached: set[int] = set()

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        """Note a mark, or call a tool.

        Raises:
            ToolCallError: the tool fails, or there is none.
        """
        part = arguments.get("part")
        if name == MARK_TOOL and isinstance(part, int):
            self.reached.add(part)
            return None
        if self._tools is None:
            message = f"there is no tool {name}"
            raise ToolCallError(message)
        return self._tools(name, arguments)
