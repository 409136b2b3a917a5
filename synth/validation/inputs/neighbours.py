"""Many more inputs, made quickly: small changes of those that there are.

What a generator draws takes a millisecond each. These cost next to nothing, so that there can be
thousands: enough to meet conditions that one input in a few hundred meets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

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

    Always the same ones for the same inputs. Each differs from one of them in one argument; those
    near recorded inputs come first.

    Args:
        strategy: What inputs may be.
        inputs: What they are made of, besides the recorded ones.
        count: How many, at most.
    """
    seen = {canonical(arguments) for arguments in inputs}
    usual = [_changed(strategy, base) for base in strategy.recorded[:_RECORDED]]
    others = [_changed(strategy, base) for base in inputs]
    found: list[JsonObject] = []
    for candidates, total in ((usual, round(count * _NEAR_RECORDED)), (others, count)):
        for arguments in _in_turn(candidates):
            if len(found) == total:
                break
            key = canonical(arguments)
            if key not in seen and strategy.allows(arguments):
                found.append(arguments)
            seen.add(key)
    return found


def _changed(strategy: ArgumentsStrategy, base: JsonObject) -> Iterator[JsonObject]:
    """Yield arguments with one of them changed, by turns."""
    return _in_turn([_with_other(strategy, base, name) for name in base])


def _with_other(strategy: ArgumentsStrategy, base: JsonObject, name: str) -> Iterator[JsonObject]:
    """Yield arguments with another value of one of them."""
    for value in islice(_values(strategy, name, base), _AT_ONE_PLACE):
        yield {**base, name: value}


def _values(strategy: ArgumentsStrategy, name: str, base: JsonObject) -> Iterator[Json]:
    """Yield values near the one that there is, with constants of the texts between, then edges."""
    mined = strategy.values[name].mined() if name in strategy.values else []
    longest = max(
        (len(text) for one in strategy.recorded if isinstance(text := one.get(name), str)),
        default=0,
    )
    yield from strategy.displays
    yield from interleaved(_near(base[name], longest), mined)
    yield from strategy.edges.get(name, ())


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
