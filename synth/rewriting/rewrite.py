"""Putting calls of tools into the code of a session, and taking out what nothing needs then."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolguild.synth.mining.programs import Session
from toolguild.synth.rewriting.places import Place

__all__ = ["Rewritten", "rewrite"]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A session with tools in some places."""

    trees: tuple[ast.Module, ...]
    places: tuple[Place, ...]


def rewrite(session: Session, places: Sequence[Place]) -> Rewritten:
    """Return a session with tools in these places, none of which may overlap another.

    Imports and functions of the session's own that only the replaced code used are left out.
    """
    memo: dict[int, ast.AST] = {}
    trees = [copy.deepcopy(snippet.tree, memo) for snippet in session.snippets]
    put: dict[int, ast.AST | None] = {}
    for place in places:
        first, *others = place.replaced
        put[id(memo[id(first)])] = copy.deepcopy(place.put)
        put |= {id(memo[id(other)]): None for other in others}
    replacer = _Replacer(put)
    for tree in trees:
        replacer.visit(tree)
        ast.fix_missing_locations(tree)
    read_before = _read([snippet.tree for snippet in session.snippets])
    while idle := (_bound_at_top(trees) & read_before) - _read(trees):
        for tree in trees:
            _Dropper(idle).visit(tree)
    return Rewritten(tuple(trees), tuple(places))


class _Replacer(ast.NodeTransformer):
    """Replaces nodes by identity; a block that loses all its statements gets a `pass`."""

    def __init__(self, put: dict[int, ast.AST | None]) -> None:
        self._put = put

    def visit(self, node: ast.AST) -> ast.AST | None:
        if id(node) in self._put:
            return self._put[id(node)]
        return _filled(self.generic_visit(node))


class _Dropper(ast.NodeTransformer):
    """Takes out imports and functions of some names."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        return _filled(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef | None:
        return None if node.name in self._names else node

    def visit_Import(self, node: ast.Import) -> ast.Import | None:
        node.names = [alias for alias in node.names if _bound(alias) not in self._names]
        return node if node.names else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        node.names = [alias for alias in node.names if _bound(alias) not in self._names]
        return node if node.names else None


def _filled(node: ast.AST) -> ast.AST:
    match node:
        case ast.FunctionDef() | ast.If() | ast.For() | ast.While() | ast.With() | ast.ClassDef():
            node.body = node.body or [ast.Pass()]
    return node


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _bound_at_top(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of functions and imports that stand in no other statement."""
    found: set[str] = set()
    for tree in trees:
        for statement in tree.body:
            match statement:
                case ast.FunctionDef(name=name):
                    found.add(name)
                case ast.Import(names=names) | ast.ImportFrom(names=names):
                    found |= {_bound(alias) for alias in names}
    return found - {"*"}


def _read(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names that code reads, those that a function reads only of itself left out."""
    found: set[str] = set()
    for tree in trees:
        for statement in tree.body:
            names = {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
            own = {statement.name} if isinstance(statement, ast.FunctionDef) else set()
            found |= names - own
    return found
