"""Mining code: functions and windows of statements that agents write again and again."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from toolguild.synth.mining.choices import Choice, table_of
from toolguild.synth.mining.definitions import mine_definitions
from toolguild.synth.mining.expressions import ExpressionWindow, repeated_expressions
from toolguild.synth.mining.extent import ITSELF, Saving, Weight
from toolguild.synth.mining.instrument import watch_expression, watch_statements
from toolguild.synth.mining.opportunity import CodeOccurrence, RepeatedCode, saving_of, support_of
from toolguild.synth.mining.programs import (
    Position,
    Session,
    free_names,
    parse_function,
    parse_session,
)
from toolguild.synth.mining.selection import choose, estimated, ready
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.statements import repeated_windows
from toolguild.synth.mining.template import Template, Window, generalise
from toolguild.synth.traces import Trace

__all__ = ["CodeMiner", "Merge"]


Merge: TypeAlias = Callable[[Sequence[RepeatedCode]], list[RepeatedCode]]


class CodeMiner:
    """Collects the code of traces, then finds what is worth a tool of its own."""

    def __init__(self, settings: MiningSettings) -> None:
        self._settings = settings
        self._sessions: list[Session] = []
        self._weights: dict[str, Weight] = {}

    def add(self, trace: Trace, weight: Weight = ITSELF) -> None:
        """Take in one trace, which may stand for others like it."""
        if weight != ITSELF:
            self._weights[trace.id] = weight
        session = parse_session(trace)
        if session.snippets:
            self._sessions.append(session)

    def mine(
        self,
        progress: Callable[[float], None] = lambda done: None,
        merge: Merge = list,
    ) -> list[RepeatedCode]:
        """Return the code that saves most, best first, none of it overlapping another.

        Args:
            progress: Called with the share that is done.
            merge: Puts functions together that do the same, however they are written
                (`synth.spellings`); without it, those that agree in their text are together.
        """
        # Sorted, so that the order in which traces were added changes nothing.
        sessions = sorted(self._sessions, key=lambda session: session.trace_id)
        candidates = [
            found
            for found in merge(mine_definitions(sessions, self._settings))
            if self._is_worth_keeping(found, ())
        ]
        progress(0.5)
        groups: list[Sequence[Window]] = [
            *repeated_windows(sessions, self._settings),
            *repeated_expressions(sessions, self._settings),
        ]
        for done, windows in enumerate(groups):
            candidates += self._from_windows(windows)
            progress(0.5 + 0.5 * done / len(groups))
        chosen = choose(
            ready(candidates),
            worth_keeping=self._is_worth_keeping,
            limit=self._settings.max_opportunities,
            weights=self._weights,
        )
        progress(1.0)
        return [estimated(one, self._weights) for one in chosen]

    def _is_worth_keeping(self, candidate: RepeatedCode, chosen: Sequence[RepeatedCode]) -> bool:
        settings = self._settings
        least = {
            "definition": settings.definition_support,
            "statements": settings.statements_support,
            "check": settings.statements_support,
            "expression": settings.statements_support,
        }
        enough = support_of(candidate.occurrences) >= least[candidate.kind]
        if candidate.kind in {"definition", "statements"}:
            return enough and saving_of(candidate.occurrences).characters > 0
        return enough and _pays_for_itself(candidate)

    def _from_windows(self, windows: Sequence[Window]) -> Iterator[RepeatedCode]:
        first = windows[0]
        templates = []
        if not first.leaves_functions_open:
            templates.append(generalise(windows, first.imports))
        if first.leaves_functions_open or first.is_coarse:
            templates.append(generalise(windows, first.imports, choosing=True))
        for template in templates:
            if template is not None and (found := self._from_template(template, windows)):
                yield found

    def _from_template(self, template: Template, windows: Sequence[Window]) -> RepeatedCode | None:
        if (
            (template.work < self._settings.min_work and not template.is_check)
            or len(template.parameters) > self._settings.max_parameters
            or _calls_a_parameter(template)
            or not _are_few(template.choices)
            # What a check compares can be given to it, whatever computes it.
            or (template.choices and template.is_check)
        ):
            return None
        modules = {module: ast.Import([ast.alias(module)]) for module in template.modules}
        imports = {**windows[0].imports, **modules}
        name = _name(template)
        parameters = _parameters(template, windows[0])
        source = _function_text(name, parameters, template, imports)
        if source is None:
            return None
        found = RepeatedCode(
            name=name,
            parameters=parameters,
            source=source,
            kind=_kind(template),
            occurrences=tuple(
                _occurrence(window, template, number, _call(name, parameters, template, number))
                for number, window in enumerate(windows)
            ),
        )
        if (windows[0].is_coarse or template.choices) and not _pays_for_itself(found):
            return None
        return found


_MOST_FUNCTIONS = 8
"""Functions that a parameter may choose from: what calls any of more is no one operation."""


def _are_few(choices: Sequence[Choice]) -> bool:
    return all(len(choice.functions) <= _MOST_FUNCTIONS for choice in choices)


def _pays_for_itself(candidate: RepeatedCode) -> bool:
    """Say whether the calls and the function together are shorter than the code."""
    return saving_of(candidate.occurrences).characters > len(candidate.source)


_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "equal",
    ast.NotEq: "different",
    ast.Is: "same",
    ast.IsNot: "not_same",
    ast.In: "contained",
    ast.NotIn: "not_contained",
    ast.Lt: "less",
    ast.LtE: "at_most",
    ast.Gt: "greater",
    ast.GtE: "at_least",
}


def _kind(template: Template) -> str:
    if template.is_expression:
        return "expression"
    return "check" if template.is_check else "statements"


def _name(template: Template) -> str:
    """Return a name made of what the code gives, or of what it checks."""
    if template.is_check:
        match template.body:
            case (
                ast.Assert(
                    test=ast.Compare(ops=[ast.Eq() | ast.Is()], comparators=[ast.Constant(value)])
                ),
            ) if value is None or isinstance(value, bool):
                return f"check_{value}".lower()
            case (ast.Assert(test=ast.Compare(ops=[comparison])),):
                return f"check_{_COMPARISONS[type(comparison)]}"
            case (ast.Assert(test=ast.Call(func=ast.Name(id=function))),):
                return f"check_{function}"
        return "check"
    if template.is_expression:
        chosen = {choice.chosen for choice in template.choices}
        called = [
            node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            for node in ast.walk(template.body[-1])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
        ]
        called = [name for name in called if name not in chosen]
        return f"compute_{called[0] if called else 'value'}"
    verb = "update" if set(template.outputs) & set(template.parameters) else "compute"
    return f"{verb}_{'_and_'.join(template.outputs[:3])}"


def _parameters(template: Template, window: Window) -> tuple[str, ...]:
    """Return the parameters in an order that a person would choose.

    People set `x1, y1` before `x2, y2`, whatever order a formula reads them in; so the order is
    that in which the first window's session sets them. What a check compares keeps its order.
    """
    if template.is_check or template.is_expression:
        return template.parameters
    return _in_order_of_assignment(template, window)


def _call(name: str, parameters: Sequence[str], template: Template, number: int) -> str:
    """Return the call that takes the place of a window."""
    given = (ast.unparse(template.inputs[number][parameter]) for parameter in parameters)
    call = f"{name}({', '.join(given)})"
    outputs = template.results[number].values()
    if not outputs:
        return call
    return f"{', '.join(outputs)} = {call}{'.values()' if len(outputs) > 1 else ''}"


def _calls_a_parameter(template: Template) -> bool:
    """Say whether the code needs a function of its session: a tool can be given values only."""
    called = {
        node.func.id
        for statement in template.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return not called.isdisjoint(template.parameters)


def _in_order_of_assignment(template: Template, window: Window) -> tuple[str, ...]:
    """Return the parameters in the order in which the window's session sets them."""
    never = (len(window.session.snippets), 0, 0)

    def order(parameter: str) -> Position:
        given = template.inputs[0][parameter]
        name = given.id if isinstance(given, ast.Name) else ""
        return window.session.first_stores.get(name, never)

    return tuple(sorted(template.parameters, key=order))


def _function_text(
    name: str, parameters: Sequence[str], template: Template, imports: Mapping[str, ast.stmt]
) -> str | None:
    """Return the template as a function after its imports, or None where it needs more."""
    tables = [statement for choice in template.choices for statement in table_of(choice)]
    body = [*tables, *template.body[:-1], *_ending(template)]
    function = parse_function(f"def {name}({', '.join(parameters)}):\n    pass")
    function.body = body
    needed = free_names(function)
    if not needed <= imports.keys():
        return None
    statements = [*(imports[need] for need in sorted(needed)), function]
    return "\n\n".join(ast.unparse(ast.fix_missing_locations(node)) for node in statements)


def _ending(template: Template) -> list[ast.stmt]:
    """Return the last statement and the return; one where the last only names the result."""
    last = template.body[-1]
    if template.is_expression:
        return [last]
    if template.is_check:
        return [last, ast.Return(ast.Constant(True))]
    match last, template.outputs:
        case ast.Assign(targets=[ast.Name(id=target)], value=value), (output,) if target == output:
            return [ast.Return(value)]
        case _, (output,):
            return [last, ast.Return(ast.Name(output, ast.Load()))]
    values: list[ast.expr] = [ast.Name(output, ast.Load()) for output in template.outputs]
    keys: list[ast.expr | None] = [ast.Constant(output) for output in template.outputs]
    return [last, ast.Return(ast.Dict(keys, values))]


def _occurrence(window: Window, template: Template, number: int, call: str) -> CodeOccurrence:
    session = window.session
    first, last = window.nodes[0], window.nodes[-1]
    text = "\n".join(ast.unparse(node) for node in window.nodes)
    return CodeOccurrence(
        trace_id=session.trace_id,
        task_id=session.task_id,
        place=session.snippets[window.snippet].step.place,
        lines=(first.lineno, last.end_lineno or last.lineno),
        text=text,
        saving=Saving(characters=len(text) - len(call)),
        write_program=_program(window, template, number),
        recorded=session.recorded,
    )


def _program(window: Window, template: Template, number: int) -> Callable[[], str]:
    session, inputs = window.session, template.inputs[number]
    if isinstance(window, ExpressionWindow):
        return partial(watch_expression, session, window.node, inputs)
    results = template.results[number]
    return partial(watch_statements, session, window.block, window.span, inputs, results)
