"""Bad tools that return another value than the real one, for some inputs only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, zip_longest

from benchmarks.validation.proposer.attempt import Attempt
from benchmarks.validation.proposer.texts import HONEST, parameters_of, wrap, wrong_results
from benchmarks.validation.proposer.traps import Trap, checksum_traps, constant_traps, traps
from toolguild.sandbox import Json
from toolguild.synth.drafting import Draft

__all__ = [
    "at_bounds",
    "for_empty",
    "for_long",
    "for_negative",
    "for_ties",
    "for_unicode",
    "rare_input",
]


def rare_input(draft: Draft) -> Iterator[Attempt]:
    """Wrong for one rare input: a constant in the text, or what has a certain checksum."""
    pairs = zip_longest(constant_traps(draft), checksum_traps(draft))
    yield from _sprung(draft, (trap for trap in chain.from_iterable(pairs) if trap))


def at_bounds(draft: Draft) -> Iterator[Attempt]:
    """Off by one at a bound: right up to the largest value recorded, and one short beyond."""
    for parameter in parameters_of(draft):
        seen = [case.arguments[parameter] for case in draft.cases]
        for case in draft.cases[:2]:
            numbers = [value for value in seen if type(value) in (int, float)]
            if numbers and len(numbers) == len(seen):
                top = max(value for value in numbers if isinstance(value, int | float))
                for step in range(1, 13):
                    body = f"{parameter} = min({parameter}, {top!r})\nreturn {HONEST}"
                    arguments = {**case.arguments, parameter: top + step}
                    yield Attempt("a number is cut", wrap(draft, body), arguments)
                    body = (
                        f"if {parameter} > {top!r}:\n    {parameter} = {parameter} - 1\n"
                        f"return {HONEST}"
                    )
                    yield Attempt("one too little", wrap(draft, body), arguments)
            longest = max((len(one) for one in seen if isinstance(one, str | list)), default=0)
            value = case.arguments[parameter]
            if longest and isinstance(value, str | list):
                body = f"{parameter} = {parameter}[:{longest}]\nreturn {HONEST}"
                repeats = longest // max(len(value), 1) + 1
                # A slice as long as the recorded ones, with some at the end that is left off.
                many = value * (repeats + 1)
                for more in (many[: longest + 1], many[::-1]):
                    arguments = {**case.arguments, parameter: more}
                    yield Attempt("the end is left off", wrap(draft, body), arguments)
                body = (
                    f"if len({parameter}) > {longest}:\n    {parameter} = {parameter}[:-1]\n"
                    f"return {HONEST}"
                )
                yield Attempt("the last is left off", wrap(draft, body), arguments)


def for_empty(draft: Draft) -> Iterator[Attempt]:
    """Wrong for what is empty: no text, no items, nought."""

    def empty(parameter: str, value: Json) -> Iterator[tuple[str, str, Json]]:
        match value:
            case str() if value:
                yield "no text", f"not {parameter}", ""
                yield "only blanks", f"not {parameter}.strip()", " "
            case list() if value:
                yield "no items", f"not {parameter}", []
                yield "one item", f"len({parameter}) == 1", value[:1]
            case dict():
                yield "no members", f"not {parameter}", {}
            case int() if value and not isinstance(value, bool):
                yield "nought", f"{parameter} == 0", 0
            case float() if value:
                yield "nought", f"not {parameter}", 0.0

    yield from _sprung(draft, traps(draft, empty), fixed=True)


def for_ties(draft: Draft) -> Iterator[Attempt]:
    """Wrong where two items, two ends or two arguments are equal."""

    def tied(parameter: str, value: Json) -> Iterator[tuple[str, str, Json]]:
        match value:
            case list() if value:
                name = parameter
                yield (
                    "equal ends",
                    f"len({name}) > 1 and {name}[0] == {name}[-1]",
                    [
                        *value,
                        value[0],
                    ],
                )
                yield (
                    "equal neighbours",
                    f"any(a == b for a, b in zip({name}, {name}[1:]))",
                    [value[0], *value],
                )
                yield "all equal", f"len({name}) > 2 and {name}[1:] == {name}[:-1]", [value[0]] * 4
            case str() if value:
                yield (
                    "a doubled character",
                    f"any(a == b for a, b in zip({parameter}, {parameter}[1:]))",
                    value[:1] + value,
                )
                yield (
                    "a palindrome",
                    f"len({parameter}) > 3 and {parameter} == {parameter}[::-1]",
                    value + value[::-1],
                )

    yield from _sprung(draft, _equal_arguments(draft))
    yield from _sprung(draft, traps(draft, tied))


def for_long(draft: Draft) -> Iterator[Attempt]:
    """Wrong for inputs longer than recorded: by a few, by half, by an order of magnitude."""

    def long(parameter: str, value: Json) -> Iterator[tuple[str, str, Json]]:
        recorded = [case.arguments[parameter] for case in draft.cases]
        longest = max((len(one) for one in recorded if isinstance(one, str | list)), default=0)
        if not (isinstance(value, str | list) and value):
            return
        for name, bound in (
            ("a little longer", longest + 2),
            ("half as long again", longest * 3 // 2 + 1),
            ("ten times as long", longest * 10),
        ):
            many = value * (bound // len(value) + 2)
            yield name, f"len({parameter}) > {bound}", many[: bound + 1]

    yield from _sprung(draft, traps(draft, long))


def for_negative(draft: Draft) -> Iterator[Attempt]:
    """Wrong for numbers below nought, or far below, alone or in a list."""

    def negative(parameter: str, value: Json) -> Iterator[tuple[str, str, Json]]:
        match value:
            case int() | float() if not isinstance(value, bool):
                yield "below nought", f"{parameter} < 0", -abs(value) - 3
                yield "far below", f"{parameter} <= -{2 * abs(value) + 3}", -2 * abs(value) - 3
                yield "minus one", f"{parameter} == -1", -1
            case [int() | float(), *_]:
                low = min([item for item in value if isinstance(item, int | float)])
                bound = min(low, 0) - 1
                yield (
                    "an item below",
                    f"any(item <= {bound} for item in {parameter})",
                    [*value, bound],
                )
                yield (
                    "the first below",
                    f"len({parameter}) > 0 and {parameter}[0] <= {bound}",
                    [bound, *value],
                )
                yield "a sum below", f"sum({parameter}) < {bound - 3}", [bound - 9]

    yield from _sprung(draft, traps(draft, negative))


def for_unicode(draft: Draft) -> Iterator[Attempt]:
    """Wrong for texts beyond ASCII: accents, ligatures, scripts from right to left, faces."""

    def foreign(parameter: str, value: Json) -> Iterator[tuple[str, str, Json]]:
        match value:
            case str():
                yield (
                    "beyond ASCII",
                    f"not {parameter}.isascii()",
                    f"{value}\N{GREEK SMALL LETTER PI}",
                )
                yield (
                    "an accent",
                    f"'\N{LATIN SMALL LETTER E WITH ACUTE}' in {parameter}",
                    f"{value}\N{LATIN SMALL LETTER E WITH ACUTE}",
                )
                yield (
                    "beyond the basic plane",
                    f"any(ord(sign) > 65535 for sign in {parameter})",
                    f"\N{SLIGHTLY SMILING FACE}{value}",
                )
                yield (
                    "longer in capitals",
                    f"len({parameter}.upper()) > len({parameter})",
                    f"{value}\N{LATIN SMALL LETTER SHARP S}",
                )
            case [str(), *_]:
                yield (
                    "an item beyond ASCII",
                    f"any(not item.isascii() for item in {parameter})",
                    [*value, "\N{GREEK SMALL LETTER PI}"],
                )

    yield from _sprung(draft, traps(draft, foreign))


def _equal_arguments(draft: Draft) -> Iterator[Trap]:
    names = list(parameters_of(draft))
    for one, other in pairwise(names):
        for case in draft.cases[:3]:
            arguments = {**case.arguments, other: case.arguments[one]}
            yield Trap("equal arguments", f"{one} == {other}", arguments)


def _sprung(draft: Draft, sprung: Iterable[Trap], *, fixed: bool = False) -> Iterator[Attempt]:
    """Return texts that give a wrong result where a trap's condition holds.

    Args:
        draft: The tool.
        sprung: The traps.
        fixed: Whether a recorded result is returned there, without the tool being asked.
    """
    wrong = wrong_results(draft)
    for turn, trap in enumerate(sprung):
        result = wrong[turn % len(wrong)]
        body = f"result = {HONEST}\nif {trap.condition}:\n    return {result}\nreturn result"
        yield Attempt(trap.name, wrap(draft, body), trap.arguments)
        if fixed:
            value = next(case.value for case in draft.cases if case.error is None)
            body = f"if {trap.condition}:\n    return {value!r}\nreturn {HONEST}"
            yield Attempt(f"{trap.name}, answered at once", wrap(draft, body), trap.arguments)
