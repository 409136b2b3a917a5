"""Windows of statements that recur in agents' code, up to local names and constants."""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolguild.synth.mining.known_functions import KnownFunctions
from toolguild.synth.mining.programs import Session
from toolguild.synth.mining.purity import canonical_order
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.skeletons import (
    ReadStatement,
    Skeleton,
    is_coarse,
    leaves_functions_open,
    patterns,
    readings,
)

__all__ = [
    "UNMOVABLE",
    "StatementWindow",
    "blocks_of",
    "is_movable",
    "is_print",
    "is_repeated",
    "is_shown",
    "repeated_windows",
]

_LEFT_OUT = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Pass,
)
"""Statements that do not change the values of variables, or travel apart (imports, functions)."""

UNMOVABLE = (
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
    alike: tuple[ast.stmt, ...]
    """The same statements as they are compared: independent ones in an order of their own, with
    all texts written in one way (`texts`)."""
    pattern: Skeleton
    imports: dict[str, ast.stmt]
    """What the imported names stand for."""
    known: KnownFunctions

    @property
    def is_coarse(self) -> bool:
        """Whether the pattern leaves out parts of expressions."""
        return is_coarse(self.pattern)

    @property
    def leaves_functions_open(self) -> bool:
        """Whether the pattern takes all known functions for one."""
        return leaves_functions_open(self.pattern)

    @property
    def statements(self) -> list[ast.stmt]:
        """The statements that count, in order."""
        return [self.block[position] for position in self.positions]

    @property
    def nodes(self) -> list[ast.stmt]:
        """What a tool would take the place of."""
        return self.statements

    @property
    def span(self) -> tuple[int, int]:
        """Index in the block of the first statement, and of the one after the last."""
        return self.positions[0], self.positions[-1] + 1


def repeated_windows(
    sessions: Sequence[Session], settings: MiningSettings
) -> list[list[StatementWindow]]:
    """Return the groups of windows with one pattern that enough tasks support.

    A window stands in a group for each level of detail at which its pattern differs: down to the
    types of its constants, and with all that lies deeper than some levels of an expression left
    out. What the members of a coarse group have in common is for `template` to find.
    """
    groups: defaultdict[Skeleton, list[StatementWindow]] = defaultdict(list)
    for session in sessions:
        for window in _windows(session, settings.max_statements):
            groups[window.pattern].append(window)
    alike: list[list[StatementWindow]] = []
    for pattern, windows in sorted(groups.items(), key=lambda entry: str(entry[0])):
        if is_repeated([window.session for window in windows], settings):
            alike += [windows] if is_coarse(pattern) else _same_use_of_names(windows, settings)
    return alike


def is_repeated(sessions: Sequence[Session], settings: MiningSettings) -> bool:
    """Say whether what stands in these sessions is there for enough tasks."""
    tasks = {session.task_id for session in sessions}
    return len(tasks) >= settings.statements_support


def _windows(session: Session, longest: int) -> Iterator[StatementWindow]:
    for number, snippet in enumerate(session.snippets):
        imports = session.imports_before(number)
        imported = {name: ast.unparse(statement) for name, statement in imports.items()}
        known = KnownFunctions.of(imports, session.own_names)
        for block, in_loop in blocks_of(snippet.tree):
            counted = {
                position: ReadStatement.of(block[position], imported, known)
                for position in range(len(block))
                if _counts(block[position])
            }
            for positions in _runs([*counted], block, longest):
                for read in readings([counted[position] for position in positions]):
                    order = canonical_order([one.alike for one in read], [one.key for one in read])
                    alike = tuple(read[place].alike for place in order)
                    for pattern in patterns([read[place] for place in order]):
                        yield StatementWindow(
                            *(session, number, block, in_loop, positions, alike, pattern),
                            *(imports, known),
                        )


def _counts(statement: ast.stmt) -> bool:
    return not isinstance(statement, _LEFT_OUT) and not is_shown(statement)


def _runs(
    counted: Sequence[int], block: Sequence[ast.stmt], longest: int
) -> Iterator[tuple[int, ...]]:
    """Yield the positions of statements in a row that can be moved, and of single checks."""
    plain = [position for position in counted if not isinstance(block[position], ast.Assert)]
    movable = {position: is_movable(block[position]) for position in counted}
    for start in range(len(plain)):
        for end in range(start + 1, min(start + longest, len(plain)) + 1):
            if not movable[plain[end - 1]]:
                break
            yield tuple(plain[start:end])
    for position in counted:
        if isinstance(block[position], ast.Assert) and movable[position]:
            yield (position,)


def blocks_of(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], bool]]:
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


def is_movable(statement: ast.stmt) -> bool:
    """Say whether a statement does not depend on the place where it stands."""
    return not _jumps_out(statement) and not any(
        isinstance(node, UNMOVABLE) or is_print(node) for node in ast.walk(statement)
    )


def is_print(node: ast.AST) -> bool:
    """Say whether a name is that of the function that shows things."""
    return isinstance(node, ast.Name) and node.id == "print"


def _jumps_out(node: ast.AST) -> bool:
    """Say whether a `break` or `continue` in it is of a loop around it."""
    if isinstance(node, ast.Break | ast.Continue):
        return True
    inner = node.orelse if isinstance(node, ast.For | ast.While) else ast.iter_child_nodes(node)
    return any(map(_jumps_out, inner))


def _same_use_of_names(
    windows: Sequence[StatementWindow], settings: MiningSettings
) -> Iterator[list[StatementWindow]]:
    """Split windows of one skeleton by which of their names are the same name."""
    groups: defaultdict[tuple[int, ...], list[StatementWindow]] = defaultdict(list)
    for window in windows:
        groups[_use_of_names(window)].append(window)
    for _, group in sorted(groups.items()):
        if is_repeated([window.session for window in group], settings):
            yield group


def _use_of_names(window: StatementWindow) -> tuple[int, ...]:
    """Return a number for each name in a window, the same for the same name."""
    numbers: dict[str, int] = {}
    found: list[int] = []
    for statement in window.alike:
        pending: deque[ast.AST] = deque([statement])
        left_out = window.known.used_in(statement) if window.leaves_functions_open else {}
        while pending:
            node = pending.popleft()
            if id(node) in left_out:
                continue
            if isinstance(node, ast.Name):
                found.append(numbers.setdefault(node.id, len(numbers)))
            pending += ast.iter_child_nodes(node)
    return tuple(found)
