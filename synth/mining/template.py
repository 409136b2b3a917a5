"""The common form of windows of code: what differs between them becomes a parameter.

The least general generalisation of the windows (Plotkin, "A note on inductive generalization",
1970): what all share is kept, a column of local names gets one spelling, and any other column of
different constants or expressions becomes a hole. Equal columns share one hole. A hole becomes a
parameter that is given the expression's value, so it may only stand where the expression can be
evaluated before the code runs, once, with the same result.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from toolguild.synth.mining.liveness import changed_names, live_in
from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.purity import is_calm
from toolguild.synth.mining.statements import StatementWindow, Window, work_of
from toolguild.synth.mining.texts import literal_of, with_plain_texts

__all__ = ["Template", "generalise"]

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


@dataclass(frozen=True, slots=True)
class Template:
    """The body of a function that every window of a group is an instance of."""

    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    """Names that later code reads; none where the code is a check or an expression."""
    body: tuple[ast.stmt, ...]
    inputs: tuple[dict[str, ast.expr], ...]
    """For each window, the expression that gives each parameter its value there."""
    results: tuple[dict[str, str], ...]
    """For each window, the variable that holds each output there."""

    @property
    def work(self) -> int:
        """Count the operations, calls, branches and loops."""
        return sum(map(work_of, self.body))

    @property
    def is_check(self) -> bool:
        """Whether it gives nothing but fails where something does not hold."""
        return not self.outputs and not self.is_expression

    @property
    def is_expression(self) -> bool:
        """Whether it is an expression, which its body returns."""
        return isinstance(self.body[-1], ast.Return)


class _NotAlikeError(Exception):
    """The windows have no common form that can be a function."""


def generalise(windows: Sequence[Window], imported: frozenset[str]) -> Template | None:
    """Return what the windows have in common, or None where that makes no function.

    Args:
        windows: Windows with the same number of statements.
        imported: Names that stand for modules or for what was imported from them.
    """
    merger = _Merger(imported | BUILTINS)
    try:
        body = merger.block([window.alike for window in windows])
        merger.require_sound([_bound_names(window.alike) for window in windows])
    except _NotAlikeError:
        return None
    body, names = _spelled(body, merger, imported)
    body = [with_plain_texts(statement) for statement in body]
    inputs: list[dict[str, ast.expr]] = [{} for _ in windows]
    for hole in merger.holes:
        for given, expression in zip(inputs, hole.column, strict=True):
            given[names[hole.mark]] = expression
    own = {names[mark]: column for column, mark in merger.variables.items()}
    for name in live_in(body):
        if name in own:
            for given, variable in zip(inputs, own[name], strict=True):
                given.setdefault(name, ast.Name(variable, ast.Load()))
    changed = changed_names(body)
    statements = [window for window in windows if isinstance(window, StatementWindow)]
    outputs = (
        _used_later({name: own[name] for name in own if name in changed}, statements)
        if statements
        else []
    )
    gives_nothing = all(isinstance(statement, ast.Assert | ast.Return) for statement in body)
    if not body or not inputs[0] or bool(outputs) == gives_nothing:
        return None
    return Template(
        parameters=tuple(inputs[0]),
        outputs=tuple(outputs),
        body=tuple(body),
        inputs=tuple(inputs),
        results=tuple(
            {name: own[name][number] for name in outputs} for number in range(len(windows))
        ),
    )


def _bound_names(statements: Sequence[ast.stmt]) -> set[str]:
    stored = {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | changed_names(statements)


@dataclass(slots=True)
class _Hole:
    """A column that becomes a parameter."""

    mark: str
    column: _Column
    wishes: list[str] = field(default_factory=list)
    """Names that its surroundings suggest, the best first."""
    certain: bool = False
    """Whether the code evaluates it for sure, before it does anything else."""

    @property
    def is_constant(self) -> bool:
        return all(isinstance(node, ast.Constant) for node in self.column)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What is known of the place that is being merged."""

    certain: bool = True
    """Whether it is evaluated for sure, and only once."""
    first: bool = True
    """Whether it belongs to the first statement."""
    wish: str = "value"


class _Merger:
    """Merges trees of the same kind; marks stand for names and holes until these are spelled."""

    def __init__(self, fixed: frozenset[str]) -> None:
        self._fixed = fixed
        self.variables: dict[tuple[str, ...], str] = {}
        self._holes: dict[tuple[str, ...], _Hole] = {}
        self._stored: set[str] = set()

    @property
    def holes(self) -> list[_Hole]:
        return list(self._holes.values())

    def block(self, blocks: Sequence[Sequence[ast.stmt]]) -> list[ast.stmt]:
        """Merge windows, statement by statement.

        Raises:
            _NotAlikeError: they have no common form.
        """
        if len({len(block) for block in blocks}) > 1:
            raise _NotAlikeError
        merged = []
        for number, statements in enumerate(zip(*blocks, strict=True)):
            statement = self._node(statements, _Surroundings(first=number == 0))
            assert isinstance(statement, ast.stmt)  # noqa: S101 - a statement merges to one
            merged.append(statement)
        return merged

    def require_sound(self, bound: Sequence[set[str]]) -> None:
        """Check that all that goes in can be evaluated before the windows, which bind these names.

        Raises:
            _NotAlikeError: something cannot.
        """
        for hole in self._holes.values():
            for node, changed in zip(hole.column, bound, strict=True):
                if not changed.isdisjoint(_names(node)):
                    raise _NotAlikeError
                if not hole.certain and not _is_harmless(node):
                    raise _NotAlikeError
        for column, mark in self.variables.items():
            changed_here = [name in names for name, names in zip(column, bound, strict=True)]
            # What all windows change in place goes in, and comes out as a result.
            if mark not in self._stored and any(changed_here) and not all(changed_here):
                raise _NotAlikeError

    def _node(self, nodes: Sequence[ast.AST], around: _Surroundings) -> ast.AST:
        first = nodes[0]
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
        except _NotAlikeError:
            # What has no common form inside may still be a hole as a whole.
            self.variables, self._holes, self._stored = known
            return self._hole(nodes, around)

    def _inside(self, nodes: Sequence[ast.AST], around: _Surroundings) -> ast.AST:
        first = nodes[0]
        merged: dict[str, object] = {}
        for name, value in ast.iter_fields(first):
            values = [getattr(node, name) for node in nodes]
            inner = _around(first, name, around)
            if isinstance(value, list):
                if len({len(items) for items in values}) > 1:
                    raise _NotAlikeError
                merged[name] = [
                    self._item(first, name, number, items, inner)
                    for number, items in enumerate(zip(*values, strict=True))
                ]
            elif isinstance(value, ast.AST) and all(isinstance(one, ast.AST) for one in values):
                merged[name] = self._node(values, inner)
                if name in {"func", "format_spec"} and _is_hole(merged[name]):
                    raise _NotAlikeError  # A tool is given values, never functions.
            elif any(one != value for one in values):
                raise _NotAlikeError
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
                raise _NotAlikeError
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
                raise _NotAlikeError
            return nodes[0]
        mark = self.variables.setdefault(column, f"${len(self.variables)}")
        if isinstance(nodes[0].ctx, ast.Store):
            self._stored.add(mark)
        return ast.Name(mark, nodes[0].ctx)

    def _hole(self, nodes: Sequence[ast.AST], around: _Surroundings) -> ast.expr:
        column = tuple(node for node in nodes if isinstance(node, ast.expr))
        if len(column) < len(nodes) or not all(map(self._has_value, column)):
            raise _NotAlikeError
        key = tuple(map(ast.dump, column))
        hole = self._holes.setdefault(key, _Hole(f"?{len(self._holes)}", column))
        if around.certain and (around.first or all(map(is_calm, column))):
            hole.certain = True
        hole.wishes.append(around.wish)
        return ast.Name(hole.mark, ast.Load())

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


def _spelled(
    body: list[ast.stmt], merger: _Merger, imported: frozenset[str]
) -> tuple[list[ast.stmt], dict[str, str]]:
    """Spell the marks, and leave out statements that only give a hole's constant a name.

    Returns:
        The statements that are left, and the spelling of each mark.
    """
    names = _spellings(merger.variables, imported)
    constants = {hole.mark for hole in merger.holes if hole.is_constant}
    kept: list[ast.stmt] = []
    mentioned: set[str] = set()
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=mark)) if (
                mark in constants - names.keys() and target in names.keys() - mentioned
            ):
                # The name is the parameter.
                names[mark] = names[target]
            case _:
                kept.append(statement)
        mentioned |= _names(statement)
    for hole in merger.holes:
        if hole.mark not in names:
            taken = {*names.values(), *imported, *BUILTINS}
            names[hole.mark] = _free(hole.wishes[0] if hole.wishes else "value", taken)
    for statement in kept:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                node.id = names.get(node.id, node.id)
    return kept, names


def _spellings(
    variables: Mapping[tuple[str, ...], str], imported: frozenset[str]
) -> dict[str, str]:
    """Choose one spelling for each local name, the most common that is still free."""
    chosen: dict[str, str] = {}
    for column, mark in variables.items():
        taken = {*chosen.values(), *imported, *BUILTINS}
        ranked = [name for name, _ in Counter(column).most_common()]
        free = [name for name in ranked if name not in taken and not keyword.iskeyword(name)]
        chosen[mark] = free[0] if free else f"{ranked[0]}_{len(chosen) + 1}"
    return chosen


def _free(wish: str, taken: set[str]) -> str:
    candidates: Iterator[str] = (f"{wish}_{number}" for number in range(2, len(taken) + 3))
    return wish if wish not in taken else next(name for name in candidates if name not in taken)


def _used_later(names: dict[str, tuple[str, ...]], windows: Sequence[StatementWindow]) -> list[str]:
    """Return the names that the code after the window reads, in at least half of the windows."""
    uses = {
        name: sum(
            _is_read_outside(own, window) for own, window in zip(column, windows, strict=True)
        )
        for name, column in names.items()
    }
    return [name for name, count in uses.items() if 2 * count >= len(windows)]


def _is_read_outside(name: str, window: StatementWindow) -> bool:
    """Say whether a name is read below the window; inside a loop, above it in its snippet too."""
    reads = window.session.reads.get(name)
    if reads is None:
        return False
    first, last = window.statements[0], window.statements[-1]
    end = window.snippet, last.end_lineno or last.lineno, last.end_col_offset or last.col_offset
    if reads[-1] >= end:
        return True
    start = window.snippet, first.lineno, first.col_offset
    return window.in_loop and any((window.snippet, 0, 0) <= place < start for place in reads)
