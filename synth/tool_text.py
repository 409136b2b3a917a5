"""A draft from a tool text that a person wrote: its schemas are read off its annotations."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from toolguild.policies import Profile, ToolguildError, load_profile
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Case, Draft, DraftOrigin, object_schema
from toolguild.synth.validation.static import SourceError, called_tools
from toolguild.synth.validation.static.reading import parse

__all__ = ["ToolTextError", "draft_from_text"]

_SCALARS: dict[str, str] = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "None": "null",
}


class ToolTextError(ToolguildError, ValueError):
    """A text is no tool; the message names the line."""


def draft_from_text(
    source: str, cases: Sequence[Case] = (), profile: Profile | None = None
) -> Draft:
    """Read a tool text as a draft.

    Args:
        source: The text.
        cases: Known results of it.
        profile: Says how big it may be, and what calls other tools; the shipped one unless given.

    Raises:
        ToolTextError: it does not parse, is too big, has not exactly one public function, or an
            annotation in it names values that JSON does not have.
    """
    try:
        module = parse(source, (profile or load_profile()).code.limits)
    except SourceError as error:
        message = f"the text is no tool: {error} (line {error.line})"
        raise ToolTextError(message) from error
    public = [
        node
        for node in module.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    if len(public) != 1:
        names = ", ".join(f"{node.name} (line {node.lineno})" for node in public) or "none"
        message = f"a tool has exactly one public function, this text has: {names}"
        raise ToolTextError(message)
    function = public[0]
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    parameters: JsonObject = {
        argument.arg: schema_of_annotation(argument.annotation) for argument in arguments
    }
    summary = (ast.get_docstring(function) or function.name).split("\n\n")[0]
    return Draft(
        name=function.name,
        description=" ".join(summary.split()),
        source=source,
        parameters=_with_optionals(object_schema(parameters, closed=True), function),
        returns=schema_of_annotation(function.returns),
        calls=called_tools(source, profile=profile),
        origin=DraftOrigin.PERSON,
        opportunity=None,
        cases=tuple(cases),
    )


def _with_optionals(schema: JsonObject, function: ast.FunctionDef) -> JsonObject:
    """Return the schema with the parameters that have defaults not required."""
    positional = [*function.args.posonlyargs, *function.args.args]
    defaulted = {
        argument.arg for argument in positional[len(positional) - len(function.args.defaults) :]
    }
    keyword_only = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    defaulted |= {argument.arg for argument, default in keyword_only if default is not None}
    properties = schema["properties"]
    names = list(properties) if isinstance(properties, dict) else []
    return {**schema, "required": [name for name in names if name not in defaulted]}


def schema_of_annotation(annotation: ast.expr | None) -> JsonObject:
    """Return the JSON Schema of the values that an annotation allows; {} where it is not plain.

    Raises:
        ToolTextError: a `Literal` holds something that JSON does not have.
    """
    match annotation:
        case ast.Constant(value=None):
            return {"type": "null"}
        case ast.Name(id=name) if name in _SCALARS:
            return {"type": _SCALARS[name]}
        case ast.Name(id="list"):
            return {"type": "array"}
        case ast.Name(id="dict"):
            return {"type": "object"}
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            inner = schema_of_annotation(item)
            return {"type": "array", "items": inner} if inner else {"type": "array"}
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, member])):
            inner = schema_of_annotation(member)
            return (
                {"type": "object", "additionalProperties": inner} if inner else {"type": "object"}
            )
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            values = choices.elts if isinstance(choices, ast.Tuple) else [choices]
            return {"enum": [_json_literal(value) for value in values]}
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return {"anyOf": [schema_of_annotation(left), schema_of_annotation(right)]}
    return {}


def _json_literal(node: ast.expr) -> Json:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    message = f"line {node.lineno}: a Literal in a tool may hold texts, numbers, bools and None"
    raise ToolTextError(message)
