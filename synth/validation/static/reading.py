"""From text to syntax tree, for text that nobody vouches for.

The tree is CPython's own (`ast`): it is what the sandbox compiles, so checker and interpreter
cannot disagree about a program, and identifiers come NFKC-normalised. libcst would keep the
formatting, which a checker does not need, and its native parser dies of deeply nested text instead
of raising (measured: `"x=" + "[" * 5000` ends the process with SIGSEGV in libcst 1.9).
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from toolguild.policies import ToolguildError, parsing
from toolguild.policies.code_rules import TextLimits
from toolguild.synth.validation.static.syntax import unknown_syntax

__all__ = ["SourceError", "SourceTooBigError", "parse", "parse_expression", "quiet"]

_PARSER_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What CPython's parser and compiler raise, depending on version, for text that is no program."""

_MAX_QUOTED = 1_000  # characters of an annotation in quotes
_filters = threading.Lock()


class SourceError(ToolguildError, ValueError):
    """A text is no Python program.

    Attributes:
        line: where, from 1.
        column: in characters, from 1.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class SourceTooBigError(SourceError):
    """A text is larger or nested deeper than the profile allows."""


@contextmanager
def quiet() -> Iterator[None]:
    """Let Python's parser and compiler warn of nothing while the block runs, in one thread at once.

    An odd escape in a string is no reason to print, nor, under -W error, to refuse.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parse(source: str, limits: TextLimits) -> ast.Module:
    """Parse a module and make sure that it compiles, without running any of it.

    Raises:
        SourceTooBigError: it is past one of the limits.
        SourceError: it is not Python.
    """
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > limits.max_bytes:
        msg = f"the text has {size:,} bytes; a tool may have {limits.max_bytes:,}"
        raise SourceTooBigError(msg)
    with quiet():
        try:
            tree = parsing.parse_module(source)
            _measure(tree, limits)
            # Finds what the grammar lets pass, such as `return` outside of a function.
            compile(tree, "<tool>", "exec", dont_inherit=True)
        except SyntaxError as error:
            # Some messages quote the text.
            said = "".join(c if c.isprintable() else "?" for c in error.msg)
            raise SourceError(said, error.lineno or 1, max(error.offset or 1, 1)) from None
        except (RecursionError, MemoryError):
            msg = "the text is nested too deeply to be parsed"
            raise SourceTooBigError(msg) from None
        except _PARSER_ERRORS as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(str(error)) from None
    return tree


def parse_expression(text: str, limits: TextLimits) -> ast.expr | None:
    """Parse an annotation that was written in quotes; None where it is no expression."""
    if len(text) > _MAX_QUOTED:
        return None
    with quiet():
        try:
            tree = parsing.parse_expression(text.strip())
            _measure(tree, limits)
        except _PARSER_ERRORS:
            return None
    return tree.body


def _measure(tree: ast.AST, limits: TextLimits) -> None:
    """Count nodes and levels, level by level, so that depth costs no recursion.

    Raises:
        SourceTooBigError: there are too many of either.
        SourceError: there is syntax that the gate does not know.
    """
    count = depth = 0
    level = [tree]
    while level:
        count, depth = count + len(level), depth + 1
        if count > limits.max_nodes:
            msg = f"the text has more than {limits.max_nodes:,} syntax nodes"
            raise SourceTooBigError(msg)
        if depth > limits.max_depth:
            line = next((node.lineno for node in level if hasattr(node, "lineno")), 1)
            msg = f"the text is nested deeper than {limits.max_depth} levels"
            raise SourceTooBigError(msg, line)
        for node in level:
            if (kind := unknown_syntax(node)) is not None:
                msg = f"the text uses syntax that the gate does not know ({kind})"
                raise SourceError(msg, getattr(node, "lineno", 1))
        level = [child for node in level for child in ast.iter_child_nodes(node)]
