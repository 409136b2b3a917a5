"""The least general generalisation of syntax trees.

What all trees share is kept, a column of local names becomes one variable, and any other column
of different constants or expressions becomes a hole (Plotkin, "A note on inductive
generalization", 1970). A column of different known functions becomes a hole for their names, and
what a name chooses is called. Equal columns are one variable, or one hole.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from toolguild.synth.mining.known_functions import FunctionName, function_named, module_of
from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.purity import is_calm
from toolguild.synth.mining.texts import literal_of

__all__ = ["CHOSEN", "AntiUnifier", "Hole", "NotAlikeError"]

CHOSEN = "!"
"""Starts the name of a function that a hole chooses."""

_NO_VALUE = (
    ast.Starred,
    ast.Slice,
    ast.Lambda,
    ast.NamedExpr,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.FormattedValue,
    ast.GeneratorExp,
)
"""Expressions that cannot be given as an argument made of JSON."""

_Column: TypeAlias = tuple[ast.expr, ...]
"""What stands at one place of the common form, in each window."""


class NotAlikeError(Exception):
    """The windows have no common form that can be a function."""


@dataclass(slots=True)
class Hole:
    """A column that becomes a parameter."""

    mark: str
    column: _Column
    wishes: list[str] = field(default_factory=list)
    """Names that its surroundings suggest, the best first."""
    certain: bool = False
    """Whether the code evaluates it for sure, before it does anything else."""

    @property
    def is_constant(self) -> bool:
        """Whether it stands for constants only."""
        return all(isinstance(node, ast.Constant) for node in self.column)

    @property
    def texts(self) -> tuple[str, ...]:
        """The constants that are texts: where it chooses a function, the functions' names."""
        constants = [node.value for node in self.column if isinstance(node, ast.Constant)]
        return tuple(value for value in constants if isinstance(value, str))


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What is known of the place that is being merged."""

    certain: bool = True
    """Whether it is evaluated for sure, and only once."""
    first: bool = True
    """Whether it belongs to the first statement."""
    wish: str = "value"


class AntiUnifier:
    """Merges blocks of statements.

    In the tree that comes of it, names that start with `$` stand for variables, names that start
    with `?` for holes, and names that start with `!?` for the function that a hole names; no name
    in code does.
    """

    def __init__(
        self, fixed: frozenset[str], functions: Sequence[Mapping[int, FunctionName]] = ()
    ) -> None:
        """Start without anything merged.

        Args:
            fixed: Names that mean the same everywhere: builtins, and what was imported.
            functions: For each block, the known functions that may differ, by their nodes'
                identities; none where all functions have to be the same.
        """
        self._fixed = fixed
        self._functions = functions
        self.modules: set[str] = set()
        """Modules that functions were taken from which the blocks name in different ways."""
        self.variables: dict[tuple[str, ...], str] = {}
        """For the spellings of a variable in each block, the name that stands for it."""
        self._holes: dict[tuple[str, ...], Hole] = {}
        self._stored: set[str] = set()

    @property
    def holes(self) -> list[Hole]:
        """The holes, in the order in which they were met."""
        return list(self._holes.values())

    def block(self, blocks: Sequence[Sequence[ast.stmt]]) -> list[ast.stmt]:
        """Merge windows, statement by statement.

        Raises:
            NotAlikeError: they have no common form.
        """
        if len({len(block) for block in blocks}) > 1:
            raise NotAlikeError
        merged = []
        for number, statements in enumerate(zip(*blocks, strict=True)):
            statement = self._node(statements, _Surroundings(first=number == 0))
            assert isinstance(statement, ast.stmt)  # noqa: S101 - a statement merges to one
            merged.append(statement)
        return merged

    def require_sound(self, bound: Sequence[set[str]]) -> None:
        """Check that all that goes in can be evaluated before the windows, which bind these names.

        Raises:
            NotAlikeError: something cannot.
        """
        for hole in self._holes.values():
            for node, changed in zip(hole.column, bound, strict=True):
                if not changed.isdisjoint(_names(node)):
                    raise NotAlikeError
                if not hole.certain and not _is_harmless(node):
                    raise NotAlikeError
        for column, mark in self.variables.items():
            changed_here = [name in names for name, names in zip(column, bound, strict=True)]
            # What all windows change in place goes in, and comes out as a result.
            if mark not in self._stored and any(changed_here) and not all(changed_here):
                raise NotAlikeError

    def _node(self, nodes: Sequence[ast.AST], around: _Surroundings) -> ast.AST:
        first = nodes[0]
        if (function := self._function(nodes)) is not None:
            return function
        if all(isinstance(node, ast.Name) for node in nodes):
            return self._name([node for node in nodes if isinstance(node, ast.Name)], around)
        if len({type(node) for node in nodes}) > 1:
            return self._hole(nodes, around)
        if isinstance(first, ast.Constant):
            same = {repr(node.value) for node in nodes if isinstance(node, ast.Constant)}
            return first if len(same) == 1 else self._hole(nodes, around)
        known = dict(self.variables), dict(self._holes), set(self._stored)
        try:
            return self._inside(nodes, around)
        except NotAlikeError:
            # What has no common form inside may still be a hole as a whole.
            self.variables, self._holes, self._stored = known
            return self._hole(nodes, around)

    def _function(self, nodes: Sequence[ast.AST]) -> ast.expr | None:
        """Return what stands for known functions, None where no such stand in all blocks.

        The same function, imported in different ways, is called by its full name.
        """
        names = [known.get(id(n), "") for known, n in zip(self._functions, nodes, strict=False)]
        if not names or not all(names):
            return None
        if len(set(names)) > 1:
            column = tuple(ast.Constant(name) for name in names)
            hole = self._hole_of(column)
            hole.wishes.insert(0, "function")
            return ast.Name(f"{CHOSEN}{hole.mark}", ast.Load())
        if len({*map(ast.dump, nodes)}) == 1:
            return None
        self.modules.add(module_of(names[0]))
        return function_named(names[0])

    def _inside(self, nodes: Sequence[ast.AST], around: _Surroundings) -> ast.AST:
        first = nodes[0]
        merged: dict[str, object] = {}
        for name, value in ast.iter_fields(first):
            values = [getattr(node, name) for node in nodes]
            inner = _around(first, name, around)
            if isinstance(value, list):
                if len({len(items) for items in values}) > 1:
                    raise NotAlikeError
                merged[name] = [
                    self._item(first, name, number, items, inner)
                    for number, items in enumerate(zip(*values, strict=True))
                ]
            elif isinstance(value, ast.AST) and all(isinstance(one, ast.AST) for one in values):
                merged[name] = self._node(values, inner)
                if name in {"func", "format_spec"} and _is_hole(merged[name]):
                    raise NotAlikeError  # A tool is given values, never functions themselves.
            elif any(one != value for one in values):
                raise NotAlikeError
            else:
                merged[name] = value
        if isinstance(first, ast.JoinedStr):
            self._note_words(merged["values"])
        return ast.copy_location(type(first)(**merged), first)

    def _item(
        self,
        parent: ast.AST,
        name: str,
        number: int,
        items: Sequence[object],
        around: _Surroundings,
    ) -> object:
        nodes = [item for item in items if isinstance(item, ast.AST)]
        if len(nodes) < len(items):
            if any(item != items[0] for item in items):
                raise NotAlikeError
            return items[0]
        uncertain = (
            number > 0
            if isinstance(parent, ast.BoolOp) or name == "comparators"
            else isinstance(parent, ast.comprehension)
        )
        if uncertain:
            around = _Surroundings(False, around.first, around.wish)
        merged = self._node(nodes, around)
        if isinstance(parent, ast.JoinedStr) and isinstance(merged, ast.Name):
            # Between the texts of a formatted string only another placeholder may stand.
            return ast.FormattedValue(merged, conversion=-1)
        return merged

    def _name(self, nodes: Sequence[ast.Name], around: _Surroundings) -> ast.expr:
        column = tuple(node.id for node in nodes)
        if not self._fixed.isdisjoint(column):
            if len(set(column)) > 1:
                raise NotAlikeError
            return nodes[0]
        mark = self.variables.setdefault(column, f"${len(self.variables)}")
        if isinstance(nodes[0].ctx, ast.Store):
            self._stored.add(mark)
        return ast.Name(mark, nodes[0].ctx)

    def _hole(self, nodes: Sequence[ast.AST], around: _Surroundings) -> ast.expr:
        column = tuple(node for node in nodes if isinstance(node, ast.expr))
        if len(column) < len(nodes) or not all(map(self._has_value, column)):
            raise NotAlikeError
        hole = self._hole_of(column)
        hole.wishes.append(around.wish)
        if around.certain and (around.first or all(map(is_calm, column))):
            hole.certain = True
        return ast.Name(hole.mark, ast.Load())

    def _hole_of(self, column: _Column) -> Hole:
        """Return the hole for a column, the one that there is for an equal one."""
        key = tuple(map(ast.dump, column))
        return self._holes.setdefault(key, Hole(f"?{len(self._holes)}", column))

    def _has_value(self, node: ast.expr) -> bool:
        if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            return False
        if isinstance(node, ast.Name) and node.id in self._fixed:
            return False
        return not any(isinstance(inner, _NO_VALUE) for inner in ast.walk(node))

    def _note_words(self, parts: object) -> None:
        """Let the word before a placeholder name its hole: `expected {5}`."""
        before = ""
        for part in parts if isinstance(parts, list) else []:
            match part:
                case ast.Constant(value=str() as text):
                    before = text
                case ast.FormattedValue(value=ast.Name(id=mark)):
                    for hole in self._holes.values():
                        if hole.mark == mark and (word := _last_word(before)):
                            hole.wishes.insert(0, word)
                    before = ""


def _is_hole(node: object) -> bool:
    return isinstance(node, ast.Name) and node.id.startswith("?")


_LITTLE_WORDS = frozenset(
    """
    a an and are as at be but by for in is it not of or the to was with
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def _last_word(text: str) -> str:
    """Return the last word of a text that can be a name, with nothing but signs after it."""
    found = re.search(r"([A-Za-z]{3,20})[\s:=('\"\[]*$", text)
    word = found[1].lower() if found else ""
    return "" if word in _LITTLE_WORDS or keyword.iskeyword(word) or word in BUILTINS else word


def _around(node: ast.AST, name: str, around: _Surroundings) -> _Surroundings:
    """Return what is known of a field of a node."""
    certain = around.certain
    match node, name:
        case ast.Assert(), "msg":
            certain = False
        case ((ast.For() | ast.While() | ast.If()), ("body" | "orelse")):
            certain = False
        case ast.While(), "test":
            certain = False
        case ast.IfExp(), ("body" | "orelse"):
            certain = False
        case ((ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp()), _):
            certain = False
        case ast.Lambda(), _:
            certain = False
    wish = around.wish
    if isinstance(node, ast.keyword):
        wish = node.arg or "value"
    elif isinstance(node, ast.JoinedStr):
        wish = "text"
    elif not isinstance(node, ast.FormattedValue):
        wish = "value"
    return _Surroundings(certain, around.first, wish)


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _is_harmless(node: ast.expr) -> bool:
    """Say whether an expression can be evaluated where the code may not even come to it."""
    if isinstance(node, ast.Name):
        return True
    try:
        literal_of(node)
    except ValueError:
        return False
    return True
