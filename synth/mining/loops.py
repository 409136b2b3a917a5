"""Reading a run of calls of one tool as a loop over a list in an earlier result, or part of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.dataflow import ResultIndex, canonical
from toolguild.synth.plans import (
    Computed,
    Constant,
    FromResult,
    JsonPath,
    Origin,
    Parameter,
    value_at,
)
from toolguild.synth.traces import ToolCall

__all__ = [
    "Chosen",
    "Earlier",
    "LoopReading",
    "Reading",
    "Rows",
    "given",
    "is_word",
    "loop_readings",
    "values_per_turn",
]

_MAX_KEYS = 20
"""Keys of a row that are asked whether they explain a choice."""
_MAX_WORD = 40
"""Characters of a text that rows are chosen by."""
_BY_KEY = ("rows_with", "rows_without", "rows_where")
"""Functions that choose rows by a key's truth, or by equality."""


@dataclass(frozen=True, slots=True)
class LoopReading:
    """One way to read a run of calls as a loop."""

    over: FromResult | Computed
    """The list: as it stands in a result, rows chosen from it, or the lists of several results."""
    argument: str
    """The argument that differs from call to call."""
    cell: JsonPath
    """Where its value stands in an item of the list."""

    @property
    def is_plain(self) -> bool:
        """Whether it goes over all of one list."""
        return isinstance(self.over, FromResult)

    @property
    def told(self) -> Chosen | None:
        """The choice of rows that it tells by a key's truth or an equality; else None."""
        match self.over:
            case Computed(function, (FromResult() as rows_at, *_)) if function in _BY_KEY:
                return Chosen(rows_at, self.argument, self.cell)
        return None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run of calls went over some rows of a list and left out others, for whatever reason.

    What one place tells of a bound does not explain anything yet. Many places together may
    (`comparisons`), and those that they do not explain speak against it.
    """

    rows_at: FromResult
    """The list."""
    argument: str
    """The argument that differs from call to call."""
    cell: JsonPath
    """Where its value stands in a row."""

    def is_read_in(self, readings: Set[Reading]) -> bool:
        """Say whether a run, by its readings, went over rows of the list, be it all of them."""
        return self in readings or LoopReading(self.rows_at, self.argument, self.cell) in readings


Reading: TypeAlias = LoopReading | Chosen


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a loop may go over: the results of an item of a window before it."""

    indexes: Sequence[ResultIndex]
    """One for a call, one for each turn of a loop."""
    is_loop: bool
    arguments: JsonObject
    """What its call was given; of a loop, nothing."""


def given(item: int, argument: str) -> Parameter:
    """Return what stands, while a plan is being inferred, for an argument of an earlier call."""
    return Parameter(f"{item}.{argument}")


def values_per_turn(calls: Sequence[ToolCall]) -> dict[str, frozenset[str]]:
    """Return the arguments that a loop may give to each turn, and their values.

    That is the one that varies, or where none does, as in a single turn, any of them. Where several
    vary it is no loop.

    Args:
        calls: A run of calls of one tool, with the same arguments' names.

    Returns:
        The values of each such argument, in canonical form.
    """
    values = {
        name: frozenset(canonical(call.arguments[name]) for call in calls)
        for name in calls[0].arguments
    }
    varying = {name: given for name, given in values.items() if len(given) > 1}
    if len(varying) > 1:
        return {}
    return varying or values


def loop_readings(
    per_turn: Mapping[str, frozenset[str]], earlier: Sequence[Earlier]
) -> frozenset[Reading]:
    """Return the ways to read a run of calls as a loop over what was there before.

    Args:
        per_turn: Its `values_per_turn`.
        earlier: The items of the window before the run.
    """
    return frozenset(
        reading
        for argument, wanted in per_turn.items()
        for number, item in enumerate(earlier)
        for reading in _readings(number, item, argument, wanted, earlier)
    )


def _readings(
    number: int,
    item: Earlier,
    argument: str,
    wanted: frozenset[str],
    earlier: Sequence[Earlier],
) -> Iterator[Reading]:
    if item.is_loop:
        for over, cell in _lists_of_all(number, item, wanted):
            yield LoopReading(over, argument, cell)
        return
    for path, cell, values in item.indexes[0].columns_with(wanted):
        rows_at = FromResult(number, path)
        if values == wanted:
            yield LoopReading(rows_at, argument, cell)
        rows = Rows.of(item.indexes[0], path, cell, wanted)
        for how in _explained(rows_at, cell, rows, earlier):
            yield LoopReading(how, argument, cell)
        if rows.left:
            yield Chosen(rows_at, argument, cell)


def _lists_of_all(
    number: int, item: Earlier, wanted: frozenset[str]
) -> Iterator[tuple[FromResult | Computed, JsonPath]]:
    """Yield what a loop returned: each result an item, or all lists at one place in them."""
    yield from _cells_of_all(number, item, wanted)
    for path, cell, _ in item.indexes[0].columns_of(wanted):
        parts = [index.column_at(path, cell) for index in item.indexes]
        if set().union(*(part or () for part in parts)) == wanted and None not in parts:
            keys = tuple(Constant(part) for part in path)
            yield Computed("flattened", (FromResult(number, ()), *keys)), cell


def _cells_of_all(
    number: int, item: Earlier, wanted: frozenset[str]
) -> Iterator[tuple[FromResult, JsonPath]]:
    for path, value in item.indexes[0].cells.items():
        if value in wanted and {index.cells.get(path) for index in item.indexes} == wanted:
            yield FromResult(number, ()), path


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a list, by whether a run of calls went over them."""

    kept: Sequence[JsonObject]
    left: Sequence[JsonObject]

    @classmethod
    def of(cls, index: ResultIndex, path: JsonPath, cell: JsonPath, wanted: Set[str]) -> Rows:
        """Return the rows of a list in a result.

        Args:
            index: The result.
            path: Where the list stands in it.
            cell: What stands in each row and was passed on, if wanted.
            wanted: What was passed on, in canonical form.
        """
        kept: list[JsonObject] = []
        left: list[JsonObject] = []
        for row in index.list_at(path):
            if isinstance(row, dict):
                (kept if canonical(value_at(row, cell)) in wanted else left).append(row)
        return cls(kept, left)

    def keys(self, cell: JsonPath) -> list[str]:
        """Return the keys, not beyond the first twenty, that each row has beside a cell."""
        rows = (*self.kept, *self.left)
        some = list(rows[0])[:_MAX_KEYS] if rows else []
        return [key for key in some if key not in cell and all(key in row for row in rows)]


def _explained(
    rows_at: FromResult, cell: JsonPath, rows: Rows, earlier: Sequence[Earlier]
) -> Iterator[Computed]:
    """Yield what tells the rows with the wanted cells from all others."""
    kept, left = rows.kept, rows.left
    for key in rows.keys(cell):
        value = kept[0][key]
        if all(row[key] for row in kept) and not any(row[key] for row in left):
            yield Computed("rows_with", (rows_at, Constant(key)))
        if all(row[key] for row in left) and not any(row[key] for row in kept):
            yield Computed("rows_without", (rows_at, Constant(key)))
        same = all(row[key] == value for row in kept)
        if same and is_word(value) and all(row[key] != value for row in left):
            for wish in (Constant(value), *_arguments_with(value, earlier)):
                yield Computed("rows_where", (rows_at, Constant(key), wish))


def is_word(value: Json) -> bool:
    """Say whether rows may be chosen by equality with a value."""
    if isinstance(value, str):
        return 0 < len(value) <= _MAX_WORD
    return isinstance(value, int) and not isinstance(value, bool)


def _arguments_with(value: Json, earlier: Sequence[Earlier]) -> Iterator[Origin]:
    for number, item in enumerate(earlier):
        for name, told in item.arguments.items():
            if told == value:
                yield given(number, name)
