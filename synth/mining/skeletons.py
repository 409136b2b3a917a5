"""Patterns of code: what is left of it without names, constants, or whole expressions."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.mining.known_functions import KnownFunctions
from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.texts import written_alike

__all__ = [
    "ReadStatement",
    "Skeleton",
    "is_coarse",
    "leaves_functions_open",
    "patterns",
    "readings",
]

Skeleton: TypeAlias = object
"""A nested tuple: the shape of a syntax tree with local names and the values of constants left
out. Equal skeletons are what windows must share to be the same code."""


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """One statement as it is compared."""

    alike: ast.stmt
    skeleton: Skeleton
    shapes: tuple[Skeleton, ...]
    """What is left of it where expressions are followed so many levels deep (`_DEPTHS`)."""
    of_any_function: ReadStatement | None = None
    """The same with all known functions taken for one; None where it has none."""
    leaves_functions_open: bool = False
    """Whether it is read so itself."""

    @classmethod
    def of(
        cls, statement: ast.stmt, imported: dict[str, str], known: KnownFunctions
    ) -> ReadStatement:
        """Read a statement.

        Args:
            statement: As it was written.
            imported: What imported names stand for.
            known: What names stand for known functions.
        """
        alike = written_alike(statement)
        functions = known.used_in(alike).keys()
        names = _Names(imported)
        of_any = cls._read(alike, _Names(imported, functions)) if functions else None
        return cls._read(alike, names, of_any)

    @classmethod
    def _read(
        cls, alike: ast.stmt, names: _Names, of_any_function: ReadStatement | None = None
    ) -> ReadStatement:
        shapes = tuple(_shape(alike, depth, names) for depth in _DEPTHS)
        skeleton = _skeleton(alike, names)
        return cls(alike, skeleton, shapes, of_any_function, bool(names.any_function))

    @property
    def key(self) -> str:
        """A text that statements of one skeleton share."""
        return str(self.skeleton)


@dataclass(frozen=True, slots=True)
class _Names:
    """What names stand for."""

    imported: dict[str, str]
    any_function: Collection[int] = ()
    """Identities of the nodes that are taken for any function."""


_DEPTHS = (1, 2, 3)


def is_coarse(pattern: Skeleton) -> bool:
    """Say whether a pattern leaves out parts of expressions."""
    return isinstance(pattern, tuple) and pattern[0] in {"shape", _OPEN + "shape"}


def leaves_functions_open(pattern: Skeleton) -> bool:
    """Say whether a pattern takes all known functions for one."""
    return isinstance(pattern, tuple) and str(pattern[0]).startswith(_OPEN)


_OPEN = "any function, "


def readings(read: Sequence[ReadStatement]) -> Iterator[Sequence[ReadStatement]]:
    """Yield the statements of a window as they are, then with known functions taken for one."""
    yield read
    if any(one.of_any_function for one in read):
        yield [one.of_any_function or one for one in read]


def patterns(read: Sequence[ReadStatement]) -> Iterator[Skeleton]:
    """Yield the patterns of a window, from the most to the least detailed."""
    which = _OPEN if any(one.leaves_functions_open for one in read) else ""
    yield f"{which}full", *(one.skeleton for one in read)
    seen = set()
    for level in range(len(_DEPTHS)):
        numbers: dict[str, int] = {}
        shape = tuple(_numbered(one.shapes[level], numbers) for one in read)
        if shape not in seen:
            seen.add(shape)
            yield f"{which}shape", *shape


@dataclass(frozen=True, slots=True)
class _Cut:
    """An expression that a shape says nothing of, but where else it stands."""

    text: str


_ANY_FUNCTION: Skeleton = ("function",)


def _shape(node: object, depth: int, names: _Names) -> Skeleton:
    if id(node) in names.any_function:
        return _ANY_FUNCTION
    match node:
        case ast.Name(id=name) if name in names.imported or name in BUILTINS:
            return _skeleton(node, names)
        case ast.JoinedStr(values=parts):
            # Its words tell what it is: it is followed through, and its own parts are cut.
            return "text", *(_shape_of_part(part, depth, names) for part in parts)
        case ast.Name() | ast.Constant():
            return _Cut(ast.dump(node))
        case ast.expr():
            if depth == 0:
                return _Cut(ast.dump(node))
            depth -= 1
        case list():
            return tuple(_shape(item, depth, names) for item in node)
    if isinstance(node, ast.AST):
        fields = (
            _shape(value, depth, names) for name, value in ast.iter_fields(node) if name != "ctx"
        )
        return type(node).__name__, *fields
    return node


def _shape_of_part(part: ast.expr, depth: int, names: _Names) -> Skeleton:
    match part:
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=spec):
            spoken = ast.unparse(spec) if spec else ""
            return conversion, spoken, _shape(value, max(depth - 1, 0), names)
        case ast.Constant(value=value):
            return "words", " ".join(str(value).split())
    return _shape(part, depth, names)


def _numbered(shape: Skeleton, numbers: dict[str, int]) -> Skeleton:
    """Return a shape with what was cut numbered, equal expressions alike."""
    if isinstance(shape, _Cut):
        return "cut", numbers.setdefault(shape.text, len(numbers))
    if isinstance(shape, tuple):
        return tuple(_numbered(part, numbers) for part in shape)
    return shape


def _skeleton(node: object, names: _Names) -> Skeleton:
    if id(node) in names.any_function:
        return _ANY_FUNCTION
    if isinstance(node, ast.Name):
        if node.id in names.imported:
            return "import", names.imported[node.id]
        return ("builtin", node.id) if node.id in BUILTINS else "name"
    if isinstance(node, ast.Constant):
        return "constant", type(node.value).__name__
    if isinstance(node, ast.AST):
        fields = (_skeleton(value, names) for name, value in ast.iter_fields(node) if name != "ctx")
        return type(node).__name__, *fields
    if isinstance(node, list):
        return tuple(_skeleton(item, names) for item in node)
    return node
