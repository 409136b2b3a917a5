"""Which exceptions a tool raises on purpose."""

from __future__ import annotations

import ast

from toolguild.policies import Profile
from toolguild.synth.validation.static.reading import parse

__all__ = ["raised_types"]


def raised_types(source: str, profile: Profile) -> frozenset[str]:
    """Return the names of the exception types in the `raise` statements of a tool text.

    Args:
        source: The text.
        profile: Says how big it may be.

    Raises:
        SourceError: the text does not parse, or is too big.
    """
    tree = parse(source, profile.code.limits)
    raised = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    types = (exc.func if isinstance(exc, ast.Call) else exc for exc in raised)
    return frozenset(node.id for node in types if isinstance(node, ast.Name))
