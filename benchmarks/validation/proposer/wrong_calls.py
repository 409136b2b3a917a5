"""Bad composites: other calls than the recorded runs made, or the same with other arguments."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, pairwise

from benchmarks.validation.proposer.attempt import Attempt
from benchmarks.validation.proposer.texts import function_of
from benchmarks.validation.proposer.traps import Trap, checksum_traps, constant_traps
from toolguild.synth.drafting import Draft

__all__ = ["other_arguments", "other_calls"]


def other_calls(draft: Draft) -> Iterator[Attempt]:
    """One call too many, too few, twice or in another order, always or for a rare input."""
    if not draft.calls:
        return
    module = ast.parse(draft.source)
    statements = function_of(module, draft.name).body[1:]
    places = [number for number, one in enumerate(statements) if _calls(one)]
    for number in places:
        yield from _rebuilt(draft, "twice", partial(_twice, number))
        yield from _rebuilt(draft, "left out", partial(_without, number))
    for one, other in pairwise(places):
        yield from _rebuilt(draft, "in another order", partial(_exchanged, one, other))
    for number in places[:1]:
        yield from _rebuilt(draft, "once more at the end", partial(_again, number))


def other_arguments(draft: Draft) -> Iterator[Attempt]:
    """The right calls with arguments that are trimmed, exchanged, shifted or made up."""
    if not draft.calls:
        return
    texts = (
        ("trimmed", "{}.strip()[:12]"), ("in small letters", "{}.lower()"),
        ("without an ending", "{}.rsplit('.', 1)[0]"), ("reversed", "{}[::-1]"),
        ("shifted", "{} + 1"), ("rounded", "round({})"), ("at most 40", "min({}, 40)"),
        ("without the last", "{}[:-1]"), ("negated", "not {}"),
    )  # fmt: skip
    module = ast.parse(draft.source)
    values = [
        (call, key)
        for call, one in enumerate(_all_calls(function_of(module, draft.name)))
        for key in range(len(one.args[1].values) if isinstance(one.args[1], ast.Dict) else 0)
    ]
    for call, key in values:
        for variant, expression in texts:
            yield from _with_value(draft, variant, call, key, expression)
    for call, key in values:
        for other_call, other in values:
            if other_call == call and other != key:
                yield from _with_value(draft, "exchanged", call, key, None, other)


Body = list[ast.stmt]


def _rebuilt(draft: Draft, variant: str, change: Callable[[Body], Body]) -> Iterator[Attempt]:
    """Return the text with another body: always, and where a rare input asks for it."""
    module = ast.parse(draft.source)
    function = function_of(module, draft.name)
    docs, *body = function.body
    changed = change(copy.deepcopy(body))
    for trap in (None, *islice(_rare(draft), 4)):
        if trap is None:
            function.body = [docs, *changed]
        else:
            condition = ast.parse(trap.condition, mode="eval").body
            function.body = [docs, ast.If(condition, changed, []), *body]
        text = f"{ast.unparse(ast.fix_missing_locations(copy.deepcopy(module)))}\n"
        arguments = trap.arguments if trap else draft.cases[0].arguments
        yield Attempt(f"{variant}, for {trap.name}" if trap else variant, text, arguments)


def _with_value(
    draft: Draft, variant: str, call: int, key: int, expression: str | None, other: int = 0
) -> Iterator[Attempt]:
    def change(body: Body) -> Body:
        arguments = _all_calls(ast.Module(body, []))[call].args[1]
        if isinstance(arguments, ast.Dict):
            old = arguments.values[key]
            arguments.values[key] = (
                arguments.values[other]
                if expression is None
                else ast.parse(expression.format(f"({ast.unparse(old)})"), mode="eval").body
            )
        return body

    yield from _rebuilt(draft, variant, change)


def _twice(number: int, body: Body) -> Body:
    return [*body[: number + 1], *body[number:]]


def _without(number: int, body: Body) -> Body:
    """Leave a call out; an empty object takes the place of its result."""
    own = _name(body[number])
    instead = [ast.Assign([ast.Name(own, ast.Store())], ast.Dict([], []))] if own else []
    return [*body[:number], *instead, *body[number + 1 :]]


def _exchanged(one: int, other: int, body: Body) -> Body:
    body[one], body[other] = body[other], body[one]
    return body


def _again(number: int, body: Body) -> Body:
    """Call once more before the end, and use nothing of what comes back."""
    call = body[number]
    more = ast.Expr(copy.deepcopy(call.value)) if isinstance(call, ast.Assign) else call
    return [*body[:-1], more, body[-1]]


def _name(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _calls(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign | ast.Expr) and bool(_all_calls(node))


def _all_calls(node: ast.AST) -> list[ast.Call]:
    return [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
        and one.func.id == "call_tool"
    ]  # fmt: skip


def _rare(draft: Draft) -> Iterator[Trap]:
    for pair in zip(checksum_traps(draft), constant_traps(draft), strict=False):
        yield from pair
