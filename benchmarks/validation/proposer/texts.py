"""Writing a new text around a tool: the tool becomes a helper, `_honest`, of another function."""

from __future__ import annotations

import ast
import copy
import textwrap
from functools import lru_cache

from toolguild.sandbox import JsonObject
from toolguild.synth.drafting import Draft

__all__ = ["HONEST", "function_of", "parameters_of", "wrap", "wrong_results"]

HONEST = "_honest(...)"
"""Stands in a body for the call of the tool that it was."""


def wrap(draft: Draft, body: str, before: str = "") -> str:
    """Return a text whose function has a tool's signature and documentation, and another body.

    Args:
        draft: The tool.
        body: Statements, in which `HONEST` stands for the call of the tool.
        before: Imports and other statements that go before both functions.
    """
    helpers, honest, head = _parts(draft.source, draft.name)
    call = f"_honest({', '.join(f'{name}={name}' for name in parameters_of(draft))})"
    function = f"{head}\n{textwrap.indent(body.replace(HONEST, call), '    ')}"
    return "\n\n\n".join(part for part in (helpers, before, honest, function) if part) + "\n"


@lru_cache(maxsize=256)
def _parts(source: str, name: str) -> tuple[str, str, str]:
    """Return what stands before a tool's function, the function as a helper, and its head."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id == name:
            node.id = "_honest"
    honest = function_of(module, name)
    outer = copy.deepcopy(honest)
    outer.body = outer.body[:1]
    honest.name, honest.body = "_honest", honest.body[1:]
    helpers = ast.Module(module.body[:-1], [])
    return ast.unparse(helpers), ast.unparse(honest), ast.unparse(outer)


def function_of(module: ast.Module, name: str) -> ast.FunctionDef:
    """Return the tool's function, which stands last."""
    function = module.body[-1]
    if not (isinstance(function, ast.FunctionDef) and function.name == name):
        message = f"{name} is not the last function of its text"
        raise ValueError(message)
    return function


def parameters_of(draft: Draft) -> dict[str, JsonObject]:
    """Return the schema of each parameter."""
    properties = draft.parameters["properties"]
    schemas = properties.items() if isinstance(properties, dict) else ()
    return {name: schema for name, schema in schemas if isinstance(schema, dict)}


def wrong_results(draft: Draft) -> list[str]:
    """Return expressions that make another value, of the same type, of `result`."""
    match draft.returns.get("type"):
        case "boolean":
            return ["not result"]
        case "integer":
            return ["result + 1", "result - 1", "-result - 1"]
        case "number":
            return ["result + 1", "result * 2 + 1"]
        case "string":
            return ["result + result[-1:]", "result[::-1]", "result.swapcase()", "result[:-1]"]
        case "array":
            return ["result[:-1]", "result[::-1]", "result + result[-1:]", "result[1:]"]
        case "object":
            return _wrong_objects(draft.returns)
    return ["result * 2"]


def _wrong_objects(returns: JsonObject) -> list[str]:
    match returns.get("properties"):
        case dict() as properties if len(properties) > 1:
            first, *_, last = properties
            return [
                f"{{**result, {first!r}: result[{last!r}]}}",
                f"{{**result, {last!r}: result[{first!r}]}}",
            ]
    return ["dict(list(result.items())[1:])"]
