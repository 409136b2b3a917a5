"""Finding the bound that tells rows which were kept from rows which were left out.

One place only says between which two values the bound lies. This is its version space (T. M.
Mitchell, "Generalization as Search", 1982), and where many places say so, the bound lies in what
their gaps have in common.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias, cast

from toolguild.synth.plans import NUMBER, form_of

__all__ = ["Gap", "Value", "deepest", "gap_between", "is_narrow", "roundest", "roundness"]

Value: TypeAlias = float | str
"""A number, or a date or time as text; those compared with each other are of one form."""

_MAX_SHARE = 0.25
"""How wide a gap may be beside all values that were seen. Anywhere in a wider one, a bound would be
somebody's guess."""
_MOST = 1e15
_LEAST = 1e-9
"""Numbers between which, 0 aside, a bound is looked for."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Two values between which a bound lies, one of which it may be."""

    low: Value | None
    """None if nothing stands below it."""
    high: Value | None
    """None if nothing stands above it."""

    def holds(self, bound: Value, *, low: bool) -> bool:
        """Say whether a bound lies in the gap.

        Args:
            bound: The bound.
            low: Whether it may be the lower of the two values, or else the higher one.
        """
        above = self.low is None or _is_below(self.low, bound) or (low and bound == self.low)
        below = self.high is None or _is_below(bound, self.high) or (not low and bound == self.high)
        return above and below


def _is_below(one: Value, other: Value) -> bool:
    # Both are of one form.
    return cast("float", one) < cast("float", other)


def gap_between(lower: Sequence[Value], upper: Sequence[Value]) -> Gap | None:
    """Return the gap between values of one form, or None where there is none."""
    low = max(lower) if lower else None
    high = min(upper) if upper else None
    apart = low is None or high is None or _is_below(low, high)
    return Gap(low, high) if apart else None


def deepest(gaps: Sequence[Gap]) -> Gap | None:
    """Return what as many gaps as possible have in common; of several such, the lowest.

    It has values on both sides; None where nothing has.
    """
    lows = sorted(gap.low for gap in gaps if gap.low is not None)
    highs = sorted(gap.high for gap in gaps if gap.high is not None)
    between = [low for low in lows if highs and _is_below(low, highs[-1])]
    if not between:
        return None
    # Right above a value are the gaps that begin there or below, and do not end there or below.
    low = max(between, key=lambda one: bisect_right(lows, one) - bisect_right(highs, one))
    return Gap(low, highs[bisect_right(highs, low)])


def is_narrow(gap: Gap, values: Sequence[Value]) -> bool:
    """Say whether a bound in a gap is borne out by values near to it on both sides.

    Zero needs none: it is what amounts are compared with.
    """
    if gap.low is None or gap.high is None:
        return False
    if _holds_zero(gap):
        return True
    ordered = sorted(values)
    # A few values far out say nothing of how near the others are.
    beyond = len(ordered) // 20
    try:
        width = _position(gap.high) - _position(gap.low)
        return width <= _MAX_SHARE * (_position(ordered[-1 - beyond]) - _position(ordered[beyond]))
    except (ValueError, OverflowError):
        # There is no 31st of February, and no float is as large as some integers.
        return False


def _holds_zero(gap: Gap) -> bool:
    return form_of(gap.low) == NUMBER and any(gap.holds(0, low=low) for low in (True, False))


def _position(value: Value) -> float:
    """Return a value as a number: of dates and times, the seconds."""
    if not isinstance(value, str):
        return float(value)
    whole = value if "-" in value else f"2000-01-01T{value}"
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()


def roundest(gap: Gap, *, low: bool) -> Value | None:
    """Return the roundest value in a gap, and of several the one nearest to its middle.

    Args:
        gap: A gap with two ends.
        low: Whether it may be the lower of the two, or else the higher one.
    """
    match gap:
        case Gap(str(), str() as high):
            end = gap.low if low else high
            rounded = (text for text in _rounded(high) if gap.holds(text, low=low))
            return next(rounded, end)
        case Gap(int() | float() as least, int() | float() as most):
            found = (number for number in _multiples(least, most) if gap.holds(number, low=low))
            return next(found, least if low else most)
    return None


def roundness(value: Value) -> int:
    """Return how many digits or parts there are to a value: the fewer, the rounder it is."""
    if isinstance(value, str):
        rounded = [*_rounded(value)]
        return 1 + (rounded.index(value) if value in rounded else len(rounded))
    return len(Decimal(repr(value)).normalize().as_tuple().digits) if value else 0


def _rounded(text: str) -> Iterator[str]:
    """Yield a date or time from its year or hour on with ever more of its parts."""
    beginning = "0000-01-01T00:00:00.000000" if "-" in text else "00:00:00.000000"
    for end in range(2, len(text)):
        is_end_of_part = text[end - 1].isdigit() and not text[end].isdigit()
        if is_end_of_part:
            rest = "".join(
                first if own.isdigit() else own
                for own, first in zip(text[end:], beginning[end:], strict=False)
            )
            yield f"{text[:end]}{rest}{text[end + len(rest) :]}"


def _multiples(least: float, most: float) -> Iterator[float]:
    """Yield numbers that may lie between two others, the roundest first."""
    yield 0
    if not all(one == 0 or _LEAST <= abs(one) <= _MOST for one in (least, most)):
        return
    middle = (_as_fraction(least) + _as_fraction(most)) / 2
    for exponent in range(16, -12, -1):
        for part in (1, Fraction(1, 2)):
            step = part * Fraction(10) ** exponent
            nearest = round(middle / step)
            for number in (nearest, nearest - 1, nearest + 1):
                yield _as_number(number * step)


def _as_fraction(number: float) -> Fraction:
    """Return the number that is written."""
    return Fraction(repr(number))


def _as_number(fraction: Fraction) -> float:
    return fraction.numerator if fraction.denominator == 1 else float(fraction)
