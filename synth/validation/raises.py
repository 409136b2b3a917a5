"""Which exceptions a tool raises on purpose."""

from __future__ import annotations

import ast

from toolguild.policies.code_rules import load_code_profile
from toolguild.synth.validation.static.reading import parse

__all__ = ["raised_types"]


def raised_types(source: str) -> frozenset[str]:
    """Return the names of the exception types in the `raise` statements of a tool text.

    Raises:
        SourceError: the text does not parse, or is too big.
    """
    tree = parse(source, load_code_profile().limits)
    raised = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    types = (exc.func if isinstance(exc, ast.Call) else exc for exc in raised)
    return frozenset(node.id for node in types if isinstance(node, ast.Name))
