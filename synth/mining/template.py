"""The common form of windows of statements: what differs between them becomes a parameter.

The windows of a group agree in everything but local names and the values of constants
(`statements`), so their least general generalisation keeps the tree, gives each name one
spelling, and puts a parameter in the place of each constant that differs (Plotkin, "A note on
inductive generalization", 1970).
"""

from __future__ import annotations

import ast
import copy
import keyword
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.synth.mining.liveness import changed_names, live_in
from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.statements import StatementWindow

__all__ = ["Template", "generalise"]

_WORK = (
    ast.BinOp,
    ast.Compare,
    ast.BoolOp,
    ast.Call,
    ast.Subscript,
    ast.IfExp,
    ast.If,
    ast.For,
    ast.While,
    ast.AugAssign,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
"""Nodes that do something; names, constants and plain assignments do not."""


@dataclass(frozen=True, slots=True)
class Template:
    """The body of a function that every window of a group is an instance of."""

    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    body: tuple[ast.stmt, ...]
    inputs: tuple[dict[str, ast.expr], ...]
    """For each window, the expression that gives each parameter its value there."""
    results: tuple[dict[str, str], ...]
    """For each window, the variable that holds each output there."""

    @property
    def work(self) -> int:
        """Count the operations, calls, branches and loops."""
        return sum(
            isinstance(node, _WORK) for statement in self.body for node in ast.walk(statement)
        )


def generalise(windows: Sequence[StatementWindow], imported: frozenset[str]) -> Template | None:
    """Return what the windows have in common, or None where that makes no function.

    Args:
        windows: Windows of one pattern, with the same use of names.
        imported: Names that stand for modules or for what was imported from them.
    """
    spellings = _spellings(windows, imported)
    body = copy.deepcopy(windows[0].statements)
    own_names = _rename(body, spellings)
    inputs: list[dict[str, ast.expr]] = [{} for _ in windows]
    body = _open_holes(body, windows, inputs)
    if not body:
        return None
    for name in live_in(body):
        if name in own_names:
            for number, given in enumerate(inputs):
                given.setdefault(name, ast.Name(own_names[name][number], ast.Load()))
    changed = changed_names(body)
    outputs = _used_later({name: own_names[name] for name in own_names if name in changed}, windows)
    if not outputs or not inputs[0]:
        return None
    return Template(
        parameters=tuple(inputs[0]),
        outputs=tuple(outputs),
        body=tuple(body),
        inputs=tuple(inputs),
        results=tuple(
            {name: own_names[name][number] for name in outputs} for number in range(len(windows))
        ),
    )


def _spellings(
    windows: Sequence[StatementWindow], imported: frozenset[str]
) -> dict[tuple[str, ...], str]:
    """Choose one spelling for each local name, the most common that is still free."""
    names = [
        [node.id for node in _nodes(window.statements) if isinstance(node, ast.Name)]
        for window in windows
    ]
    chosen: dict[tuple[str, ...], str] = {}
    for column in zip(*names, strict=True):
        if column in chosen or column[0] in imported | BUILTINS:
            continue
        taken = {*chosen.values(), *imported, *BUILTINS}
        ranked = [name for name, _ in Counter(column).most_common()]
        free = [name for name in ranked if name not in taken and not keyword.iskeyword(name)]
        chosen[column] = free[0] if free else f"{ranked[0]}_{len(chosen) + 1}"
    return chosen


def _rename(
    body: Sequence[ast.stmt], spellings: dict[tuple[str, ...], str]
) -> dict[str, tuple[str, ...]]:
    """Give the names in the first window's statements their spelling.

    Returns:
        For each spelling, how each window spells it.
    """
    by_first = {column[0]: spelling for column, spelling in spellings.items()}
    for node in _nodes(body):
        if isinstance(node, ast.Name) and node.id in by_first:
            node.id = by_first[node.id]
    return {spelling: column for column, spelling in spellings.items()}


def _open_holes(
    body: list[ast.stmt], windows: Sequence[StatementWindow], inputs: list[dict[str, ast.expr]]
) -> list[ast.stmt]:
    """Put parameters in the place of constants that differ, and note their values as inputs.

    A statement that only gives such a constant a name is left out: the name is the parameter.
    """
    holes = _holes(body, windows)
    filler = _HoleFiller(holes, inputs, _mentioned(body))
    kept = []
    for position, statement in enumerate(body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if id(
                value
            ) in holes and name not in _mentioned(body[:position]):
                for given, constant in zip(inputs, holes[id(value)], strict=True):
                    given[name] = constant
            case _:
                kept.append(filler.visit(statement))
    return kept


def _holes(
    body: Sequence[ast.stmt], windows: Sequence[StatementWindow]
) -> dict[int, tuple[ast.Constant, ...]]:
    """Return the constants that differ, by the identity of their place in the body."""
    holes = {}
    peers = [_nodes(window.statements) for window in windows]
    for node, *same in zip(_nodes(body), *peers, strict=True):
        if isinstance(node, ast.Constant):
            constants = tuple(peer for peer in same if isinstance(peer, ast.Constant))
            if len({repr(constant.value) for constant in constants}) > 1:
                holes[id(node)] = constants
    return holes


def _mentioned(statements: Sequence[ast.stmt]) -> set[str]:
    return {node.id for node in _nodes(statements) if isinstance(node, ast.Name)}


class _HoleFiller(ast.NodeTransformer):
    """Replaces constants that differ by parameters; equal columns of values share one."""

    def __init__(
        self,
        holes: dict[int, tuple[ast.Constant, ...]],
        inputs: list[dict[str, ast.expr]],
        taken: set[str],
    ) -> None:
        self._holes = holes
        self._inputs = inputs
        self._taken = taken

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        node.value = self._fill(node.value, node.arg or "value")
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        # Between the texts of a formatted string only another placeholder may stand.
        node.values = [
            ast.FormattedValue(self._fill(part, "text"), conversion=-1)
            if id(part) in self._holes
            else self._fill(part, "text")
            for part in node.values
        ]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self._fill(node, "value")

    def _fill(self, node: ast.expr, wish: str) -> ast.expr:
        if id(node) not in self._holes:
            self.generic_visit(node)
            return node
        column = self._holes[id(node)]
        values = [repr(constant.value) for constant in column]
        for name in self._inputs[0]:
            known = [given[name] for given in self._inputs]
            if [repr(getattr(constant, "value", None)) for constant in known] == values:
                return ast.Name(name, ast.Load())
        name = _free(wish, self._taken | self._inputs[0].keys())
        for given, constant in zip(self._inputs, column, strict=True):
            given[name] = constant
        return ast.Name(name, ast.Load())


def _free(wish: str, taken: set[str]) -> str:
    candidates = [wish, *(f"{wish}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in candidates if name not in taken)


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


def _nodes(statements: Sequence[ast.stmt]) -> list[ast.AST]:
    """Return all nodes in an order that is the same for trees of the same shape."""
    return [node for statement in statements for node in ast.walk(statement)]
