"""The wall's compiler, on functions and classes, and the scopes that these open."""

from __future__ import annotations

import ast
import copy
from typing import TypeVar

from toolguild.sandbox.wall.names import Names
from toolguild.sandbox.wall.rules import Rules
from toolguild.sandbox.wall.transformer import CLASS, FUNCTION

__all__ = ["Definitions"]

_Node = TypeVar("_Node", bound=ast.AST)


class Definitions(Names):
    """Checks the names that definitions bind, metaclasses, and what annotations hold."""

    def __init__(self, rules: Rules, tree: ast.Module) -> None:
        super().__init__(rules, tree)
        self._lazy_annotations = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in tree.body
        )

    # --- functions -----------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        """Check the name, and what is in it in a scope of its own."""
        self.check_name(node, node.name)
        node.decorator_list = self.each(node.decorator_list)
        node.returns = self._annotation(node.returns)
        self._visit_type_params(node)
        self._visit_defaults(node.args)
        with self.in_scope(FUNCTION):
            self._visit_parameters(node.args)
            node.body = self.each(node.body)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """Visit what is in it in a scope of its own."""
        self._visit_defaults(node.args)
        with self.in_scope(FUNCTION):
            self._visit_parameters(node.args)
            node.body = self.visit(node.body)
        return node

    def _visit_defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = self.each(arguments.defaults)
        arguments.kw_defaults = [value and self.visit(value) for value in arguments.kw_defaults]

    def _visit_parameters(self, arguments: ast.arguments) -> None:
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for parameter in (*parameters, arguments.vararg, arguments.kwarg):
            if parameter:
                self.check_name(parameter, parameter.arg)
                parameter.annotation = self._annotation(parameter.annotation)

    def _visit_comprehension(self, node: _Node) -> _Node:
        with self.in_scope(FUNCTION):
            return self.contents(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    # --- annotations ---------------------------------------------------------------------------

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Visit the parts; the annotation in its own way."""
        if not self._is_match_args(node.target, node.value):
            node.target = self.visit(node.target)
        node.annotation = self._annotation(node.annotation)  # type: ignore[assignment] # as given
        node.value = node.value and self.visit(node.value)
        return node

    def _annotation(self, node: ast.expr | None) -> ast.expr | None:
        if node is None:
            return None
        if not self._lazy_annotations:
            visited: ast.expr = self.visit(node)
            return visited
        # It becomes text, which others read (`dataclasses` does): there must be no guards in it.
        self.visit(copy.deepcopy(node))
        return node

    # --- classes -------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Check the name and the metaclass, and what is in it in a scope of its own."""
        self.check_name(node, node.name)
        for keyword in node.keywords:
            if keyword.arg == "metaclass" and not self._is_known_metaclass(keyword.value):
                self.error(node, "this metaclass is not available; use a decorator or a base class")
        node.decorator_list = self.each(node.decorator_list)
        node.bases = self.each(node.bases)
        node.keywords = [self.contents(keyword) for keyword in node.keywords]
        self._visit_type_params(node)
        with self.in_scope(CLASS):
            node.body = self.each(node.body)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """Visit the parts; of `__match_args__`, look at what is in it."""
        if len(node.targets) == 1 and self._is_match_args(node.targets[0], node.value):
            return node
        return self.contents(node)

    def _is_match_args(self, target: ast.expr, value: ast.expr | None) -> bool:
        """Whether this binds `__match_args__` to names that are there to see, and checks them."""
        match target, value:
            case ast.Name(id="__match_args__"), ast.Tuple(elts=names) if self.scope == CLASS:
                for name in names:
                    self._check_match_arg(name)
                return True
        return False

    def _check_match_arg(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=str(name)):
                if name in self.rules.by_data or self.rules.attribute_fault(name):
                    self.error(node, f"a class pattern cannot read `{name}`; choose another name")
            case _:
                self.error(node, "`__match_args__` must hold names that are written out")

    def _is_known_metaclass(self, node: ast.expr) -> bool:
        name = ast.unparse(node).rpartition(".")[2]
        return any(name == known.rpartition(".")[2] for known in self.rules.metaclasses)

    def _visit_type_params(self, node: ast.AST) -> None:
        for parameter in getattr(node, "type_params", ()):  # from Python 3.12 on
            self.check_name(parameter, parameter.name)
            self.visit(parameter)
