"""The common form of windows of code: what differs between them becomes a parameter.

A parameter is given the value of what stands in its place, so there may only stand what can be
evaluated before the code runs, once, with the same result. Where the called function differs, the
parameter is given its name.
"""

from __future__ import annotations

import ast
import keyword
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.mining.anti_unification import CHOSEN, AntiUnifier, Hole, NotAlikeError
from toolguild.synth.mining.choices import Choice
from toolguild.synth.mining.expressions import ExpressionWindow, work_of
from toolguild.synth.mining.known_functions import FunctionName, module_of
from toolguild.synth.mining.liveness import changed_names, live_in
from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.statements import StatementWindow
from toolguild.synth.mining.texts import with_plain_texts

__all__ = ["Template", "Window", "generalise"]

Window: TypeAlias = StatementWindow | ExpressionWindow


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
    choices: tuple[Choice, ...] = ()
    """What the body calls that parameters choose."""
    modules: frozenset[str] = frozenset()
    """Modules that the body needs by their own names, whatever the windows import."""

    @property
    def work(self) -> int:
        """Count the operations, calls, branches and loops, but for calls of what is chosen.

        A call of one function here and another one there is nothing that windows share.
        """
        chosen = {choice.chosen for choice in self.choices}
        calls = [node for node in self._nodes if isinstance(node, ast.Call)]
        differing = [
            call for call in calls if isinstance(call.func, ast.Name) and call.func.id in chosen
        ]
        return sum(map(work_of, self.body)) - len(differing)

    @property
    def _nodes(self) -> Iterator[ast.AST]:
        return (node for statement in self.body for node in ast.walk(statement))

    @property
    def is_check(self) -> bool:
        """Whether it gives nothing but fails where something does not hold."""
        return not self.outputs and not self.is_expression

    @property
    def is_expression(self) -> bool:
        """Whether it is an expression, which its body returns."""
        return isinstance(self.body[-1], ast.Return)


def generalise(
    windows: Sequence[Window], imports: Mapping[str, ast.stmt], *, choosing: bool = False
) -> Template | None:
    """Return what the windows have in common, or None where that makes no function.

    Args:
        windows: Windows with the same number of statements.
        imports: For names that stand for modules, or for what was imported from them, the
            statements that import them.
        choosing: Whether parameters may choose functions; then at least one does.
    """
    imported = frozenset(imports)
    functions = [_functions_of(window) for window in windows] if choosing else []
    unifier = AntiUnifier(imported | BUILTINS, functions)
    try:
        body = unifier.block([window.alike for window in windows])
        unifier.require_sound([_bound_names(window.alike) for window in windows])
    except NotAlikeError:
        return None
    choosers = [hole for hole in unifier.holes if hole.mark in _choosers(body)]
    modules = _modules(unifier, choosers)
    if choosing and not (choosers and all(_is_itself(one, imports) for one in modules)):
        return None
    body, names = _spelled(body, unifier, imported | modules)
    body = [with_plain_texts(statement) for statement in body]
    inputs: list[dict[str, ast.expr]] = [{} for _ in windows]
    for hole in unifier.holes:
        for given, expression in zip(inputs, hole.column, strict=True):
            given[names[hole.mark]] = expression
    own = {names[mark]: column for column, mark in unifier.variables.items()}
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
        choices=tuple(_choice(hole, names) for hole in choosers),
        modules=modules,
    )


def _functions_of(window: Window) -> dict[int, FunctionName]:
    return {
        node: name
        for statement in window.alike
        for node, name in window.known.used_in(statement).items()
    }


def _choosers(body: Sequence[ast.stmt]) -> set[str]:
    """Return the marks of the holes that choose a function."""
    return {
        node.id.removeprefix(CHOSEN)
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id.startswith(CHOSEN)
    }


def _modules(unifier: AntiUnifier, choosers: Sequence[Hole]) -> frozenset[str]:
    """Return the modules of the functions that are called by their full names."""
    chosen = {module_of(name) for hole in choosers for name in hole.texts}
    return frozenset(unifier.modules | chosen) - {""}


def _is_itself(module: str, imports: Mapping[str, ast.stmt]) -> bool:
    """Say whether nothing but a module is imported by its name."""
    return module not in imports or ast.unparse(imports[module]) == f"import {module}"


def _choice(hole: Hole, names: Mapping[str, str]) -> Choice:
    chosen, parameter = names[CHOSEN + hole.mark], names[hole.mark]
    return Choice(parameter, names[_TABLE + hole.mark], chosen, tuple(sorted(set(hole.texts))))


_TABLE = "table of "
"""Starts what stands for the table that a hole chooses from."""


def _bound_names(statements: Sequence[ast.stmt]) -> set[str]:
    stored = {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | changed_names(statements)


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _spelled(
    body: list[ast.stmt], unifier: AntiUnifier, imported: frozenset[str]
) -> tuple[list[ast.stmt], dict[str, str]]:
    """Spell the marks, and leave out statements that only give a hole's constant a name.

    Returns:
        The statements that are left, and the spelling of each mark.
    """
    names = _spellings(unifier.variables, imported)
    constants = {hole.mark for hole in unifier.holes if hole.is_constant}
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
    wishes = [(hole.mark, hole.wishes[0] if hole.wishes else "value") for hole in unifier.holes]
    for mark in sorted(_choosers(kept)):
        wishes += [(_TABLE + mark, "functions"), (CHOSEN + mark, "chosen")]
    for mark, wish in wishes:
        if mark not in names:
            names[mark] = _free(wish, {*names.values(), *imported, *BUILTINS})
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
