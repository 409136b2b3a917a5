"""A function that a parameter chooses: how a tool's code says it, and how that is read again.

    functions = {'max': max, 'min': min}
    if function not in functions:
        raise ValueError("function must be 'max' or 'min'")
    chosen = functions[function]

stands before code that calls `chosen`. Only what stands in such a table can be called, whatever a
tool is given. Where the parameter's type is `Literal['max', 'min']`, no valid argument is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.synth.mining.known_functions import FunctionName, function_named

__all__ = ["Choice", "literal_type", "parted", "refusals", "table_of"]

_STATEMENTS = 3
"""Statements that one choice is written as."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter that names one of several functions."""

    parameter: str
    table: str
    """The variable that holds the functions by their names."""
    chosen: str
    """The variable that holds the one that was chosen."""
    functions: tuple[FunctionName, ...]


def table_of(choice: Choice) -> list[ast.stmt]:
    """Return the statements that choose the function, or raise ValueError."""
    names: list[ast.expr | None] = [ast.Constant(name) for name in choice.functions]
    *most, last = map(repr, choice.functions)
    message = f"{choice.parameter} must be {', '.join(most)} or {last}"
    parameter, table = _read(choice.parameter), _read(choice.table)
    error = ast.Call(_read("ValueError"), [ast.Constant(message)], [])
    return [
        _named(choice.table, ast.Dict(names, [*map(function_named, choice.functions)])),
        ast.If(ast.Compare(parameter, [ast.NotIn()], [table]), [ast.Raise(error)], []),
        _named(choice.chosen, ast.Subscript(table, parameter, ast.Load())),
    ]


def parted(body: Sequence[ast.stmt]) -> tuple[tuple[Choice, ...], list[ast.stmt]]:
    """Return the choices that code starts with, and the code after them."""
    choices: list[Choice] = []
    rest = [*body]
    while (choice := _first_choice(rest)) is not None:
        choices.append(choice)
        rest = rest[_STATEMENTS:]
    return tuple(choices), rest


def refusals(function: ast.FunctionDef) -> list[ast.stmt]:
    """Return the checks of choices in a tool's function that its annotations leave nothing to."""
    types = {
        argument.arg: ast.unparse(argument.annotation)
        for argument in function.args.args
        if argument.annotation is not None
    }
    return [
        function.body[start + 1]
        for start in range(len(function.body))
        if (choice := _first_choice(function.body[start:])) is not None
        and types.get(choice.parameter) == literal_type(choice.functions)
    ]


def literal_type(values: Sequence[object]) -> str:
    """Return the annotation for one of some constants."""
    return f"Literal[{', '.join(map(repr, values))}]"


def _first_choice(body: Sequence[ast.stmt]) -> Choice | None:
    match body:
        case [
            ast.Assign(targets=[ast.Name(id=table)], value=ast.Dict(keys=keys)),
            ast.If(test=ast.Compare(left=ast.Name(id=parameter))),
            ast.Assign(targets=[ast.Name(id=chosen)]),
            *_,
        ]:
            names = tuple(
                key.value
                for key in keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
            if len(names) < 2:
                return None
            choice = Choice(parameter, table, chosen, names)
            own = map(ast.dump, table_of(choice))
            return choice if [*own] == [*map(ast.dump, body[:_STATEMENTS])] else None
    return None


def _read(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _named(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)
