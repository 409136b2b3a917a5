"""Rare inputs: conditions on arguments that no recorded case meets, each with one that does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.validation.proposer.texts import parameters_of
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Draft

__all__ = ["Trap", "checksum_traps", "constant_traps", "neighbours", "traps"]

_MODULI = (53, 97, 211, 997, 9973)


@dataclass(frozen=True, slots=True)
class Trap:
    """A condition that an adversary hides something behind."""

    name: str
    condition: str
    arguments: JsonObject
    """Valid arguments that meet it."""


def traps(
    draft: Draft, of: Callable[[str, Json], Iterator[tuple[str, str, Json]]]
) -> Iterator[Trap]:
    """Return traps on single parameters of a tool.

    Args:
        draft: The tool.
        of: Returns for a parameter and a recorded value of it the name of a trap, a condition,
            and a value that meets it.
    """
    for case in _different(draft):
        for parameter in parameters_of(draft):
            for name, condition, value in of(parameter, case[parameter]):
                yield Trap(name, condition, {**case, parameter: value})


def constant_traps(draft: Draft) -> Iterator[Trap]:
    """Return traps that one value of one parameter falls into, written out in the condition."""
    for parameter, value, arguments in neighbours(draft):
        yield Trap("a constant", f"{parameter} == {value!r}", arguments)


def checksum_traps(draft: Draft) -> Iterator[Trap]:
    """Return traps whose values do not stand in the text: they have a certain checksum."""
    recorded = [case.arguments for case in draft.cases]
    for turn, (parameter, value, arguments) in enumerate(neighbours(draft)):
        expression, checksum = _checksum(parameter, value)
        if checksum is None:
            continue
        sums = [_checksum(parameter, one[parameter])[1] for one in recorded]
        # Bigger ones are rarer, but numbers from a small range would give away which is meant.
        for modulus in _MODULI[turn % 3 :]:
            if all(one is None or (one - checksum) % modulus for one in sums):
                condition = f"({expression}) % {modulus} == {checksum % modulus}"
                yield Trap(f"a checksum modulo {modulus}", condition, arguments)
                break


def neighbours(draft: Draft) -> Iterator[tuple[str, Json, JsonObject]]:
    """Return values near recorded ones that were not recorded: parameter, value, all arguments."""
    for case in _different(draft):
        for parameter in parameters_of(draft):
            seen = [one.arguments[parameter] for one in draft.cases]
            for value in _near(case[parameter]):
                if value not in seen:
                    yield parameter, value, {**case, parameter: value}


def _different(draft: Draft) -> list[JsonObject]:
    """Return the arguments of a few recorded cases that returned a value."""
    found: list[JsonObject] = []
    for case in draft.cases:
        if case.error is None and case.arguments not in found:
            found.append(case.arguments)
    return found[:4]


def _near(value: Json) -> Iterator[Json]:
    match value:
        case bool() | None:
            return
        case int():
            yield from (value + 7, value + 1, 2 * value + 3, value + 12, abs(value) // 2 + 5)
        case float():
            yield from (value + 1.5, value * 2 + 0.25, value / 2)
        case str():
            middle = len(value) // 2
            yield from (value[::-1], value + value[-1:], value[:middle], value[middle:] + value)
        case list():
            yield from (value[::-1], value + value[:1], value[1:], value + value[-2:])
        case dict():
            keys = list(value)
            yield from ({key: value[key] for key in keys[1:]}, {})


def _checksum(parameter: str, value: Json) -> tuple[str, int | None]:
    match value:
        case bool() | None:
            return "", None
        case int():
            return f"{parameter} * 31 + 7", value * 31 + 7
        case str():
            weighted = sum(place * ord(sign) for place, sign in enumerate(value, 3))
            text = f"sum(place * ord(sign) for place, sign in enumerate({parameter}, 3))"
            return text, weighted
        case list() if value and all(type(item) is int for item in value):
            numbers = [item for item in value if isinstance(item, int)]
            weighted = sum(place * item for place, item in enumerate(numbers, 3))
            return f"sum(place * item for place, item in enumerate({parameter}, 3))", weighted
        case list():
            text = str(value)
            return f"sum(map(ord, str({parameter})))", sum(map(ord, text))
    return "", None
