"""Which loops over the rows that a key tells, being true, not true, or a value, mean anything.

What fits in one place was read there (`loops`). Of twenty keys and values, one fits the rows that
were chosen from a short list by accident, and in enough tasks some do again. So of all places of
one list together, chance must not explain it (`evidence`). No share of all choices is asked for:
two rules may stand side by side, for two kinds of tasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import compress

from toolguild.sandbox import Json
from toolguild.synth.mining.chosen_rows import ChoicePlace, choice_places, told_choices
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.evidence import Evidence, is_arbitrary
from toolguild.synth.mining.loops import Chosen, LoopReading, given, is_word
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Window
from toolguild.synth.plans import Computed, Constant, Origin, value_at

__all__ = ["filters_borne_out"]


def filters_borne_out(
    windows: Sequence[Window], item: int, settings: MiningSettings
) -> set[LoopReading]:
    """Return the loops over rows that a key tells, of those that chance does not explain.

    Args:
        windows: Windows of one shape.
        item: The loop.
        settings: Thresholds.
    """
    borne_out: set[LoopReading] = set()
    for chosen, readings in _common_filters(windows, item, settings).items():
        places = [place for place in choice_places(windows, item, chosen) if place.is_telling]
        fits = {
            one: [one in place.window.items[item].readings for place in places] for one in readings
        }
        likely = [one for one in readings if _may_be_borne_out(fits[one], places)]
        if likely:
            filters = _Filters(places, item, chosen, settings.sequence_support)
            borne_out.update(one for one in likely if filters.bear_out(one, fits[one]))
    return borne_out


def _may_be_borne_out(fits: Sequence[bool], places: Sequence[ChoicePlace]) -> bool:
    """Say whether a filter would be borne out if it fitted wherever it may, and were the only one.

    Most are not: what all others would have told needs not be looked at then.
    """
    evidence = Evidence.of(fits, places)
    return not is_arbitrary(evidence.explained_choices, evidence.explained, 1)


def _common_filters(
    windows: Sequence[Window], item: int, settings: MiningSettings
) -> dict[Chosen, list[LoopReading]]:
    """Return what tells chosen rows from those left out in enough tasks, by what they are of."""
    tasks: defaultdict[tuple[Chosen, LoopReading], set[str]] = defaultdict(set)
    for window in windows:
        for pair in told_choices(window.items[item]):
            tasks[pair].add(window.log.task_id)
    common: defaultdict[Chosen, list[LoopReading]] = defaultdict(list)
    for (chosen, reading), holding in tasks.items():
        if len(holding) >= settings.sequence_support:
            common[chosen].append(reading)
    return common


class _Filters:
    """All filters of one list, in the places where rows of it were left out."""

    def __init__(
        self, places: Sequence[ChoicePlace], item: int, chosen: Chosen, support: int
    ) -> None:
        self._places = places
        self._support = support
        self._may_fit: defaultdict[Origin, set[str]] = defaultdict(set)
        """The tasks in which each tells as many rows as were chosen: in no others does it fit."""
        for place in places:
            for over in _filters_of_that_size(place, item, chosen):
                self._may_fit[over].add(place.task)

    def bear_out(self, reading: LoopReading, fits: Sequence[bool]) -> bool:
        """Say whether choices at random would hardly be explained as well by any filter.

        Args:
            reading: A loop over the rows that one of them tells.
            fits: For each place, whether these were chosen.
        """
        tasks = self._may_fit[reading.over]
        if len(tasks) < self._support:
            return False
        there = [place.task in tasks for place in self._places]
        evidence = Evidence.of([*compress(fits, there)], [*compress(self._places, there)])
        return not is_arbitrary(evidence.choices, evidence.explained, self._tried)

    @cached_property
    def _tried(self) -> int:
        """How many filters may fit in enough tasks.

        Others could not have been found, whatever was chosen (R. E. Tarone, "A modified Bonferroni
        method for discrete data", 1990).
        """
        return sum(len(tasks) >= self._support for tasks in self._may_fit.values())


def _filters_of_that_size(place: ChoicePlace, item: int, chosen: Chosen) -> Iterator[Computed]:
    """Yield the filters that tell as many rows of a place as were chosen, be it others."""
    rows = [*place.rows.kept, *place.rows.left]
    cells = [canonical(value_at(row, chosen.cell)) for row in rows]
    arguments = [*_arguments(place.window, item)]
    for key in place.rows.keys(chosen.cell):
        inputs = chosen.rows_at, Constant(key)
        told: defaultdict[bool, set[str]] = defaultdict(set)
        equal: defaultdict[Json, set[str]] = defaultdict(set)
        for row, cell in zip(rows, cells, strict=True):
            value = row[key]
            told[bool(value)].add(cell)
            if is_word(value):
                equal[value].add(cell)
        for is_true, some in told.items():
            if len(some) == place.choice.chosen:
                yield Computed("rows_with" if is_true else "rows_without", inputs)
        for word, some in equal.items():
            if len(some) == place.choice.chosen:
                for wish in (Constant(word), *(origin for origin, it in arguments if it == word)):
                    yield Computed("rows_where", (*inputs, wish))


def _arguments(window: Window, item: int) -> Iterator[tuple[Origin, Json]]:
    """Yield what single calls before an item were given."""
    for number in range(item):
        if not window.items[number].is_loop:
            for name, told in window.arguments(number).items():
                yield given(number, name), told
