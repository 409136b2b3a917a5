"""The wall's compiler, on attributes, items and calls."""

from __future__ import annotations

import ast
from typing import Any

from toolguild.sandbox.wall.names import Names
from toolguild.sandbox.wall.rules import Rules, is_dunder
from toolguild.sandbox.wall.transformer import METHOD, OWN, SEEN, WRITE, WRITE_PRIVATE, guarded

__all__ = ["Attributes"]


class Attributes(Names):
    """Checks the names of attributes, and guards what is read of an object and written to it."""

    def __init__(self, rules: Rules, tree: ast.Module) -> None:
        super().__init__(rules, tree)
        self._methods_named: list[tuple[ast.AST, str]] = []

    def settle(self) -> None:
        """Refuse methods that are out of reach in programs which import from some module."""
        super().settle()
        for node, method in self._methods_named:
            for module in self.imported:
                if fault := self.rules.method_fault(module, method):
                    self.error(node, fault)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Check the name; guard what is read, and what is written to."""
        return self._attribute(node, kept=True)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Guard an item that is read.

        Writing needs no guard: whoever holds a container may change it by its methods.
        """
        node = self._subscript(node)
        if isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice):
            return guarded(SEEN, node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        """Keep it, with its target's object guarded: that is evaluated once, as ever."""
        return self.contents(node)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Visit the parts."""
        node.func = self._not_kept(node.func)
        node.args = self.each(node.args)
        node.keywords = [self.contents(keyword) for keyword in node.keywords]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Visit the operands; beside a constant, no operator of the program's own can keep one."""
        if isinstance(node.left, ast.Constant) or isinstance(node.right, ast.Constant):
            node.left, node.right = self._not_kept(node.left), self._not_kept(node.right)
            return node
        return self.contents(node)

    def _not_kept(self, node: Any) -> Any:
        """Visit an expression that is called, subscripted or calculated with at once.

        The guard of what is read keeps modules, frames and the like from being handed on, and none
        of those can be any of that: so it is left out.
        """
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            return self._attribute(node, kept=False)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            return self._subscript(node)
        return self.visit(node)

    def _subscript(self, node: ast.Subscript) -> ast.Subscript:
        node.value = self._not_kept(node.value)
        node.slice = self.visit(node.slice)
        return node

    def _attribute(self, node: ast.Attribute, *, kept: bool) -> ast.expr:
        name, rules = node.attr, self.rules
        self._check_attribute(node, name)
        receiver = node.value
        private = name.startswith("_") and not is_dunder(name) and name not in rules.private
        if not isinstance(node.ctx, ast.Load):
            if is_dunder(name):
                self.error(node, f"the attribute `{name}` cannot be set")
            # The guard lets the program's own objects pass, and so nothing that another refuses.
            guard = WRITE_PRIVATE if private else WRITE
            node.value = guarded(guard, self._not_kept(receiver))
            return node
        if private:
            node.value = guarded(OWN, self._not_kept(receiver), ast.Constant(name))
        else:
            node.value = self.visit(receiver)
        if name in rules.by_data:
            return guarded(METHOD, node)
        if not kept and (not is_dunder(name) or _is_super(receiver)):
            return node
        return guarded(SEEN, node)

    def _check_attribute(self, node: ast.Attribute, name: str) -> None:
        if name in self.rules.dunder_hooks and _is_super(node.value):
            return
        if name in self.rules.withheld_methods:
            self._methods_named.append((node, name))
        if fault := self.rules.attribute_fault(name):
            self.error(node, fault)


def _is_super(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="super")):
            return True
    return False
