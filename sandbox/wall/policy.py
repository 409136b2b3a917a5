"""The wall's compiler: refuses what it can tell from the text, and inserts guards for the rest."""

from __future__ import annotations

import ast
from types import CodeType

from toolguild.sandbox.wall.definitions import Definitions
from toolguild.sandbox.wall.patterns import Patterns
from toolguild.sandbox.wall.rules import RefusedError, Rules

__all__ = ["FILE_NAME", "compile_behind_wall"]

FILE_NAME = "<tool>"

_ONLY_PARSE: int = ast.PyCF_ONLY_AST
_MAX_ERRORS = 5


def compile_behind_wall(source: str, rules: Rules) -> CodeType:
    """Compile a program with guards in it.

    Raises:
        RefusedError: the text asks for what the rules do not allow; the message names the lines.
        SyntaxError: it is no Python.
    """
    # Not `ast.parse`, which would heed the flags of this module.
    tree: ast.Module = compile(source, FILE_NAME, "exec", _ONLY_PARSE, dont_inherit=True)
    policy = _Policy(rules, tree)
    policy.visit(tree)
    policy.settle()
    if policy.errors:
        more = len(policy.errors) - _MAX_ERRORS
        shown = [*policy.errors[:_MAX_ERRORS], *([f"and {more} more"] if more > 0 else [])]
        raise RefusedError("; ".join(shown))
    return compile(tree, FILE_NAME, "exec", dont_inherit=True)


class _Policy(Patterns, Definitions):
    """All there is in a program."""
