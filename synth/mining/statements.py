"""Windows of statements that recur in agents' code, up to local names and constants."""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.mining.programs import BUILTINS, Session
from toolguild.synth.mining.settings import MiningSettings

__all__ = ["StatementWindow", "repeated_windows"]

Skeleton: TypeAlias = object
"""A nested tuple: the shape of a syntax tree with local names and the values of constants left
out. Equal skeletons are what windows must share to be the same code."""

_LEFT_OUT = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assert,
    ast.Pass,
)
"""Statements that do not change the values of variables, or travel apart (imports, functions)."""

_UNMOVABLE = (
    ast.Return,
    ast.Yield,
    ast.YieldFrom,
    ast.Await,
    ast.Global,
    ast.Nonlocal,
    ast.Delete,
    ast.Raise,
    ast.Try,
    ast.With,
    ast.Match,
    ast.AsyncFor,
    ast.AsyncWith,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.Starred,
)
"""Nodes that tie a statement to the place where it stands, or that have no JSON value."""


@dataclass(frozen=True, slots=True)
class StatementWindow:
    """Some statements in a row in one block; prints and asserts between them are skipped."""

    session: Session
    snippet: int
    block: list[ast.stmt]
    in_loop: bool
    """Whether the block is run again and again."""
    positions: tuple[int, ...]
    """Indices in the block of the statements that count."""
    pattern: Skeleton
    imports: dict[str, ast.stmt]
    """What the imported names stand for."""

    @property
    def statements(self) -> list[ast.stmt]:
        """The statements that count, in order."""
        return [self.block[position] for position in self.positions]

    @property
    def span(self) -> tuple[int, int]:
        """Index in the block of the first statement, and of the one after the last."""
        return self.positions[0], self.positions[-1] + 1


def repeated_windows(
    sessions: Sequence[Session], settings: MiningSettings
) -> list[list[StatementWindow]]:
    """Return the groups of windows with one pattern that enough tasks support."""
    groups: defaultdict[Skeleton, list[StatementWindow]] = defaultdict(list)
    for session in sessions:
        for window in _windows(session, settings.max_statements):
            groups[window.pattern].append(window)
    alike: list[list[StatementWindow]] = []
    for _, windows in sorted(groups.items(), key=lambda entry: str(entry[0])):
        if _tasks(windows) >= settings.statements_support:
            alike += _same_use_of_names(windows, settings)
    return alike


def _tasks(windows: Sequence[StatementWindow]) -> int:
    return len({window.session.task_id for window in windows})


def _windows(session: Session, longest: int) -> Iterator[StatementWindow]:
    for number, snippet in enumerate(session.snippets):
        imports = session.imports_before(number)
        imported = {name: ast.unparse(statement) for name, statement in imports.items()}
        for block, in_loop in _blocks(snippet.tree):
            counted = [
                position
                for position, statement in enumerate(block)
                if not isinstance(statement, _LEFT_OUT) and not is_shown(statement)
            ]
            skeletons = [_skeleton(block[position], imported) for position in counted]
            movable = [_is_movable(block[position]) for position in counted]
            for start in range(len(counted)):
                for end in range(start + 1, min(start + longest, len(counted)) + 1):
                    if not movable[end - 1]:
                        break
                    yield StatementWindow(
                        session,
                        number,
                        block,
                        in_loop,
                        tuple(counted[start:end]),
                        tuple(skeletons[start:end]),
                        imports,
                    )


def _blocks(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Yield every block of statements, and whether it is in a loop of its own scope."""
    pending: deque[tuple[ast.AST, bool]] = deque([(tree, False)])
    while pending:
        node, in_loop = pending.popleft()
        if isinstance(node, ast.For | ast.While):
            in_loop = True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            in_loop = False
        pending += [(child, in_loop) for child in ast.iter_child_nodes(node)]
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block, in_loop


def is_shown(statement: ast.stmt) -> bool:
    """Say whether a statement only shows something: a `print`, or a bare expression's echo."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id == "print"
    return isinstance(value, ast.Name | ast.Constant | ast.Tuple)


def _is_movable(statement: ast.stmt) -> bool:
    return not _jumps_out(statement) and not any(
        isinstance(node, _UNMOVABLE) or (isinstance(node, ast.Name) and node.id == "print")
        for node in ast.walk(statement)
    )


def _jumps_out(node: ast.AST) -> bool:
    """Say whether a `break` or `continue` in it is of a loop around it."""
    if isinstance(node, ast.Break | ast.Continue):
        return True
    inner = node.orelse if isinstance(node, ast.For | ast.While) else ast.iter_child_nodes(node)
    return any(map(_jumps_out, inner))


def _skeleton(node: object, imported: dict[str, str]) -> Skeleton:
    if isinstance(node, ast.Name):
        if node.id in imported:
            return "import", imported[node.id]
        return ("builtin", node.id) if node.id in BUILTINS else "name"
    if isinstance(node, ast.Constant):
        return "constant", type(node.value).__name__
    if isinstance(node, ast.AST):
        fields = (
            _skeleton(value, imported) for name, value in ast.iter_fields(node) if name != "ctx"
        )
        return type(node).__name__, *fields
    if isinstance(node, list):
        return tuple(_skeleton(item, imported) for item in node)
    return node


def _same_use_of_names(
    windows: Sequence[StatementWindow], settings: MiningSettings
) -> Iterator[list[StatementWindow]]:
    """Split windows of one skeleton by which of their names are the same name."""
    groups: defaultdict[tuple[int, ...], list[StatementWindow]] = defaultdict(list)
    for window in windows:
        numbers: dict[str, int] = {}
        pattern = tuple(
            numbers.setdefault(node.id, len(numbers))
            for statement in window.statements
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        )
        groups[pattern].append(window)
    for _, group in sorted(groups.items()):
        if _tasks(group) >= settings.statements_support:
            yield group
