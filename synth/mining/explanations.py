"""Comparisons that would tell chosen rows from others in some places, likely or not.

At most, at least, below or above a bound, or without a value; the bound or value is a constant, or
an argument of an earlier call. Which of them mean anything, `comparisons` decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from toolguild.sandbox import Json
from toolguild.synth.mining.bounds import (
    Gap,
    Value,
    deepest,
    gap_between,
    is_narrow,
    roundest,
    roundness,
)
from toolguild.synth.mining.chosen_rows import ChoicePlace
from toolguild.synth.mining.conditions import Slot
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.loops import Chosen, given, is_word
from toolguild.synth.plans import Computed, Constant, Origin, form_of

__all__ = ["Explanation", "explanations"]

_LEAST_VALUES = 3
"""Different values of an argument that is compared with; one of fewer may as well be none."""

_FUNCTIONS = {
    (True, True): "rows_at_most",
    (True, False): "rows_below",
    (False, True): "rows_above",
    (False, False): "rows_at_least",
}
"""By whether the lower rows were chosen, and whether the bound may be the lower end of its gap."""
_STRICT = ("rows_below", "rows_above")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One way in which rows may have been chosen."""

    over: Computed
    """The chosen rows."""
    fits: tuple[bool, ...]
    """For each place, whether these are the rows that were chosen there."""
    roundness: int = 0
    """How many digits or parts its bound has, if that is a constant."""

    @property
    def is_constant(self) -> bool:
        """Whether rows are compared with the same value everywhere."""
        return isinstance(self.over.inputs[-1], Constant)

    @property
    def is_strict(self) -> bool:
        """Whether a row with the bound itself is left out."""
        return self.over.function in _STRICT

    @property
    def has_bound(self) -> bool:
        """Whether rows are compared with a bound that any value may lie above or below."""
        return self.over.function != "rows_where_not"


def explanations(places: Sequence[ChoicePlace], chosen: Chosen) -> tuple[list[Explanation], int]:
    """Return comparisons that tell the chosen rows in some of the places.

    Args:
        places: Places where rows of one list were chosen.
        chosen: From what, and by which cell.

    Returns:
        The comparisons, and how many were tried that a random choice might satisfy each by itself.
    """
    arguments = [*_arguments(places[0], chosen.rows_at.step)]
    keys = {key for place in places for key in place.rows.keys(chosen.cell)}
    columns = [_Column(places, chosen, key, arguments) for key in sorted(keys)]
    found = [how for column in columns for how in column.explanations()]
    return found, sum(column.tried for column in columns)


def _arguments(place: ChoicePlace, last: int) -> Iterator[Slot]:
    """Yield the arguments of calls before the rows were known."""
    for number in range(last + 1):
        if not place.window.items[number].is_loop:
            for name in sorted(place.window.arguments(number)):
                yield number, name


class _Column:
    """What stands under one key in the rows of all places."""

    def __init__(
        self,
        places: Sequence[ChoicePlace],
        chosen: Chosen,
        key: str,
        arguments: Sequence[Slot],
    ) -> None:
        self._places = places
        self._columns = [place.column(key) for place in places]
        self._forms = [_form_of_column(column) for column in self._columns]
        self._inputs = (chosen.rows_at, Constant(key))
        self._arguments = arguments

    @property
    def tried(self) -> int:
        """How many explanations were tried.

        Bounds count by their direction: a choice that has no gap there is explained by none.
        """
        return (
            2 * bool(self._form) + len({*map(canonical, self._left_alone)}) + len(self._arguments)
        )

    def explanations(self) -> Iterator[Explanation]:
        """Yield what would explain the choice in some of the places."""
        if self._form:
            for kept_is_lower in (True, False):
                gaps = [self._gap(column, kept_is_lower) for column in self._comparable]
                yield from self._constant_bounds(gaps, kept_is_lower)
                for slot in self._arguments:
                    yield from self._argument_bounds(slot, gaps, kept_is_lower)
        if self._left_alone:
            # No other can be left out in most places.
            counts = Counter(map(canonical, self._left_alone))
            word = max(self._left_alone, key=lambda one: (counts[canonical(one)], canonical(one)))
            fits = [self._lacks(word, column) for column in self._columns]
            yield self._explanation("rows_where_not", Constant(word), fits)
        for slot in self._arguments:
            words = [place.window.argument(slot) for place in self._places]
            pairs = zip(words, self._columns, strict=True)
            yield from self._by_argument(
                "rows_where_not", slot, words, [self._lacks(word, one) for word, one in pairs]
            )

    @cached_property
    def _form(self) -> str:
        """The form that comparable values have in most places; "" if none has."""
        forms = Counter(filter(None, self._forms))
        return max(sorted(forms), key=forms.__getitem__, default="")

    @cached_property
    def _comparable(self) -> list[tuple[list[Value], list[Value]] | None]:
        """The columns with values of that form."""
        return [
            cast("tuple[list[Value], list[Value]]", column) if form == self._form else None
            for column, form in zip(self._columns, self._forms, strict=True)
        ]

    @cached_property
    def _left_alone(self) -> list[Json]:
        """Values that alone were left out, in one place or more."""
        left = [column[1] for column in self._columns if column and column[1]]
        return [one[0] for one in left if is_word(one[0]) and all(one[0] == each for each in one)]

    def _lacks(self, word: Json, column: tuple[list[Json], list[Json]] | None) -> bool:
        """Say whether a value is what every row has that was left out, and no other."""
        return (
            column is not None
            and is_word(word)
            and all(value == word for value in column[1])
            and all(value != word for value in column[0])
        )

    def _gap(
        self, column: tuple[list[Value], list[Value]] | None, kept_is_lower: bool
    ) -> Gap | None:
        if column is None:
            return None
        kept, left = column
        return gap_between(kept, left) if kept_is_lower else gap_between(left, kept)

    def _constant_bounds(
        self, gaps: Sequence[Gap | None], kept_is_lower: bool
    ) -> Iterator[Explanation]:
        common = deepest([gap for gap in gaps if gap])
        if common is None or not is_narrow(common, self._values):
            return
        candidates: list[tuple[int, bool, Value, bool]] = []
        for low in (True, False):
            bound = roundest(common, low=low)
            is_strict = _FUNCTIONS[kept_is_lower, low] in _STRICT
            if bound is not None:
                candidates.append((roundness(bound), is_strict, bound, low))
        rounded, _, bound, low = min(candidates, key=lambda one: one[:2])
        fits = [gap is not None and gap.holds(bound, low=low) for gap in gaps]
        function = _FUNCTIONS[kept_is_lower, low]
        yield self._explanation(function, Constant(bound), fits, rounded)

    @cached_property
    def _values(self) -> list[Value]:
        """All values that bounds may be compared with."""
        return [
            value for column in self._comparable if column for values in column for value in values
        ]

    def _argument_bounds(
        self, slot: Slot, gaps: Sequence[Gap | None], kept_is_lower: bool
    ) -> Iterator[Explanation]:
        bounds = [place.window.argument(slot) for place in self._places]
        pairs = [
            (cast("Value", bound), gap if form_of(bound) == self._form else None)
            for bound, gap in zip(bounds, gaps, strict=True)
        ]
        for low in (True, False):
            fits = [gap is not None and gap.holds(bound, low=low) for bound, gap in pairs]
            yield from self._by_argument(_FUNCTIONS[kept_is_lower, low], slot, bounds, fits)

    def _by_argument(
        self, function: str, slot: Slot, values: Sequence[Json], fits: Sequence[bool]
    ) -> Iterator[Explanation]:
        fitting = {canonical(value) for value, fit in zip(values, fits, strict=True) if fit}
        if len(fitting) >= _LEAST_VALUES:
            yield self._explanation(function, given(*slot), fits)

    def _explanation(
        self, function: str, value: Origin, fits: Sequence[bool], rounded: int = 0
    ) -> Explanation:
        return Explanation(Computed(function, (*self._inputs, value)), tuple(fits), rounded)


def _form_of_column(column: tuple[list[Json], list[Json]] | None) -> str:
    """Return the one form of all values of a place; "" if they are of several, or of none."""
    forms = {form_of(value) for values in column or () for value in values}
    return forms.pop() if len(forms) == 1 else ""
