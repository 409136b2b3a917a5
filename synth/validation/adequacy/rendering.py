"""From a change of the syntax tree to a text in which nothing else has changed."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import TypeAlias

from toolguild.synth.validation.adequacy.tree import Change
from toolguild.synth.validation.static.reading import quiet

__all__ = ["Code", "Rendered", "Text", "code_of"]

Code: TypeAlias = tuple[object, ...]
"""What a text compiles to, without the lines that its parts came from."""

_NOT_A_PROGRAM = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
"""What unparsing and compiling raise for a tree that is no program."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A changed text."""

    text: str
    code: Code
    line: int
    """Where the change starts in the original, from 1."""
    column: int
    """In characters, from 1."""
    before: str
    after: str


def code_of(program: ast.Module | str) -> Code | None:
    """Return what a program compiles to, or None where it does not compile."""
    try:
        with quiet():
            return _key(compile(program, "<tool>", "exec", dont_inherit=True))
    except _NOT_A_PROGRAM:
        return None


def _key(code: CodeType) -> Code:
    constants = tuple(
        _key(one) if isinstance(one, CodeType) else (type(one).__name__, repr(one))
        for one in code.co_consts
    )
    return (
        code.co_name, code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount,
        code.co_flags, code.co_code, code.co_exceptiontable, constants, code.co_names,
        code.co_varnames, code.co_freevars, code.co_cellvars,
    )  # fmt: skip


class Text:
    """The text of a tree, in which single places can be written anew."""

    def __init__(self, source: str, module: ast.Module) -> None:
        """Take a text and its tree.

        Args:
            source: The text, its lines ended by line feeds only.
            module: What `ast.parse` made of it.
        """
        self._lines = source.split("\n")
        self._bytes = source.encode()
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line.encode()) + 1)
        self._module = module

    def render(self, change: Change, quoted_in: ast.JoinedStr | None) -> Rendered | None:
        """Return the text with one change, or None where that is no program.

        Args:
            change: The change; the tree is as before when this returns.
            quoted_in: The f-string around it. What is in one is written anew as a whole, for
                Python 3.11 does not say where in it a part stands.
        """
        old: list[ast.AST] = [quoted_in] if quoted_in else change.old
        start, end = self._offset(old[0]), self._end(old[-1])
        line = self._starts.index(max(one for one in self._starts if one <= start))
        before = self._bytes[start:end].decode()
        indent = self._bytes[self._starts[line] : start].decode()
        _place(change)
        with change.applied():
            code = code_of(ast.fix_missing_locations(self._module))
            if code is None:
                return None
            try:
                written = list(_written(quoted_in or change.new, before, indent))
                texts = [self._with(one, start, end) for one in written]
                # Parentheses may be missing or one too many; the tree written anew is always right.
                text = next((one for one in texts if code_of(one) == code), None)
                text = text or f"{ast.unparse(self._module)}\n"
            except _NOT_A_PROGRAM:
                return None
        return Rendered(text, code, line + 1, len(indent) + 1, before, written[0])

    def _with(self, text: str, start: int, end: int) -> str:
        return (self._bytes[:start] + text.encode() + self._bytes[end:]).decode()

    def _offset(self, node: ast.AST) -> int:
        return self._starts[_number(node, "lineno") - 1] + _number(node, "col_offset")

    def _end(self, node: ast.AST) -> int:
        return self._starts[_number(node, "end_lineno") - 1] + _number(node, "end_col_offset")


def _place(change: Change) -> None:
    """Give new nodes the place of the old: what is compiled depends on which line follows which."""
    for node in change.new if isinstance(change.new, list) else [change.new]:
        if not hasattr(node, "lineno"):
            ast.copy_location(node, change.old[0])


def _written(new: ast.AST | list[ast.stmt], before: str, indent: str) -> Iterator[str]:
    if isinstance(new, list):
        text = textwrap.indent("\n".join(map(ast.unparse, new)), indent).removeprefix(indent)
        # An `elif` is a condition of its own in the tree: what takes its place needs an `else`.
        yield f"else:\n{indent}    {text}" if before.startswith("elif") else text
        return
    yield ast.unparse(new)
    yield f"({ast.unparse(new)})"


def _number(node: ast.AST, attribute: str) -> int:
    value = getattr(node, attribute)
    assert isinstance(value, int)  # noqa: S101 - every node that is changed came from a text
    return value
