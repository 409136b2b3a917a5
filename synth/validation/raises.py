"""Which exceptions a tool raises on purpose."""

from __future__ import annotations

import ast

from toolguild.policies import Profile
from toolguild.synth.mining.choices import refusals
from toolguild.synth.validation.static.reading import parse

__all__ = ["raised_types"]


def raised_types(source: str, profile: Profile) -> frozenset[str]:
    """Return the names of the exception types in the `raise` statements of a tool text.

    What a choice of functions raises for other names (`mining.choices`) is left out where the
    parameter's type does not allow them: no valid input meets it, and it would excuse an exception
    of that type that the code runs into.

    Args:
        source: The text.
        profile: Says how big it may be.

    Raises:
        SourceError: the text does not parse, or is too big.
    """
    tree = parse(source, profile.code.limits)
    unmet = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for refusal in refusals(function)
        for node in ast.walk(refusal)
    }
    raised = (
        node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and id(node) not in unmet
    )
    types = (exc.func if isinstance(exc, ast.Call) else exc for exc in raised)
    return frozenset(node.id for node in types if isinstance(node, ast.Name))
