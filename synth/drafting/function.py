"""From repeated code to a function tool."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from toolguild.policies.parsing import parse_module
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting.draft import Case, Draft, DraftOrigin, OriginalCode
from toolguild.synth.drafting.schemas import annotation_of, infer_schema, object_schema
from toolguild.synth.drafting.text import docstring, tool_text
from toolguild.synth.drafting.tidy import tidy
from toolguild.synth.drafting.wording import (
    and_list,
    example,
    or_list,
    plain_sentence,
    snake_case,
    spoken,
    spoken_type,
    unique,
)
from toolguild.synth.mining import RepeatedCode
from toolguild.synth.mining.choices import parted

__all__ = ["Domain", "draft_function"]


@dataclass(frozen=True, slots=True)
class Domain:
    """What validation taught about a tool's inputs and results beyond the recorded cases."""

    bounds: Mapping[str, JsonObject] = field(default_factory=dict)
    """Schema keywords that keep out inputs that the code was never meant for, by parameter."""
    results: tuple[Json, ...] = ()
    """Further results that it gives for valid inputs."""
    copied: tuple[str, ...] = ()
    """Parameters whose values the code changes, so that the tool works on copies of them."""


def draft_function(
    opportunity: RepeatedCode,
    cases: Sequence[Case],
    domain: Domain = Domain(),
    name: str | None = None,
    held_out: Sequence[Case] = (),
) -> Draft:
    """Write the tool that does what the repeated code did.

    Args:
        opportunity: The code, as a function without annotations.
        cases: Its recovered inputs and results; at least one that returned a value.
        domain: What is known of its inputs and results besides.
        name: The tool's name; the one that agents gave the code unless given.
        held_out: Further cases, which go with the draft and have no part in it.
    """
    name = name or snake_case(opportunity.name)
    module = _renamed(opportunity, name)
    function = module.body[-1]
    choices = _choices(module)
    columns = {
        parameter: [case.arguments[parameter] for case in cases]
        for parameter in opportunity.parameters
    }
    returned = [case.value for case in cases if case.error is None]
    returns = infer_schema([*returned, *domain.results])
    schemas: dict[str, JsonObject] = {
        parameter: {
            **_as_general_as_meant(parameter, infer_schema(column), opportunity, returns),
            **domain.bounds.get(parameter, {}),
        }
        for parameter, column in columns.items()
    } | {name: {"type": "string", "enum": [*functions]} for name, functions in choices.items()}
    described = {
        parameter: _describe(parameter, schemas[parameter], opportunity) + example(column)
        for parameter, column in columns.items()
    } | {name: _described_choice(functions) for name, functions in choices.items()}
    summary = plain_sentence(opportunity.documentation) or _summary(opportunity)
    source = tool_text(
        name=name,
        parameters={parameter: annotation_of(schema) for parameter, schema in schemas.items()},
        returns=annotation_of(returns),
        docs=docstring(summary, described, _result(opportunity, returns) + example(returned)),
        body=[*_copies(domain.copied, module), *_body_lines(function)],
        before=_before(
            [
                *_imports_of_types(schemas.values()),
                *_with_copying(module.body[:-1], domain.copied, module),
            ]
        ),
    )
    return Draft(
        name=name,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        source=source,
        parameters=object_schema(
            {
                parameter: {**schema, "description": described[parameter]}
                for parameter, schema in schemas.items()
            },
            closed=True,
        ),
        returns=returns,
        calls=(),
        origin=DraftOrigin.DETERMINISTIC,
        opportunity=opportunity,
        cases=tuple(cases),
        held_out=tuple(held_out),
        original=OriginalCode(opportunity.source, opportunity.name),
    )


def _choices(module: ast.Module) -> dict[str, tuple[str, ...]]:
    """Return the parameters that choose a function, with the functions' names."""
    function = module.body[-1]
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 - mining ends with one
    return {choice.parameter: choice.functions for choice in parted(function.body)[0]}


def _described_choice(functions: Sequence[str]) -> str:
    return f"The function that is called, {or_list(map(repr, functions))}"


def _imports_of_types(schemas: Iterable[JsonObject]) -> list[ast.stmt]:
    """Return the import that the annotations of a tool's parameters need, if any."""
    is_needed = any("enum" in schema for schema in schemas)
    return [ast.ImportFrom("typing", [ast.alias("Literal")], 0)] if is_needed else []


def _copies(parameters: Sequence[str], module: ast.Module) -> list[str]:
    copying = _name_of_copying(module)
    return [f"{parameter} = {copying}({parameter})" for parameter in parameters]


def _with_copying(
    before: Sequence[ast.stmt], parameters: Sequence[str], module: ast.Module
) -> list[ast.stmt]:
    """Return what stands before the function, with the import that its copies need."""
    name = _name_of_copying(module)
    alias = ast.alias("deepcopy", None if name == "deepcopy" else name)
    return [*([ast.ImportFrom("copy", [alias], 0)] if parameters else []), *before]


def _name_of_copying(module: ast.Module) -> str:
    taken = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    taken |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    return unique("deepcopy", taken)


def _as_general_as_meant(
    parameter: str, schema: JsonObject, opportunity: RepeatedCode, returns: JsonObject
) -> JsonObject:
    """Let arithmetic that gives fractions take fractions, where only whole numbers were seen.

    A function that an agent named may mean whole numbers; a formula cut out of a script does not.
    And what is only compared and shown may be of any type, where several were seen.
    """
    if opportunity.kind == "check" and isinstance(schema.get("type"), list):
        return {} if _is_only_compared(parameter, opportunity.source) else schema
    is_formula = opportunity.kind == "statements" and returns.get("type") == "number"
    return {"type": "number"} if is_formula and schema == {"type": "integer"} else schema


def _result(opportunity: RepeatedCode, returns: JsonObject) -> str:
    return "True" if opportunity.kind == "check" else spoken_type(returns)


def _checked(opportunity: RepeatedCode) -> str:
    """Return what a check compares, where that is two of its parameters, or one with a word."""
    for node in ast.walk(parse_module(opportunity.source)):
        match node:
            case ast.Assert(
                test=ast.Compare(
                    left=ast.Name(),
                    comparators=[ast.Name() | ast.Constant(value=True | False | None)],
                ) as test
            ):
                return f"that `{ast.unparse(test)}`"
    return ""


def _is_only_compared(parameter: str, source: str) -> bool:
    """Say whether code does nothing with a parameter but compare it for equality and show it."""
    tree = parse_module(source)
    uses = sum(isinstance(node, ast.Name) and node.id == parameter for node in ast.walk(tree))
    plain = 0
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
                plain += sum(
                    isinstance(side, ast.Name) and side.id == parameter for side in (left, right)
                )
            case ast.FormattedValue(value=ast.Name(id=name), format_spec=None):
                plain += name == parameter
    return plain == uses


def _describe(parameter: str, schema: JsonObject, opportunity: RepeatedCode) -> str:
    """Return what a parameter is: by its name if it has one, by its type if it is a letter."""
    words = f"The {spoken(parameter)}" if len(parameter) > 2 else spoken_type(schema)
    if opportunity.kind == "check" and parameter in {"actual", "expected", "got"}:
        words += " value"
    if "minimum" in schema:
        return f"{words}, at least {schema['minimum']}"
    if "minLength" in schema or "minItems" in schema:
        return f"{words}, not empty"
    return words


def _renamed(opportunity: RepeatedCode, name: str) -> ast.Module:
    """Return the code with its function under the tool's name and its helpers made private."""
    module = parse_module(opportunity.source)
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    *helpers, function = functions
    names = {function.name: name}
    for helper in helpers:
        names[helper.name] = unique(f"_{helper.name.lstrip('_')}", names.values())
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]
    for node in functions:
        node.name = names[node.name]
    return module


def _body_lines(function: ast.stmt) -> list[str]:
    """Return the lines below a function's head, not indented."""
    explicit = ast.fix_missing_locations(_ExplicitChecks().visit(function))
    _, *body = tidy(ast.unparse(explicit)).splitlines()
    return textwrap.dedent("\n".join(body)).splitlines()


class _ExplicitChecks(ast.NodeTransformer):
    """Writes `assert` as a `raise`: a tool means its exceptions, however Python is started."""

    def visit_Assert(self, node: ast.Assert) -> ast.If:
        failed = ast.Name("AssertionError", ast.Load())
        error = ast.Call(failed, [node.msg] if node.msg else [], [])
        return ast.If(_negated(node.test), [ast.Raise(error)], [])


def _negated(test: ast.expr) -> ast.expr:
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=comparators):
            return ast.Compare(left, [ast.NotEq()], comparators)
        case ast.Compare(left=left, ops=[ast.In()], comparators=comparators):
            return ast.Compare(left, [ast.NotIn()], comparators)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
    return ast.UnaryOp(ast.Not(), test)


def _before(statements: Sequence[ast.stmt]) -> str:
    """Lay out imports, then helper functions two lines apart."""
    imports = [node for node in statements if not isinstance(node, ast.FunctionDef)]
    helpers = [node for node in statements if isinstance(node, ast.FunctionDef)]
    parts = ["\n".join(ast.unparse(node) for node in imports)] if imports else []
    return "\n\n\n".join([*parts, *(tidy(ast.unparse(helper)) for helper in helpers)])


def _summary(opportunity: RepeatedCode) -> str:
    """Return one sentence, without its full stop, made of the names."""
    given = and_list(f"`{parameter}`" for parameter in opportunity.parameters)
    words = spoken(opportunity.name)
    verb, _, rest = words.partition(" ")
    before, to, after = words.partition(" to ")
    if verb in {"is", "has", "can", "does", "are"}:
        return f"Tell whether {given} {words}"
    if opportunity.kind == "check":
        return f"Check {_checked(opportunity) or given}, and raise AssertionError where it fails"
    if verb == "update":
        others = [f"`{name}`" for name in opportunity.parameters if name not in rest.split()]
        return f"Update the {rest} by {and_list(others)}" if others else f"Update the {rest}"
    if verb == "compute":
        return f"Compute the {rest} from {given}"
    if to:
        return f"Convert {given} from {before} to {after}"
    return f"Compute the {words} of {given}"
