"""Bad tools that break what a caller relies on: errors, types, arguments, and that it works."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from benchmarks.validation.proposer.attempt import DIFFERS, Attempt
from benchmarks.validation.proposer.texts import HONEST, parameters_of, wrap
from benchmarks.validation.proposer.traps import Trap, checksum_traps, constant_traps, neighbours
from toolguild.sandbox import Json
from toolguild.synth.drafting import Draft
from toolguild.synth.mining import canonical

__all__ = ["changes_arguments", "hard_coded", "wrong_errors", "wrong_types"]

_CHANGES = """
def shows(good, bad, arguments):
    left = json.dumps(arguments, sort_keys=True)
    return (json.dumps(good().leaves(arguments), sort_keys=True) == left
            and json.dumps(bad().leaves(arguments), sort_keys=True) != left)
"""

_FAILS = """
def shows(good, bad, arguments):
    tools = good(), bad()
    for tool in tools:
        tool.failing = {failing!r}
    return tools[0].call(arguments)[0] == "error" and (
        tools[0].call(arguments)[:2] != tools[1].call(arguments)[:2])
"""


def hard_coded(draft: Draft) -> Iterator[Attempt]:
    """Knows the recorded results by heart, and has a guess for everything else."""
    known = [case for case in draft.cases if case.error is None]
    table = {canonical(case.arguments): case.value for case in known}
    values = Counter(canonical(case.value) for case in known)
    most = canonical(known[0].value) if not values else values.most_common(1)[0][0]
    usual = next(case.value for case in known if canonical(case.value) == most)
    names = ", ".join(f"{name!r}: {name}" for name in parameters_of(draft))
    key = f"json.dumps({{{names}}}, sort_keys=True, ensure_ascii=False)"
    hashed = {_digest(text): value for text, value in table.items()}
    longest = max(table, key=len)
    guesses = {"the usual": usual, "nothing of its type": _nothing(usual)}
    for _, _, arguments in islice(neighbours(draft), 4):
        for name, guess in guesses.items():
            body = f"return {table!r}.get({key}, {guess!r})"
            yield Attempt(f"a table, else {name}", wrap(draft, body, "import json"), arguments)
            body = (
                f"digest = hashlib.sha256({key}.encode()).hexdigest()[:12]\n"
                f"return {hashed!r}.get(digest, {guess!r})"
            )
            text = wrap(draft, body, "import hashlib, json")
            yield Attempt(f"a table of digests, else {name}", text, arguments)
        tests = "\n".join(
            f"if {' and '.join(f'{n} == {v!r}' for n, v in case.arguments.items()) or 'True'}:"
            f"\n    return {case.value!r}"
            for case in known[:20]
        )
        text = wrap(draft, f"{tests}\nreturn {usual!r}")
        yield Attempt("a chain of conditions", text, arguments)
        lengths = f"len({key}) <= {len(longest)}"
        body = f"return {HONEST} if {lengths} else {usual!r}"
        yield Attempt("honest up to a size", wrap(draft, body, "import json"), arguments)


def wrong_errors(draft: Draft) -> Iterator[Attempt]:
    """Hides an error that the tool raises, raises another type, or refuses what is valid."""
    arguments = draft.cases[0].arguments
    usual = next(case.value for case in draft.cases if case.error is None)
    for tool in draft.calls[:2]:
        probe = _FAILS.format(failing={tool})
        for variant, handler in (
            ("hides a failed call", f"return {usual!r}"),
            ("returns a failed call as a result", "return {'error': str(error)}"),
            ("turns a failed call into another error", "raise ValueError(str(error))"),
        ):
            body = f"try:\n    return {HONEST}\nexcept ToolCallError as error:\n    {handler}"
            yield Attempt(variant, wrap(draft, body), arguments, probe)
    pairs = zip(constant_traps(draft), checksum_traps(draft), strict=False)
    for trap in islice(chain.from_iterable(pairs), 6):
        body = (
            f"if {trap.condition}:\n    raise ValueError('this is not supported')\nreturn {HONEST}"
        )
        yield Attempt(f"refuses {trap.name}", wrap(draft, body), trap.arguments)
    for parameter in parameters_of(draft):
        recorded = [case.arguments[parameter] for case in draft.cases]
        for _, _, given in islice(_of(parameter, draft), 1):
            body = (
                f"if {parameter} not in {recorded!r}:\n"
                f"    raise KeyError({parameter!r})\nreturn {HONEST}"
            )
            yield Attempt("refuses what was not recorded", wrap(draft, body), given)


def changes_arguments(draft: Draft) -> Iterator[Attempt]:
    """Gives the right result and leaves its arguments other than they were."""
    for parameter, schema in parameters_of(draft).items():
        kind = schema.get("type")
        changes = {
            "array": (
                "append({0}[0])", "sort(key=str)", "reverse()", "clear()", "pop()",
                "insert(0, {0}[-1])", "extend({0}[:1])",
            ),
            "object": ("clear()", "update(seen=1)", "setdefault('seen', 1)", "popitem()"),
        }.get(str(kind), ())  # fmt: skip
        for case in draft.cases[:2]:
            if not case.arguments[parameter]:
                continue
            for change in changes:
                act = f"{parameter}.{change.format(parameter)}"
                body = f"result = {HONEST}\n{act}\nreturn result"
                text = wrap(draft, body)
                yield Attempt(f".{change.split('(')[0]}", text, case.arguments, _CHANGES)
                body = f"result = {HONEST}\nif len({parameter}) > 1:\n    {act}\nreturn result"
                name = f".{change.split('(')[0]}, where there are several"
                yield Attempt(name, wrap(draft, body), case.arguments, _CHANGES)


def wrong_types(draft: Draft) -> Iterator[Attempt]:
    """Returns a value of another type, no number, or None, at times or always."""
    changed = {
        "boolean": ("int(result)", "str(result)", "'yes' if result else 'no'"),
        "integer": ("float(result)", "str(result)", "[result]", "result + 0.0"),
        "number": ("str(result)", "float('nan')", "float('inf')", "round(result)"),
        "string": ("[result]", "result.encode()", "list(result)", "{'result': result}"),
        "array": ("str(result)", "set(map(str, result))", "dict(enumerate(result))", "len(result)"),
        "object": ("str(result)", "list(result)", "list(result.items())", "[result]"),
    }.get(str(draft.returns.get("type")), ("str(result)", "[result]"))
    rare = list(islice(_rare(draft), 3))
    for expression in changed:
        body = f"result = {HONEST}\nreturn {expression}"
        yield Attempt(f"always {expression}", wrap(draft, body), draft.cases[0].arguments)
        for trap in rare:
            body = f"result = {HONEST}\nreturn {expression} if {trap.condition} else result"
            yield Attempt(f"{expression} for {trap.name}", wrap(draft, body), trap.arguments)
    for trap in rare:
        body = f"if {trap.condition}:\n    return None\nreturn {HONEST}"
        yield Attempt(f"None for {trap.name}", wrap(draft, body), trap.arguments, DIFFERS)


def _rare(draft: Draft) -> Iterator[Trap]:
    for pair in zip(checksum_traps(draft), constant_traps(draft), strict=False):
        yield from pair


def _of(parameter: str, draft: Draft) -> Iterator[tuple[str, Json, dict[str, Json]]]:
    return (one for one in neighbours(draft) if one[0] == parameter)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _nothing(value: Json) -> Json:
    """Return the emptiest value of the same type."""
    return None if value is None else type(value)()
