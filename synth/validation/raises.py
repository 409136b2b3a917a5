"""Which exceptions a tool raises on purpose."""

from __future__ import annotations

import ast

__all__ = ["raised_types"]


def raised_types(source: str) -> frozenset[str]:
    """Return the names of the exception types in the `raise` statements of a tool text.

    Raises:
        SyntaxError: the text does not parse.
    """
    raised = (node.exc for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise))
    types = (exc.func if isinstance(exc, ast.Call) else exc for exc in raised)
    return frozenset(node.id for node in types if isinstance(node, ast.Name))
