"""Whole numbers and fractions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from operator import add, mul
from typing import TypeGuard

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.choices import Pick, by_shares
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.values import Values, distinct

__all__ = ["SPREAD", "Integers", "Numbers"]

SPREAD = 4
"""Generated numbers and lengths go to so many times the largest recorded one."""

_USUAL = 100
"""Taken for the largest where nothing was recorded."""
_TINY = 1e-9
_LARGEST = 1e300
"""Above this nothing is taken for a number: a few times as much would be infinite."""
_CLOSE = (-2, -1, 1, 2)
_SMALL = (-3, 12)
_FACTORS = (1.5, 0.5, -1.0, 1.01)
_DIGITS = (0, 1, 2, 6)


class Integers(Values):
    """Whole numbers, as far from zero as a few times the recorded ones."""

    def __init__(self, schema: JsonObject, seen: Sequence[Json], constants: Constants) -> None:
        self._seen = sorted({value for value in seen if _is_number(value) and _is_whole(value)})
        low, high = _span(schema, self._seen)
        self._bounds = _Bounds(schema)
        self._low, self._high = math.ceil(low), math.floor(high)
        self._constants = constants
        step = _step(schema)
        self._step = step.numerator if step else 1

    def edges(self) -> list[Json]:
        """Return the ends of the range, the numbers around zero, and around the recorded ones."""
        low, high = self._low, self._high
        ends = [low, high] if self._bounds.low is not None else [high]
        near = [0, 1, -1, 2, *ends, low + 1, high - 1]
        near += [end + by for end in self._seen[:1] + self._seen[-1:] for by in (0, 1, -1)]
        if self._bounds.low is None:
            near.append(low)
        if self._step > 1:
            near = [one // self._step * self._step + by for one in near for by in (0, self._step)]
        return distinct(self._inside(near))

    def mined(self) -> list[Json]:
        """Return the numbers of the text with their neighbours."""
        numbers = [
            whole for number in self._constants.numbers for whole in _around(math.floor(number))
        ]
        if self._step > 1:
            numbers = [number // self._step * self._step for number in numbers]
        return distinct(number for number in numbers if self._bounds.allow(number))

    @cached_property
    def strategy(self) -> SearchStrategy[int]:
        """Numbers of the range; the small ones and those near recorded ones more often."""
        step = self._step
        low, high = -(-self._low // step), self._high // step
        if low > high:
            return strategies.just(self._low)
        shares = [(60, strategies.integers(low, high))]
        if max(low, _SMALL[0]) <= min(high, _SMALL[1]):
            small = strategies.integers(max(low, _SMALL[0]), min(high, _SMALL[1]))
            shares.append((15, small))
        if self._seen:
            seen = strategies.sampled_from([number // step for number in self._seen])
            near = strategies.builds(add, seen, strategies.sampled_from(_CLOSE))
            shares.append((25, near.map(lambda number: min(max(number, low), high))))
        return by_shares(*shares).map(lambda number: number * step)

    def near(self, value: Json, pick: Pick) -> Json:
        """Return one of the next numbers."""
        return value + _CLOSE[pick(len(_CLOSE))] if _is_whole(value) else value

    def _inside(self, numbers: Iterable[int]) -> list[Json]:
        return [number for number in numbers if self._low <= number <= self._high]


class Numbers(Values):
    """Numbers, whole or not."""

    def __init__(self, schema: JsonObject, seen: Sequence[Json], constants: Constants) -> None:
        self._seen = sorted({value for value in seen if _is_number(value)})
        self._low, self._high = _span(schema, self._seen)
        self._bounds = _Bounds(schema)
        self._whole = Integers(schema, seen, constants)
        self._constants = constants
        self._step = _step(schema)

    def edges(self) -> list[Json]:
        """Return the whole ones, halves, fractions close to zero, and around the recorded ones."""
        fractions = [0.5, -0.5, 0.0, 1.5, 2.5, _TINY, -_TINY, -1.5, 0.1, 1.0]
        fractions += [end + by for end in self._seen[:1] + self._seen[-1:] for by in (0, 0.5, -0.5)]
        whole = self._whole.edges()
        mixed = [one for pair in zip(whole, fractions, strict=False) for one in pair]
        rest = [*whole[len(fractions) :], *fractions[len(whole) :], self._low, self._high]
        return self._fitting([*mixed, *rest])

    def mined(self) -> list[Json]:
        """Return the numbers of the text with what is close to them."""
        near = [
            close
            for number in self._constants.numbers
            for close in (number, number + _gap(number), number - _gap(number))
        ]
        return self._fitting([*near, *self._whole.mined()])

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """Numbers, nearly as often whole as not."""
        low, high = float(self._low) + 0, float(self._high) + 0
        rounded = strategies.builds(
            self._rounded, strategies.floats(low, high), strategies.sampled_from(_DIGITS)
        )
        shares: list[tuple[int, SearchStrategy[Json]]] = [(40, rounded)]
        if self._low <= math.floor(self._high):
            shares.append((40, self._whole.strategy.map(self._stepped)))
        if self._seen:
            multiples = strategies.builds(
                mul, strategies.sampled_from(self._seen), strategies.sampled_from(_FACTORS)
            )
            inside = multiples.map(lambda number: min(max(number, low), high))
            shares.append(
                (20, strategies.builds(self._rounded, inside, strategies.sampled_from(_DIGITS)))
            )
        return by_shares(*shares)

    def _rounded(self, number: float, digits: int) -> Json:
        rounded = self._stepped(round(number, digits))
        return rounded if self._bounds.allow(rounded) else self._stepped(number)

    def _fitting(self, numbers: Iterable[Json]) -> list[Json]:
        stepped = [self._stepped(number) for number in numbers if _is_number(number)]
        return distinct(number for number in stepped if self._bounds.allow(number))

    def _stepped(self, number: float) -> float:
        if self._step is None:
            return number + 0  # the zero with a sign becomes the one without
        multiple = round(Fraction(number) / self._step) * self._step
        return multiple.numerator if multiple.denominator == 1 else float(multiple)


class _Bounds:
    """What a schema says about the size of a number."""

    def __init__(self, schema: JsonObject) -> None:
        self.low = _number_at(schema, "minimum")
        self.high = _number_at(schema, "maximum")
        self._above = _number_at(schema, "exclusiveMinimum")
        self._below = _number_at(schema, "exclusiveMaximum")
        whole = schema.get("type") == "integer"
        if self._above is not None:
            above = math.floor(self._above) + 1 if whole else self._above
            self.low = above if self.low is None else max(self.low, above)
        if self._below is not None:
            below = math.ceil(self._below) - 1 if whole else self._below
            self.high = below if self.high is None else min(self.high, below)

    def allow(self, number: float) -> bool:
        """Whether a number is within."""
        return not (
            (self.low is not None and number < self.low)
            or (self.high is not None and number > self.high)
            or (self._above is not None and number <= self._above)
            or (self._below is not None and number >= self._below)
        )


def _span(schema: JsonObject, seen: Sequence[float]) -> tuple[float, float]:
    """Return the range that numbers are drawn from."""
    reach = SPREAD * max(map(abs, seen), default=_USUAL) + 16
    bounds = _Bounds(schema)
    low = bounds.low if bounds.low is not None else -reach
    high = bounds.high if bounds.high is not None else reach
    if low > high:
        # Only one of them is the schema's, unless nothing fits it.
        return (low, low + reach) if bounds.high is None else (high - reach, high)
    return low, high


def _step(schema: JsonObject) -> Fraction | None:
    step = _number_at(schema, "multipleOf")
    return Fraction(str(step)) if step is not None and step > 0 else None


def _gap(number: float) -> float:
    """Return a distance within which a threshold is missed by rounding, not by meaning."""
    return 1 if isinstance(number, int) else max(abs(number), 1) * 1e-6


def _around(number: int) -> tuple[int, int, int]:
    return number, number + 1, number - 1


def _number_at(schema: JsonObject, keyword: str) -> int | float | None:
    value = schema.get(keyword)
    return value if _is_number(value) else None


def _is_number(value: Json) -> TypeGuard[int | float]:
    """Whether a value is a number that a float can be near to."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
