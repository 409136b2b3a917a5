"""How much code there is, as `ast.unparse` writes it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable

__all__ = ["characters", "tokens", "tokens_of"]

_LAYOUT = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.COMMENT,
}


def characters(trees: Iterable[ast.Module]) -> int:
    """Count the characters of code."""
    return sum(len(ast.unparse(tree)) for tree in trees)


def tokens(trees: Iterable[ast.Module]) -> int:
    """Count the lexical tokens of code as `ast.unparse` writes it, layout left out."""
    return sum(tokens_of(ast.unparse(tree)) for tree in trees)


def tokens_of(text: str) -> int:
    """Count the lexical tokens of one text, layout left out."""
    read = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type not in _LAYOUT for token in read)
