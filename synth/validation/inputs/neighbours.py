"""Many more inputs, made quickly: small changes of those that there are.

What a generator draws takes a millisecond each. These cost next to nothing, so that there can be
thousands: enough to meet conditions that one input in a few hundred meets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any, Final

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy
from toolguild.synth.validation.inputs.values import interleaved

__all__ = ["neighbours"]

_STEPS = (*range(1, 26), 31, 50, 64, 97, 100)
_ODD = (
    "\N{LATIN SMALL LETTER E WITH ACUTE}\N{SLIGHTLY SMILING FACE}\N{LATIN SMALL LETTER SHARP S}"
    "\N{GREEK SMALL LETTER PI}0A -"
)
_LETTERS = "etaoinshrdlucmfwypvbgkqjxz0123456789_.,"
_MANY = 10
_LONGEST = 5_000
_RECORDED = 4
"""Recorded inputs that others are made of first,"""
_NEAR_RECORDED = 0.6
"""so many of all at most."""
_AT_ONE_PLACE = 400
"""Changes of one value, at most."""


def neighbours(
    strategy: ArgumentsStrategy, inputs: Sequence[JsonObject], count: int
) -> list[JsonObject]:
    """Return up to so many different inputs that fit the schema, none of them among those given.

    Always the same ones for the same inputs. By turns one differs from an input in one argument,
    and one in all of them: the first keeps what arguments have to do with one another, the second
    brings a new value of every argument each time. Those near recorded inputs come first.

    Args:
        strategy: What inputs may be.
        inputs: What they are made of, besides the recorded ones.
        count: How many, at most.
    """
    changes = _Changes(strategy)
    seen = {canonical(arguments) for arguments in inputs}
    usual = [changes.of(base) for base in strategy.recorded[:_RECORDED]]
    others = [changes.of(base) for base in inputs]
    found: list[JsonObject] = []
    for candidates, total in ((usual, round(count * _NEAR_RECORDED)), (others, count)):
        for arguments in _in_turn(candidates):
            if len(found) == total:
                break
            key = canonical(arguments)
            if key not in seen:
                found.append(arguments)
            seen.add(key)
    return found


class _Changes:
    """Makes other arguments of given ones; all of them fit the schema."""

    def __init__(self, strategy: ArgumentsStrategy) -> None:
        self._strategy = strategy
        self._fitting: dict[tuple[str, str], bool] = {}
        self._longest = {name: self._longest_recorded(name) for name in strategy.values}

    def of(self, base: JsonObject) -> Iterator[JsonObject]:
        """Yield arguments with one or all of them changed, by turns."""
        if not self._strategy.allows(base):
            return iter(())
        single = _in_turn([self._with_other(base, name) for name in base])
        return _in_turn([single, self._with_others(base)] if len(base) > 1 else [single])

    def _with_other(self, base: JsonObject, name: str) -> Iterator[JsonObject]:
        """Yield arguments with another value of one of them."""
        for value in self._values(base, name):
            yield {**base, name: value}

    def _with_others(self, base: JsonObject) -> Iterator[JsonObject]:
        """Yield arguments with other values of all of them, so long as there are any of one."""
        # Each begins elsewhere, so that values meet that do not stand at the same place.
        columns = [islice(self._values(base, name), place, None) for place, name in enumerate(base)]
        for row in zip_longest(*columns, fillvalue=_SPENT):
            values = zip(base.items(), row, strict=True)
            arguments = {name: kept if value is _SPENT else value for (name, kept), value in values}
            if self._strategy.is_memberwise or self._strategy.allows(arguments):
                yield arguments

    def _values(self, base: JsonObject, name: str) -> Iterator[Json]:
        """Yield other values of one argument that fit, those first that tell most."""
        near = islice(self._unchecked(base[name], name), _AT_ONE_PLACE)
        return (value for value in near if self._fits(base, name, value))

    def _unchecked(self, value: Json, name: str) -> Iterator[Json]:
        """Yield values near one, with constants of the texts between, then edges."""
        strategy = self._strategy
        mined = strategy.values[name].mined() if name in strategy.values else []
        yield from strategy.displays
        yield from interleaved(_near(value, self._longest.get(name, 0)), mined)
        yield from strategy.edges.get(name, ())

    def _fits(self, base: JsonObject, name: str, value: Json) -> bool:
        arguments = {**base, name: value}
        if not self._strategy.is_memberwise:
            return self._strategy.allows(arguments)
        key = name, canonical(value)
        if key not in self._fitting:
            self._fitting[key] = self._strategy.allows(arguments)
        return self._fitting[key]

    def _longest_recorded(self, name: str) -> int:
        values = (arguments.get(name) for arguments in self._strategy.recorded)
        return max((len(value) for value in values if isinstance(value, str)), default=0)


_SPENT: Final[Any] = object()
"""Stands for a value where there are no more."""


def _in_turn(several: Sequence[Iterator[JsonObject]]) -> Iterator[JsonObject]:
    """Yield the first of each, then the second of each, and so on."""
    left = list(several)
    while left:
        still = []
        for one in left:
            value = next(one, None)
            if value is not None:
                still.append(one)
                yield value
        left = still


def _near(value: Json, longest: int = 0) -> Iterator[Json]:
    """Yield values near one, those first that tell most."""
    match value:
        case bool() | None:
            return
        case int():
            yield from _numbers(value)
        case float():
            yield from (value * 2, value / 2, -value, value + 1.5, value * 2 + 0.25)
            yield from (value + step / 4 * sign for step in _STEPS for sign in (1, -1))
        case str():
            yield from _texts(value, longest)
        case list():
            yield from _lists(value)
        case dict():
            yield from _objects(value)


def _numbers(number: int) -> Iterator[int]:
    yield from (number + 1, 2 * number + 3, -number, number // 2, abs(number) // 2 + 5)
    yield from (number + 7, number + 12, 10 * number, 2 * number, 2 * number + 1)
    yield from (number + step * sign for step in _STEPS for sign in (1, -1))
    yield from range(number + 101, number + 400)


def _texts(text: str, longest: int) -> Iterator[str]:
    middle = len(text) // 2
    yield from (text[::-1], text + text[-1:], text[:middle], text[middle:] + text, text + text)
    yield from (text + odd for odd in _ODD)
    yield from (text + text[: middle + 1], text + text[::-1], text + text[-2::-1], text.swapcase())
    if text and longest * _MANY <= _LONGEST:
        yield text * ((longest * _MANY + 1) // len(text) + 1)
    yield from (text.strip(), f" {text} ", *(text[:1] * length for length in (2, 3, 50)))
    for place in range(len(text)):
        yield text[:place] + text[place + 1 :]
        yield text[:place] + _ODD[place % len(_ODD)] + text[place + 1 :]
        code = ord(text[place])
        for near in (code + 1, code - 1, code + 2, code - 2):
            if 32 <= near < 127:
                yield text[:place] + chr(near) + text[place + 1 :]
    for letter in _LETTERS:
        yield from (text + letter, letter + text)
    for letter in _LETTERS:
        yield from (text[:place] + letter + text[place + 1 :] for place in range(min(len(text), 8)))


def _lists(items: list[Json]) -> Iterator[Json]:
    yield from (items[::-1], items + items[:1], items[1:], items[:-1], items + items[-2:])
    yield from (items + items, items[:1] * 2, items[1:] + items[:1])
    if items and len(items) * _MANY <= _LONGEST:
        yield items * _MANY
    for place, item in enumerate(items):
        yield [*items[:place], *items[place + 1 :]]
        for near in islice(_near(item), 40):
            yield [*items[:place], near, *items[place + 1 :]]


def _objects(members: JsonObject) -> Iterator[Json]:
    for name in members:
        yield {key: value for key, value in members.items() if key != name}
        for near in islice(_near(members[name]), 40):
            yield {**members, name: near}
