"""Attributes that stand in a text as data: `getattr(x, "name")`, `case A(name=x)` and the like."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toolguild.synth.validation.static.guards import possible_texts
from toolguild.synth.validation.static.source import ToolSource

__all__ = ["MAX_NAME", "named_attributes", "naming_arguments"]

MAX_NAME = 200
"""Characters of a dotted name; longer ones are refused wherever they name attributes."""


def naming_arguments(function: str, call: ast.Call) -> list[ast.expr]:
    """Return the arguments of a call that hold names of attributes.

    Args:
        function: the dotted name of what is called.
        call: the call.
    """
    match function:
        case "builtins.getattr" | "builtins.hasattr":
            return call.args[1:2]
        case "operator.attrgetter":
            return call.args
        case "operator.methodcaller":
            return call.args[:1]
    return []


def named_attributes(source: ToolSource) -> Iterator[tuple[ast.AST, str]]:
    """Yield the attributes that constants and patterns name, each with its node.

    What is not constant is not in here: `AttributeByName` refuses it.
    """
    for call in source.index.of_kind(ast.Call):
        for function in source.origins(call.func):
            for argument in naming_arguments(function, call):
                for name in possible_texts(argument, source) or ():
                    if len(name) <= MAX_NAME:
                        yield from ((argument, part) for part in name.split("."))
    for pattern in source.index.of_kind(ast.MatchClass):
        for name in pattern.kwd_attrs:
            yield pattern, name
