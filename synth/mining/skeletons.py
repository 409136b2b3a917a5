"""Patterns of code: what is left of it without names, constants, or whole expressions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.mining.programs import BUILTINS
from toolguild.synth.mining.texts import written_alike

__all__ = ["ReadStatement", "Skeleton", "is_coarse", "patterns"]

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

    @classmethod
    def of(cls, statement: ast.stmt, imported: dict[str, str]) -> ReadStatement:
        """Read a statement; `imported` says what imported names stand for."""
        alike = written_alike(statement)
        shapes = tuple(_shape(alike, depth, imported) for depth in _DEPTHS)
        return cls(alike, _skeleton(alike, imported), shapes)

    @property
    def key(self) -> str:
        """A text that statements of one skeleton share."""
        return str(self.skeleton)


_DEPTHS = (1, 2, 3)


def is_coarse(pattern: Skeleton) -> bool:
    """Say whether a pattern leaves out parts of expressions."""
    return isinstance(pattern, tuple) and pattern[0] == "shape"


def patterns(read: Sequence[ReadStatement]) -> Iterator[Skeleton]:
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
