"""What the names of a tool's text stand for, as far as its flows can be followed."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

__all__ = ["CALL_TOOL", "READING_METHODS", "Names", "NotUnderstoodError", "called_tool", "names_of"]

CALL_TOOL = "call_tool"
_GIVEN = frozenset({CALL_TOOL, "ToolCallError"})
"""Globals that the sandbox adds."""

READING_METHODS = frozenset(
    {"capitalize", "casefold", "copy", "count", "date", "endswith", "find", "get", "group"}
    | {"groups", "index", "isalnum", "isalpha", "isdigit", "isoformat", "items", "keys", "lower"}
    | {"lstrip", "replace", "rstrip", "split", "splitlines", "startswith", "strftime", "strip"}
    | {"title", "upper", "values", "zfill"}
)
"""Methods that change nothing, of whichever builtin type or type of these modules they are."""
_SCALAR = frozenset(
    {"abs", "bool", "chr", "float", "format", "hash", "int", "isinstance", "len", "ord", "print"}
    | {"range", "repr", "round", "str"}
)
"""Builtins that change nothing that they are given, and hold nothing of it."""
_BUILTINS = _SCALAR | frozenset(
    {"all", "any", "bytes", "dict", "divmod", "enumerate", "filter", "frozenset", "iter", "list"}
    | {"map", "max", "min", "next", "pow", "reversed", "set", "slice", "sorted", "sum"}
    | {"tuple", "zip"}
)
"""Builtins that pass nothing on but by what they are given and what they return."""
_MODULES = frozenset(
    {"__future__", "bisect", "collections.abc", "copy", "datetime", "heapq", "html", "itertools"}
    | {"json", "math", "re", "statistics", "textwrap", "unicodedata"}
)
"""Modules of which the same holds: they keep nothing that one call could tell another."""
_TYPES = frozenset({"Any", "Final", "Literal", "Mapping", "NotRequired", "Optional", "Sequence"})
"""What may be taken from `typing`, other names of which run code that stands in texts."""
_LEADING_OUT = re.compile(r"_|(ag|co|cr|f|gi|tb)_|call_tool$")
"""Attributes by which a text gets at its own names, frames and globals."""


class NotUnderstoodError(ValueError):
    """Something in a text whose flows cannot be followed."""

    def __init__(self, node: ast.AST | None, what: str) -> None:
        """Take the node, if there is one, and what it is."""
        line = getattr(node, "lineno", None)
        super().__init__(what if line is None else f"line {line}: {what}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a text binds, but for those of modules; no name is of two kinds."""

    functions: frozenset[str]
    variables: frozenset[str]
    loaded: frozenset[str]
    """Those that are read somewhere."""

    def is_empty(self, node: ast.expr) -> bool:
        """Whether an expression holds nothing that another one could be told by it."""
        if isinstance(node, ast.Name):
            return node.id not in self.functions | self.variables
        return isinstance(node, ast.Constant)

    def is_scalar(self, node: ast.expr) -> bool:
        """Whether an expression is a builtin that neither changes nor keeps its arguments."""
        return isinstance(node, ast.Name) and self.is_empty(node) and node.id in _SCALAR


def names_of(tree: ast.Module) -> Names:
    """Return what the names of a text stand for.

    Raises:
        NotUnderstoodError: one of them may stand for something that cannot be followed.
    """
    functions: set[str] = set()
    variables: set[str] = set()
    modules: set[str] = set()
    loaded: set[str] = set()
    types = [*_annotations(tree)]
    in_types = {id(node) for node in types}
    for node in ast.walk(tree):
        functions.update(_defined(node))
        variables.update(_assigned(node))
        modules.update(_imported(node))
        if _is_read(node) and id(node) not in in_types:
            loaded.add(node.id)
        if isinstance(node, ast.Attribute) and _LEADING_OUT.match(node.attr):
            raise NotUnderstoodError(node, f"the attribute {node.attr}")
    own = functions | variables | modules
    if len(own) < len(functions) + len(variables) + len(modules):
        raise NotUnderstoodError(None, "a name that stands for several things")
    strange = _GIVEN & own or loaded - own - _GIVEN - _BUILTINS - _EXCEPTIONS
    if strange:
        raise NotUnderstoodError(None, f"the name {min(strange)}")
    for node in types:
        if not isinstance(node, _OF_TYPES) or (_is_read(node) and node.id in functions | variables):
            raise NotUnderstoodError(node, "an annotation that is computed")
    return Names(frozenset(functions), frozenset(variables), frozenset(loaded))


_EXCEPTIONS = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)


_OF_TYPES = (
    ast.Attribute, ast.BinOp, ast.BitOr, ast.Constant, ast.List, ast.Load, ast.Name, ast.Subscript,
    ast.Tuple,
)  # fmt: skip
"""What annotations are made of."""


def _annotations(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every node in an annotation."""
    for node in ast.walk(tree):
        annotation: ast.expr | None = None
        if isinstance(node, ast.arg | ast.AnnAssign):
            annotation = node.annotation
        elif isinstance(node, ast.FunctionDef):
            annotation = node.returns
        if annotation:
            yield from ast.walk(annotation)


def _is_read(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield node.name


def _assigned(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name


def _imported(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    for alias in node.names:
        source = alias.name if isinstance(node, ast.Import) else node.module
        of_types = source == "typing" and alias.name in _TYPES
        if not (source in _MODULES or of_types) or alias.name.startswith(("_", "*")):
            raise NotUnderstoodError(node, f"the import of {alias.name}")
        yield alias.asname or alias.name


def called_tool(node: ast.AST) -> str | None:
    """Return the name of the tool that a node calls; None where it is no such call or literal."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return None
    named = (keyword.value for keyword in node.keywords if keyword.arg == "name")
    first = node.args[0] if node.args else next(named, None)
    if node.func.id != CALL_TOOL or not isinstance(first, ast.Constant):
        return None
    return first.value if isinstance(first.value, str) else None
