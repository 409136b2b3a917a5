"""Parsing Python, from any thread."""

from __future__ import annotations

import ast
import threading
from typing import Final

__all__ = ["parse_expression", "parse_literal", "parse_module"]

_ONE_AT_A_TIME: Final = threading.Lock()
"""Before 3.11.8, two threads that build syntax trees at once may both fail with a SystemError: they
share a count of levels (https://github.com/python/cpython/issues/106905)."""


def parse_module(text: str) -> ast.Module:
    """Return the syntax tree of a module.

    Raises:
        SyntaxError: it is none; `ast.parse` names what else it raises.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(text)


def parse_expression(text: str) -> ast.Expression:
    """Return the syntax tree of an expression.

    Raises:
        SyntaxError: it is none; `ast.parse` names what else it raises.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(text, mode="eval")


def parse_literal(text: str) -> object:
    """Return the value of an expression that is made of literals.

    Raises:
        ValueError: it holds something else, or is too deeply nested or too big.
        SyntaxError: it is no expression.
    """
    try:
        value: object = ast.literal_eval(parse_expression(text))
    except (TypeError, MemoryError, RecursionError) as error:
        msg = f"not a literal: {error}"
        raise ValueError(msg) from error
    return value
