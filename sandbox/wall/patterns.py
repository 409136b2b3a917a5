"""The wall's compiler, on the patterns of `match`: they read attributes without an `Attribute`.

What a class pattern captures goes by a name that no program can spell, until it is found to be
nothing that must not be held: a pattern binds its names before its guard can refuse them.
"""

from __future__ import annotations

import ast

from RestrictedPython.transformer import copy_locations

from toolguild.sandbox.wall.attributes import Attributes
from toolguild.sandbox.wall.transformer import CAPTURED, SEEN

__all__ = ["Patterns"]


class Patterns(Attributes):
    """Checks what patterns name, and guards what class patterns bind."""

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        """Guard what class patterns bind."""
        node = self.contents(node)
        captured = _hide_captures(node.pattern) if _has_class_pattern(node.pattern) else {}
        if captured:
            bound: list[ast.expr] = [
                ast.NamedExpr(
                    ast.Name(name, ast.Store()),
                    ast.Call(ast.Name(SEEN, ast.Load()), [ast.Name(hidden, ast.Load())], []),
                )
                for name, hidden in captured.items()
            ]
            guard: ast.expr = ast.Tuple(bound, ast.Load())  # true, as it is not empty
            if node.guard:
                guard = ast.BoolOp(ast.And(), [guard, node.guard])
            copy_locations(guard, node.pattern)
            node.guard = guard
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.MatchValue:
        """Check the names; a pattern has no room for guards."""
        self._check_chain(node.value)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.MatchClass:
        """Check the class and the attributes that the pattern reads."""
        self._check_chain(node.cls)
        for name in node.kwd_attrs:
            self._check_plain(node, name)
        node.patterns = self.each(node.patterns)
        node.kwd_patterns = self.each(node.kwd_patterns)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.MatchMapping:
        """Check the keys and the name of the rest."""
        for key in node.keys:
            self._check_chain(key)
        self.check_name(node, node.rest)
        node.patterns = self.each(node.patterns)
        return node

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> ast.pattern:
        """Check the name."""
        self.check_name(node, node.name)
        return self.contents(node)

    visit_MatchStar = visit_MatchAs

    def _check_chain(self, node: ast.expr) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                self._check_plain(part, part.attr)
            elif isinstance(part, ast.Name):
                self.visit(part)

    def _check_plain(self, node: ast.AST, name: str) -> None:
        rules = self.rules
        hidden = name.startswith("_") and name not in rules.private
        if hidden or name in rules.by_data or name in rules.withheld_methods:
            self.error(node, f"the attribute `{name}` cannot be part of a pattern")
        elif fault := rules.attribute_fault(name):
            self.error(node, fault)


def _hide_captures(pattern: ast.pattern) -> dict[str, str]:
    """Give what a pattern captures other names; return those by the ones that it had."""
    hidden = {}
    for node in ast.walk(pattern):
        field = "rest" if isinstance(node, ast.MatchMapping) else "name"
        name = getattr(node, field, None)
        if isinstance(node, (ast.MatchAs, ast.MatchStar, ast.MatchMapping)) and name:
            hidden[name] = CAPTURED + name
            setattr(node, field, hidden[name])
    return hidden


def _has_class_pattern(pattern: ast.pattern) -> bool:
    return any(isinstance(node, ast.MatchClass) for node in ast.walk(pattern))
