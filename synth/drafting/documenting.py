"""Another docstring for a tool, and what of its text has to stay the same."""

from __future__ import annotations

import ast
import textwrap

from toolguild.policies.parsing import parse_module
from toolguild.synth.drafting.text import quoted

__all__ = ["code_of", "with_docstring"]


def with_docstring(source: str, name: str, docs: str) -> str:
    """Return the text of a tool with another docstring, which stands on lines of its own.

    That nothing else changed is for `code_of` to show.

    Args:
        source: The text.
        name: Name of the tool's function.
        docs: The docstring's text, as `docstring` makes it.

    Raises:
        ValueError: the function is not there, or has no docstring.
    """
    old = _docstring_of(_function(parse_module(source), name))
    if old is None or old.end_lineno is None:
        message = f"{name} has no docstring"
        raise ValueError(message)
    lines = source.split("\n")
    new = textwrap.indent("\n".join(quoted(docs)), " " * old.col_offset)
    lines[old.lineno - 1 : old.end_lineno] = new.split("\n")
    return "\n".join(lines)


def code_of(source: str, name: str) -> str:
    """Return a tool's syntax tree without its docstring: a text that is the same for the same code.

    Args:
        source: The tool's text.
        name: Name of its function, whose docstring is left out; those of helpers stay.

    Raises:
        SyntaxError: the text is no Python; `ast.parse` names what else it raises.
        ValueError: the function is not there.
    """
    module = parse_module(source)
    function = _function(module, name)
    if _docstring_of(function):
        del function.body[0]
    return ast.dump(module)


def _function(module: ast.Module, name: str) -> ast.FunctionDef:
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    message = f"there is no function {name}"
    raise ValueError(message)


def _docstring_of(function: ast.FunctionDef) -> ast.Expr | None:
    match function.body[0]:
        case ast.Expr(value=ast.Constant(value=str())) as first:
            return first
    return None
