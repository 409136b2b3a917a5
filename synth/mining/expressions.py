"""Expressions that recur inside agents' statements, up to local names and parts of them."""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolguild.synth.mining.known_functions import KnownFunctions
from toolguild.synth.mining.programs import Session
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.skeletons import (
    ReadStatement,
    Skeleton,
    is_coarse,
    leaves_functions_open,
    patterns,
    readings,
)
from toolguild.synth.mining.statements import UNMOVABLE, is_print, is_repeated

__all__ = ["ExpressionWindow", "repeated_expressions", "work_of"]

_WORK = (
    *(ast.BinOp, ast.Compare, ast.BoolOp, ast.Call, ast.Subscript, ast.IfExp),
    *(ast.If, ast.For, ast.While, ast.AugAssign),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
"""Nodes that do something; names, constants and plain assignments do not."""


def work_of(node: ast.AST) -> int:
    """Count the operations, calls, branches and loops in code."""
    return sum(isinstance(inner, _WORK) for inner in ast.walk(node))


@dataclass(frozen=True, slots=True)
class ExpressionWindow:
    """An expression inside a statement."""

    session: Session
    snippet: int
    node: ast.expr
    alike: tuple[ast.stmt, ...]
    """A statement that returns it, as it is compared."""
    pattern: Skeleton
    imports: dict[str, ast.stmt]
    """What the imported names stand for."""
    known: KnownFunctions
    is_coarse: bool = True

    @property
    def leaves_functions_open(self) -> bool:
        """Whether the pattern takes all known functions for one."""
        return leaves_functions_open(self.pattern)

    @property
    def nodes(self) -> list[ast.expr]:
        """What a tool would take the place of."""
        return [self.node]


def repeated_expressions(
    sessions: Sequence[Session], settings: MiningSettings
) -> list[list[ExpressionWindow]]:
    """Return the groups of expressions with one pattern that enough tasks support."""
    groups: defaultdict[Skeleton, list[ExpressionWindow]] = defaultdict(list)
    for session in sessions:
        for window in _expressions(session, settings.min_work):
            groups[window.pattern].append(window)
    return [
        windows
        for _, windows in sorted(groups.items(), key=lambda entry: str(entry[0]))
        if is_repeated([window.session for window in windows], settings)
    ]


def _expressions(session: Session, least_work: int) -> Iterator[ExpressionWindow]:
    for number, snippet in enumerate(session.snippets):
        imports = session.imports_before(number)
        imported = {name: ast.unparse(statement) for name, statement in imports.items()}
        known = KnownFunctions.of(imports, session.own_names)
        for node in _inner_expressions(snippet.tree):
            if work_of(node) < least_work or any(
                isinstance(inner, (*UNMOVABLE, ast.NamedExpr)) or is_print(inner)
                for inner in ast.walk(node)
            ):
                continue
            read = ReadStatement.of(ast.copy_location(ast.Return(node), node), imported, known)
            for reading in readings([read]):
                for pattern in filter(is_coarse, patterns(reading)):
                    yield ExpressionWindow(
                        session, number, node, (read.alike,), pattern, imports, known
                    )


def _inner_expressions(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the expressions that are no statement's whole value, and stand in no text."""
    pending: deque[ast.AST] = deque([tree])
    while pending:
        node = pending.popleft()
        for child in ast.iter_child_nodes(node):
            whole = isinstance(node, ast.Assign | ast.Expr | ast.AnnAssign)
            if isinstance(child, _OPERATIONS) and not whole:
                yield child
            if not isinstance(child, ast.JoinedStr):
                pending.append(child)


_OPERATIONS = (
    *(ast.BinOp, ast.BoolOp, ast.Compare, ast.Call, ast.Subscript, ast.IfExp),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.UnaryOp),
)
