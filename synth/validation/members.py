"""That a general tool does the work of several others, each of them called in its own way.

There is no one original to hold a general tool against. What can be held against an original is the
tool called as it would be called for one member: a function with that member's parameters, to be
proven as the member was.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace

from toolguild.policies.parsing import parse_expression, parse_module
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Draft, Member
from toolguild.synth.validation.report import Check, CheckName, Counterexample, ValidationReport

__all__ = ["check_members", "stand_in"]


def check_members(
    general: Draft, members: Sequence[Member], prove: Callable[[Draft], ValidationReport]
) -> Check:
    """Check that the tool, called as for each member, does what that member's original does.

    Args:
        general: The tool.
        members: The tools that it does the work of.
        prove: Validates the stand-in of a member.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    inputs = 0
    for member in members:
        report = prove(stand_in(general, member))
        if not report.passed:
            return _failed(member, report)
        inputs += report.inputs
    detail = f"does what each of {len(members)} tools does, on {inputs} inputs of theirs"
    return Check(CheckName.MEMBERS, True, detail)


def stand_in(general: Draft, member: Member) -> Draft:
    """Return a draft that does a member's work by calling the general tool.

    It has the member's schemas, cases and original: all that the member was proven by.
    """
    name = member.draft.name
    while name in general.source:
        name += "_"
    function = _function(member.draft)
    arguments = _expressions(member)
    call = ast.Call(
        ast.Name(general.name, ast.Load()),
        [],
        [ast.keyword(parameter, arguments[parameter]) for parameter in arguments],
    )
    function.name = name
    function.body = [*_docstring(function), ast.Return(call)]
    parts = [*_imports_of_types(member.draft), function]
    source = "\n\n".join(ast.unparse(ast.fix_missing_locations(part)) for part in parts)
    return replace(member.draft, name=name, source=f"{general.source}\n\n{source}\n")


def _expressions(member: Member) -> dict[str, ast.expr]:
    """Return what stands in a call of the general tool for each of its parameters."""
    taken: dict[str, ast.expr] = {
        parameter: ast.Name(own, ast.Load()) for parameter, own in member.takes.items()
    }
    # JSON values read the same in Python, once they are Python's own.
    constants = {name: _literal(value) for name, value in member.constants.items()}
    return {**taken, **constants}


def _literal(value: Json) -> ast.expr:
    return parse_expression(repr(value)).body


def _function(draft: Draft) -> ast.FunctionDef:
    """Return the function of a tool that passed validation, and so has one."""
    return next(
        node
        for node in parse_module(draft.source).body
        if isinstance(node, ast.FunctionDef) and node.name == draft.name
    )


def _docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    first = function.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return [first] if is_text else []


def _imports_of_types(draft: Draft) -> list[ast.stmt]:
    """Return the imports that the annotations of a tool may need."""
    return [
        node
        for node in parse_module(draft.source).body
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
    ]


def _failed(member: Member, report: ValidationReport) -> Check:
    first = next(check for check in report.checks if check.passed is False)
    if first.name is CheckName.HELD_OUT:
        # Whoever mends the tool is told of this check, and must not learn what was held out.
        return _check_failed(member, str(first.name), ())
    found = tuple(_for_general(one, member) for one in first.counterexamples)
    return _check_failed(member, f"{first.name}: {first.detail}", found)


def _for_general(found: Counterexample, member: Member) -> Counterexample:
    """Return what went wrong as a call of the general tool."""
    arguments: JsonObject = member.given(found.arguments)
    return replace(found, arguments=arguments, changed=frozenset())


def _check_failed(member: Member, detail: str, found: tuple[Counterexample, ...]) -> Check:
    return Check(CheckName.MEMBERS, False, f"called as for {member.draft.name}: {detail}", found)
