"""A registered tool made of code, as a form that other code may have."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cached_property

from toolguild.policies.parsing import parse_module
from toolguild.sandbox import JsonObject
from toolguild.synth.behaviour import Positional
from toolguild.synth.drafting import Draft, OriginalCode
from toolguild.synth.mining.choices import Choice, parted
from toolguild.synth.mining.definitions import canonical_text
from toolguild.synth.mining.known_functions import KnownFunctions
from toolguild.synth.mining.liveness import changed_names
from toolguild.synth.mining.programs import assigned_names, bound_by, single_import
from toolguild.synth.mining.texts import written_alike
from toolguild.synth.spellings import generated_inputs

__all__ = ["CodeTool"]


@dataclass(frozen=True)
class CodeTool:
    """A tool, and the code that it was made of."""

    ref: str
    """`name@version`, or another text that names it."""
    name: str
    source: str
    """The tool's text."""
    accepts: JsonObject
    """Schema of its arguments."""
    original: str
    """The code that it stands for: a function of its parameters, after what that needs."""
    inputs: tuple[Positional, ...] = ()
    """Arguments on which a function must end as it does to be taken for the same."""

    @classmethod
    def of(cls, ref: str, draft: Draft) -> CodeTool | None:
        """Return a tool with what it was drafted from, or None where that was no code."""
        if not isinstance(draft.original, OriginalCode):
            return None
        tool = cls(ref, draft.name, draft.source, draft.parameters, draft.original.source)
        recorded = [
            tuple(case.arguments[name] for name in tool.parameters)
            for case in (*draft.cases, *draft.held_out)
        ]
        if not recorded or tool.is_check:
            return tool
        recorded = recorded[:_RECORDED]
        return replace(tool, inputs=(*recorded, *generated_inputs(recorded)))

    @cached_property
    def _module(self) -> list[ast.stmt]:
        return parse_module(self.original).body

    @property
    def function(self) -> ast.FunctionDef:
        """The function that the tool stands for."""
        function = self._module[-1]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - drafting ends with one
        return function

    @property
    def parameters(self) -> tuple[str, ...]:
        """Their names, in the order of the tool's own."""
        return tuple(argument.arg for argument in self.function.args.args)

    @cached_property
    def imports(self) -> dict[str, str]:
        """For each name that the code imports, the statement that does."""
        return {name: ast.unparse(statement) for name, statement in self._imports.items()}

    @cached_property
    def known(self) -> KnownFunctions:
        """Which known functions its names stand for."""
        own = {node.name for node in self._module if isinstance(node, ast.FunctionDef)}
        own |= {*self.parameters, *assigned_names(self.function.body)}
        return KnownFunctions.of(self._imports, own)

    @property
    def _imports(self) -> dict[str, ast.stmt]:
        return {
            bound_by(alias): single_import(statement, alias)
            for statement in self._module
            if isinstance(statement, ast.Import | ast.ImportFrom)
            for alias in statement.names
        }

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The functions that its parameters choose."""
        return parted(self.function.body)[0]

    @cached_property
    def _body(self) -> list[ast.stmt]:
        """What it does once its functions are chosen."""
        return parted(self.function.body)[1]

    @cached_property
    def text_as_definition(self) -> str:
        """A text that functions share with it which differ in names only."""
        return canonical_text(self._module[:-1], self.function)

    @cached_property
    def expression(self) -> ast.expr | None:
        """What the function returns, where it does nothing else."""
        match self._body:
            case [ast.Return(value=ast.expr() as value)] if not isinstance(
                value, ast.Name | ast.Constant
            ):
                return value
        return None

    @cached_property
    def statements(self) -> tuple[ast.stmt, ...]:
        """The statements that it stands for; none where it can only stand for an expression.

        Where the function ends by returning an expression, a last statement gives it a name.
        """
        body = self._body
        if any(isinstance(node, ast.Return) for line in body[:-1] for node in ast.walk(line)):
            return ()
        match body:
            case [*before, ast.Return(value=ast.expr() as value)] if (
                _given_names(value) is not None
            ):
                kept = before
            case [*before, ast.Return(value=ast.expr() as value)] if before:
                kept = [*before, ast.Assign([ast.Name(_RESULT, ast.Store())], value)]
            case _:
                kept = []
        return tuple(written_alike(ast.fix_missing_locations(one)) for one in kept)

    @property
    def is_check(self) -> bool:
        """Whether it gives nothing but fails where something does not hold."""
        return bool(self.statements) and not self.outputs

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names that its statements give to later code; none where they check something."""
        match self._body[-1]:
            case ast.Return(value=ast.expr() as value):
                names = _given_names(value)
                return (_RESULT,) if names is None else names
        return (_RESULT,)

    @cached_property
    def updated(self) -> frozenset[str]:
        """Parameters that its statements change, so that they stand for variables."""
        return frozenset(self.parameters) & changed_names(self.statements)


_RECORDED = 20
"""Recorded calls that other functions are compared on."""
_RESULT = "result_"
"""What code gives a name that the tool returns at once; it stands for any other name."""


def _given_names(value: ast.expr) -> tuple[str, ...] | None:
    """Return the variables that a function returns as they are, None where it returns others.

    Several are returned under their names; True alone says that there is none to be returned.
    """
    match value:
        case ast.Name(id=name):
            return (name,)
        case ast.Constant(value=True):
            return ()
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            named = [
                variable.id
                for key, variable in zip(keys, values, strict=True)
                if isinstance(key, ast.Constant)
                and isinstance(variable, ast.Name)
                and key.value == variable.id
            ]
            return tuple(named) if len(named) == len(keys) else None
    return None
