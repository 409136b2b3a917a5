"""Making a counterexample simpler.

Hypothesis does not do it: it makes simpler the choices that led to a value, and most examples here
are edges, to which none led. So all are shortened as values, in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.strategy import ArgumentsStrategy

__all__ = ["shrink"]

MAX_SHRINK_RUNS = 150


def shrink(
    strategy: ArgumentsStrategy, example: JsonObject, fails: Callable[[JsonObject], bool]
) -> JsonObject:
    """Return the simplest input that fails as the example does, found in a bounded search.

    It fits the schema, and is not longer as JSON than the example. Where the failure comes and
    goes, it is the example.

    Args:
        strategy: What inputs may be.
        example: One that fails.
        fails: Whether another one does; asked `MAX_SHRINK_RUNS` times at most.
    """
    simplest, runs = example, 0
    tried = {canonical(example)}
    candidates = _simpler(example)
    while runs < MAX_SHRINK_RUNS - 1 and (candidate := next(candidates, None)) is not None:
        key = canonical(candidate)
        if (
            key in tried
            or _rank(candidate) >= _rank(simplest)
            or not isinstance(candidate, dict)
            or not strategy.allows(candidate)
        ):
            continue
        tried.add(key)
        runs += 1
        if fails(candidate):
            simplest, candidates = candidate, _simpler(candidate)
    return simplest if simplest is not example and fails(simplest) else example


def _rank(value: Json) -> tuple[int, str]:
    """Return what is less for a simpler value: its length as JSON, then its characters."""
    text = canonical(value)
    return len(text), text


def _simpler(value: Json) -> Iterator[Json]:
    """Yield values that may be simpler, the boldest first."""
    match value:
        case bool() | None:
            return
        case int():
            yield from _simpler_numbers(value)
        case float():
            yield int(value)
            yield round(value, 1)
            yield from _simpler_numbers(int(value))
            yield from (float(number) for number in _simpler_numbers(int(value)))
        case str():
            yield from _simpler_texts(value)
        case list():
            yield from _shorter(value)
            for index, item in enumerate(value):
                for simpler in _simpler(item):
                    yield [*value[:index], simpler, *value[index + 1 :]]
        case dict():
            for name in value:
                yield {key: inner for key, inner in value.items() if key != name}
            for name, inner in value.items():
                for simpler in _simpler(inner):
                    yield {**value, name: simpler}


def _simpler_numbers(number: int) -> Iterator[int]:
    """Yield numbers closer to zero: zero, then half way to the number, and so on."""
    if number < 0:
        yield -number
    sign, left = (1, number) if number >= 0 else (-1, -number)
    distance = left
    while distance:
        yield sign * (left - distance)
        distance //= 2


def _simpler_texts(text: str) -> Iterator[str]:
    yield from _shorter(text)
    for index, character in enumerate(text):
        for simple in "0a":
            if simple < character:
                yield text[:index] + simple + text[index + 1 :]


_Sequence = TypeVar("_Sequence", str, list[Json])


def _shorter(whole: _Sequence) -> Iterator[_Sequence]:
    """Yield a sequence without a half of it, without a quarter, down to a single part."""
    length = len(whole)
    yield whole[:0]
    size = length // 2
    while size:
        for start in range(0, length, size):
            yield whole[:start] + whole[start + size :]
        size //= 2
