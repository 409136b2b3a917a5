"""The wall's compiler, on names and imports."""

from __future__ import annotations

import ast
import builtins
from typing import Any

from toolguild.sandbox.wall.rules import Rules, is_dunder
from toolguild.sandbox.wall.transformer import CLASS, MODULE, WallTransformer

__all__ = ["Names"]

_READABLE = {"__debug__", "__doc__", "__name__"}
_BUILTINS = {n for n in dir(builtins) if not is_dunder(n)}


class Names(WallTransformer):
    """Refuses names of the interpreter, builtins that there are not, and imports."""

    def __init__(self, rules: Rules, tree: ast.Module) -> None:
        super().__init__(rules, tree)
        self.imported: set[str] = set()
        self._strange_names: list[ast.Name] = []

    def settle(self) -> None:
        """Refuse builtins that there are not, where the program binds nothing of that name."""
        super().settle()
        if self._strange_names:
            bound = _bound_names(self.tree)
            for name in self._strange_names:
                if name.id not in bound:
                    advice = self.rules.instead.get(name.id, "")
                    self.error(name, f"`{name.id}` is not available. {advice}".strip(" ."))

    # --- names ---------------------------------------------------------------------------------

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuse to bind a name that belongs to the interpreter or to a sandbox."""
        if name == "super":  # more may be read of what that gives
            self.error(node, "the name `super` cannot be bound to anything else")
        elif name == "__match_args__":
            self.error(node, "`__match_args__` can only be set to a tuple that is written out")
        elif name is not None:
            self._check_use(node, name)

    def _check_use(self, node: ast.AST, name: str) -> None:
        sunder = name.startswith("_") and name.endswith("_") and set(name) != {"_"}
        if sunder and name not in self._special_names():
            self.error(node, f"the name `{name}` belongs to the interpreter; choose another")

    def _special_names(self) -> frozenset[str]:
        rules = self.rules
        if self.scope == MODULE:
            return rules.dunder_module_data
        if self.scope == CLASS:
            methods = rules.dunder_methods | rules.dunder_hooks
            return methods | rules.dunder_class_data | rules.sunder_class_names
        return frozenset()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Check a name; a builtin that there is not, nor anything else of that name, is refused."""
        name = node.id
        if not isinstance(node.ctx, ast.Load):
            self.check_name(node, name)
        elif name not in _READABLE:
            self._check_use(node, name)
            if name in _BUILTINS and name not in self.rules.builtins:
                self._strange_names.append(node)
        return node

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> ast.stmt:
        """Check the names."""
        for name in node.names:
            self.check_name(node, name)
        return node

    visit_Nonlocal = visit_Global

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Check the name."""
        self.check_name(node, node.name)
        return self.contents(node)

    # --- imports -------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> ast.Import:
        """Allow the modules of the profile."""
        for alias in node.names:
            self.check_name(node, alias.asname or alias.name.split(".")[0])
            self.imported.add(alias.name)
            if fault := self.rules.import_fault(alias.name):
                self.error(node, fault)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        """Allow the names that the profile lists."""
        if node.level or node.module is None:
            self.error(node, "a program is one module: there is nothing to import relatively")
            return node
        self.imported.add(node.module)
        for alias in node.names:
            self.check_name(node, alias.asname or alias.name)
            if alias.name == "*":
                self.error(node, f"import the names of `{node.module}` that are needed, not `*`")
            elif fault := self.rules.import_fault(node.module, alias.name):
                self.error(node, fault)
        return node


def _bound_names(tree: ast.Module) -> set[str]:
    """Return every name that is bound anywhere in the program, in whatever scope."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.alias(name=name, asname=alias):
                bound.add(alias or name.split(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchMapping(rest=str(name)):
                bound.add(name)
    return bound
