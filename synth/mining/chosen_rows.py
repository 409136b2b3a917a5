"""Places where agents chose among the rows of a list, and how many ways there were to choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, log

from toolguild.sandbox import Json
from toolguild.synth.mining.call_log import WindowItem
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.loops import Chosen, LoopReading, Rows
from toolguild.synth.mining.windows import Window
from toolguild.synth.plans import value_at

__all__ = ["Choice", "ChoicePlace", "choice_places", "choices_of", "told_choices"]

_MAX_RUNS = 3
"""Places looked at of one task: they resemble each other."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How many of some rows were chosen."""

    rows: int
    chosen: int

    @property
    def ways(self) -> float:
        """The logarithm of how many ways there are to choose as many."""
        return log(comb(self.rows, self.chosen))


@dataclass(frozen=True, slots=True)
class ChoicePlace:
    """A place where a loop goes over rows of a list."""

    window: Window
    rows: Rows
    choice: Choice

    @property
    def task(self) -> str:
        """The task that it comes from."""
        return self.window.log.task_id

    @property
    def is_telling(self) -> bool:
        """Whether rows were left out."""
        return bool(self.rows.left)

    def column(self, key: str) -> tuple[list[Json], list[Json]] | None:
        """Return what stands under a key in the rows that were chosen, and in those left out.

        None where a row lacks the key.
        """
        if not all(key in row for rows in (self.rows.kept, self.rows.left) for row in rows):
            return None
        return [row[key] for row in self.rows.kept], [row[key] for row in self.rows.left]


def choice_places(windows: Sequence[Window], item: int, chosen: Chosen) -> list[ChoicePlace]:
    """Return the places where rows of one list were chosen, be it all of them.

    Args:
        windows: Windows of one shape.
        item: The loop.
        chosen: From what, and by which cell.
    """
    return [*_places(windows, item, chosen)]


def _places(windows: Sequence[Window], item: int, chosen: Chosen) -> Iterator[ChoicePlace]:
    runs: Counter[str] = Counter()
    for window in windows:
        task = window.log.task_id
        if runs[task] < _MAX_RUNS and chosen.is_read_in(window.items[item].readings):
            runs[task] += 1
            wanted = {canonical(call.arguments[chosen.argument]) for call in window.calls(item)}
            index = window.log.index(window.items[chosen.rows_at.step].calls[0])
            rows = Rows.of(index, chosen.rows_at.path, chosen.cell, wanted)
            left = {canonical(value_at(row, chosen.cell)) for row in rows.left}
            yield ChoicePlace(window, rows, Choice(len(wanted) + len(left), len(wanted)))


def choices_of(item: WindowItem) -> set[Chosen]:
    """Return the lists that a loop chose rows from, leaving out others."""
    return {reading for reading in item.readings if isinstance(reading, Chosen)}


def told_choices(item: WindowItem) -> Iterator[tuple[Chosen, LoopReading]]:
    """Yield the choices that a key tells, by its truth or an equality, and the loops that do."""
    choices = choices_of(item)
    if choices:
        for reading in item.readings:
            if isinstance(reading, LoopReading) and reading.told in choices:
                yield reading.told, reading
