"""Reading a run of calls of one tool as a loop over a list in an earlier result, or part of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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

__all__ = ["Earlier", "LoopReading", "given", "loop_readings", "values_per_turn"]

_MAX_KEYS = 20
_MAX_WORD = 40
"""Characters of a text that rows are chosen by."""


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
) -> frozenset[LoopReading]:
    """Return the ways to read a run of calls as a loop over what was there before.

    Args:
        per_turn: Its `values_per_turn`.
        earlier: The items of the window before the run.
    """
    return frozenset(
        LoopReading(over, argument, cell)
        for argument, wanted in per_turn.items()
        for number, item in enumerate(earlier)
        for over, cell in _lists(number, item, wanted, earlier)
    )


def _lists(
    number: int, item: Earlier, wanted: frozenset[str], earlier: Sequence[Earlier]
) -> Iterator[tuple[FromResult | Computed, JsonPath]]:
    if item.is_loop:
        yield from _lists_of_all(number, item, wanted)
        return
    for path, cell, values in item.indexes[0].columns_with(wanted):
        if values == wanted:
            yield FromResult(number, path), cell
        yield from _chosen(FromResult(number, path), cell, wanted, item.indexes[0], earlier)


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


def _chosen(
    rows_at: FromResult,
    cell: JsonPath,
    wanted: frozenset[str],
    index: ResultIndex,
    earlier: Sequence[Earlier],
) -> Iterator[tuple[Computed, JsonPath]]:
    """Yield what tells the rows with the wanted cells from all others."""
    rows = [row for row in index.list_at(rows_at.path) if isinstance(row, dict)]
    kept = [row for row in rows if canonical(value_at(row, cell)) in wanted]
    left = [row for row in rows if canonical(value_at(row, cell)) not in wanted]
    for key in list(rows[0])[:_MAX_KEYS] if rows else []:
        if key in cell or not all(key in row for row in rows):
            continue
        value = kept[0][key]
        if all(row[key] for row in kept) and not any(row[key] for row in left):
            yield Computed("rows_with", (rows_at, Constant(key))), cell
        if all(row[key] for row in left) and not any(row[key] for row in kept):
            yield Computed("rows_without", (rows_at, Constant(key))), cell
        same = all(row[key] == value for row in kept)
        if same and _is_word(value) and all(row[key] != value for row in left):
            for wish in (Constant(value), *_arguments_with(value, earlier)):
                yield Computed("rows_where", (rows_at, Constant(key), wish)), cell


def _is_word(value: Json) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _MAX_WORD
    return isinstance(value, int) and not isinstance(value, bool)


def _arguments_with(value: Json, earlier: Sequence[Earlier]) -> Iterator[Origin]:
    for number, item in enumerate(earlier):
        for name, told in item.arguments.items():
            if told == value:
                yield given(number, name)
