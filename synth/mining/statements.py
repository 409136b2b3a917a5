"""Windows of statements that recur in agents' code, up to local names and constants."""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.mining.programs import BUILTINS, Session
from toolguild.synth.mining.purity import canonical_order
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.texts import written_alike

__all__ = [
    "ExpressionWindow",
    "StatementWindow",
    "Window",
    "blocks_of",
    "is_movable",
    "is_shown",
    "repeated_expressions",
    "repeated_windows",
    "work_of",
]

Skeleton: TypeAlias = object
"""A nested tuple: the shape of a syntax tree with local names and the values of constants left
out. Equal skeletons are what windows must share to be the same code."""

_LEFT_OUT = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
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
    alike: tuple[ast.stmt, ...]
    """The same statements as they are compared: independent ones in an order of their own, with
    all texts written in one way (`texts`)."""
    pattern: Skeleton
    imports: dict[str, ast.stmt]
    """What the imported names stand for."""

    @property
    def is_coarse(self) -> bool:
        """Whether the pattern leaves out parts of expressions."""
        return _is_coarse(self.pattern)

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
    is_coarse: bool = True

    @property
    def nodes(self) -> list[ast.expr]:
        """What a tool would take the place of."""
        return [self.node]


Window: TypeAlias = StatementWindow | ExpressionWindow


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
        if _is_repeated(windows, settings)
    ]


def _expressions(session: Session, least_work: int) -> Iterator[ExpressionWindow]:
    for number, snippet in enumerate(session.snippets):
        imports = session.imports_before(number)
        imported = {name: ast.unparse(statement) for name, statement in imports.items()}
        for node in _inner_expressions(snippet.tree):
            if work_of(node) < least_work or any(
                isinstance(inner, (*_UNMOVABLE, ast.NamedExpr)) or _is_print(inner)
                for inner in ast.walk(node)
            ):
                continue
            read = _Read.of(ast.copy_location(ast.Return(node), node), imported)
            for pattern in _patterns([read]):
                if _is_coarse(pattern):
                    yield ExpressionWindow(session, number, node, (read.alike,), pattern, imports)


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

_WORK = (
    *(ast.BinOp, ast.Compare, ast.BoolOp, ast.Call, ast.Subscript, ast.IfExp),
    *(ast.If, ast.For, ast.While, ast.AugAssign),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
"""Nodes that do something; names, constants and plain assignments do not."""


def work_of(node: ast.AST) -> int:
    """Count the operations, calls, branches and loops in code."""
    return sum(isinstance(inner, _WORK) for inner in ast.walk(node))


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
        if _is_repeated(windows, settings):
            alike += [windows] if _is_coarse(pattern) else _same_use_of_names(windows, settings)
    return alike


def _is_coarse(pattern: Skeleton) -> bool:
    return isinstance(pattern, tuple) and pattern[0] == "shape"


def _is_repeated(windows: Sequence[Window], settings: MiningSettings) -> bool:
    tasks = {window.session.task_id for window in windows}
    return len(windows) > 1 and len(tasks) >= settings.statements_support


def _windows(session: Session, longest: int) -> Iterator[StatementWindow]:
    for number, snippet in enumerate(session.snippets):
        imports = session.imports_before(number)
        imported = {name: ast.unparse(statement) for name, statement in imports.items()}
        for block, in_loop in blocks_of(snippet.tree):
            counted = {
                position: _Read.of(block[position], imported)
                for position in range(len(block))
                if _counts(block[position])
            }
            for positions in _runs([*counted], block, longest):
                read = [counted[position] for position in positions]
                order = canonical_order([one.alike for one in read], [one.key for one in read])
                alike = tuple(read[place].alike for place in order)
                for pattern in _patterns([read[place] for place in order]):
                    yield StatementWindow(
                        session, number, block, in_loop, positions, alike, pattern, imports
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


@dataclass(frozen=True, slots=True)
class _Read:
    """One statement as it is compared."""

    alike: ast.stmt
    skeleton: Skeleton
    shapes: tuple[Skeleton, ...]
    """What is left of it where expressions are followed so many levels deep (`_DEPTHS`)."""

    @classmethod
    def of(cls, statement: ast.stmt, imported: dict[str, str]) -> _Read:
        alike = written_alike(statement)
        shapes = tuple(_shape(alike, depth, imported) for depth in _DEPTHS)
        return cls(alike, _skeleton(alike, imported), shapes)

    @property
    def key(self) -> str:
        return str(self.skeleton)


_DEPTHS = (1, 2, 3)


def _patterns(read: Sequence[_Read]) -> Iterator[Skeleton]:
    """Yield the patterns of a window, from the most to the least detailed."""
    yield "full", *(one.skeleton for one in read)
    seen = set()
    for level in range(len(_DEPTHS)):
        numbers: dict[str, int] = {}
        shape = tuple(_numbered(one.shapes[level], numbers) for one in read)
        if shape not in seen:
            seen.add(shape)
            yield "shape", *shape


@dataclass(frozen=True, slots=True)
class _Cut:
    """An expression that a shape says nothing of, but where else it stands."""

    text: str


def _shape(node: object, depth: int, imported: dict[str, str]) -> Skeleton:
    match node:
        case ast.Name(id=name) if name in imported or name in BUILTINS:
            return _skeleton(node, imported)
        case ast.JoinedStr(values=parts):
            # Its words tell what it is: it is followed through, and its own parts are cut.
            return "text", *(_shape_of_part(part, depth, imported) for part in parts)
        case ast.Name() | ast.Constant():
            return _Cut(ast.dump(node))
        case ast.expr():
            if depth == 0:
                return _Cut(ast.dump(node))
            depth -= 1
        case list():
            return tuple(_shape(item, depth, imported) for item in node)
    if isinstance(node, ast.AST):
        fields = (
            _shape(value, depth, imported) for name, value in ast.iter_fields(node) if name != "ctx"
        )
        return type(node).__name__, *fields
    return node


def _shape_of_part(part: ast.expr, depth: int, imported: dict[str, str]) -> Skeleton:
    match part:
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=spec):
            spoken = ast.unparse(spec) if spec else ""
            return conversion, spoken, _shape(value, max(depth - 1, 0), imported)
        case ast.Constant(value=value):
            return "words", " ".join(str(value).split())
    return _shape(part, depth, imported)


def _numbered(shape: Skeleton, numbers: dict[str, int]) -> Skeleton:
    """Return a shape with what was cut numbered, equal expressions alike."""
    if isinstance(shape, _Cut):
        return "cut", numbers.setdefault(shape.text, len(numbers))
    if isinstance(shape, tuple):
        return tuple(_numbered(part, numbers) for part in shape)
    return shape


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
        isinstance(node, _UNMOVABLE) or _is_print(node) for node in ast.walk(statement)
    )


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "print"


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
            for statement in window.alike
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        )
        groups[pattern].append(window)
    for _, group in sorted(groups.items()):
        if _is_repeated(group, settings):
            yield group
