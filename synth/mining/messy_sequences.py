"""Calls that agents make one after another again and again, and that no plan explains.

What is taken must be possible at all: all that the calls were given is known before the first of
them, or stands in what the others brought, or is new. How the new comes about is not asked here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.dataflow import KnownText, canonical, is_traceable
from toolguild.synth.mining.episodes import Episode, EpisodeKind, RepeatedEpisode
from toolguild.synth.mining.extent import Saving, Unit, unit_of
from toolguild.synth.mining.opportunity import support_of
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.timeline import Timeline
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.traces import ToolCall

__all__ = ["messy_sequences", "written_characters"]

MAX_RUNS = 4
"""Tools one after another, each called once or several times in a row."""
MAX_CALLS = 12
MAX_EPISODES = 30
"""Episodes of one kind that are kept, of as many tasks as there are."""
MAX_PER_TASK = 2
MAX_FOUND = 12

Slot: TypeAlias = tuple[int, str]
"""An argument of the first call of one of the runs of a window."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Some calls in a row, which only read."""

    timeline: Timeline
    runs: tuple[tuple[int, int], ...]
    """The first and the last position of each run of calls of one tool."""

    @property
    def first(self) -> int:
        return self.runs[0][0]

    @property
    def calls(self) -> list[ToolCall]:
        return self.timeline.calls[self.first : self.runs[-1][1] + 1]

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(self.timeline.calls[first].tool for first, _ in self.runs)

    @property
    def units(self) -> frozenset[Unit]:
        return frozenset(unit_of(self.timeline.trace_id, call) for call in self.calls)

    def slots(self) -> dict[Slot, Json]:
        """Return what was given to the first call of each run."""
        return {
            (number, name): value
            for number, (first, _) in enumerate(self.runs)
            for name, value in self.timeline.calls[first].arguments.items()
        }


def messy_sequences(
    timelines: Iterable[Timeline], planned: Iterable[Set[Unit]], settings: MiningSettings
) -> list[RepeatedEpisode]:
    """Return what recurs, that first which would save most calls.

    Args:
        timelines: The runs.
        planned: The parts of them that one use of a plan takes up, for each such use.
        settings: Thresholds.
    """
    uses: defaultdict[Unit, list[Set[Unit]]] = defaultdict(list)
    for use in planned:
        for unit in use:
            uses[unit].append(use)
    windows: defaultdict[tuple[str, ...], list[_Window]] = defaultdict(list)
    for timeline in timelines:
        for window in _windows(timeline):
            windows[window.tools].append(window)
    found = [
        episodes
        for alike in windows.values()
        if _tasks(alike) >= settings.sequence_support and not _have_plan(alike, uses)
        if (episodes := _repeated(alike, settings)) is not None
    ]
    return _apart(sorted(found, key=_rank))


def _windows(timeline: Timeline) -> Iterator[_Window]:
    runs = [*_runs(timeline)]
    for start in range(len(runs)):
        for end in range(start + 1, min(start + MAX_RUNS, len(runs)) + 1):
            window = _Window(timeline, tuple(runs[start:end]))
            last = runs[end - 1][1]
            goes_on = end - start == 1 or runs[end - 2][1] + 1 == runs[end - 1][0]
            if not goes_on or not timeline.is_unbroken(window.first, last):
                break
            if 2 <= last - window.first + 1 <= MAX_CALLS:
                yield window


def _runs(timeline: Timeline) -> Iterator[tuple[int, int]]:
    """Yield where calls of one tool stand in a row that read and did not fail."""
    calls = timeline.calls
    start = 0
    while start < len(calls):
        end = start
        while end + 1 < len(calls) and _kind(calls[end + 1]) == _kind(calls[start]):
            end += 1
        if _kind(calls[start]) is not None:
            yield start, end
        start = end + 1


def _kind(call: ToolCall) -> str | None:
    return call.tool if call.error is None and believed_read_only(call.tool) else None


def _tasks(windows: Sequence[_Window]) -> int:
    return len({window.timeline.task_id for window in windows})


def _have_plan(windows: Sequence[_Window], uses: Mapping[Unit, Sequence[Set[Unit]]]) -> bool:
    """Say whether a plan takes up most of the windows as a whole."""
    served = 0
    for window in windows:
        units = window.units
        served += any(units <= use for use in uses.get(min(units), ()))
    return 2 * served > len(windows)


def _repeated(windows: Sequence[_Window], settings: MiningSettings) -> RepeatedEpisode | None:
    """Return windows with the same tools as episodes; None where nothing could be their tool."""
    windows = sorted(windows, key=_place)
    parameters = _parameters(windows, settings)
    constants = _constants(windows)
    possible = [window for window in windows if _is_possible(window, parameters, constants)]
    enough = settings.min_confidence * len(windows)
    derives = [window for window in possible if _derived(window, parameters)]
    if not parameters or len(possible) < enough or len(derives) < enough:
        return None
    kept = _kept(derives)
    if _tasks(kept) < settings.sequence_support:
        return None
    tools = windows[0].tools
    many = [any(one.runs[at][0] < one.runs[at][1] for one in kept) for at in range(len(tools))]
    return RepeatedEpisode(
        kind=EpisodeKind.SEQUENCE,
        about=" -> ".join(tools),
        wish="_then_".join(dict.fromkeys(tools)) if len({*tools}) > 1 else f"{tools[0]}_in_turn",
        occurrences=tuple(_episode(window, parameters, many) for window in kept),
        called_at=tools[0],
        takes={name: (tools[number], argument) for (number, argument), name in parameters.items()},
    )


def _parameters(windows: Sequence[_Window], settings: MiningSettings) -> dict[Slot, str]:
    """Return what a caller could give, with names: known before the first call, and not constant.

    Slots that hold the same value everywhere are one parameter.
    """
    slots = [window.slots() for window in windows]
    everywhere = [slot for slot in slots[0] if all(slot in given for given in slots)]
    names: dict[Slot, str] = {}
    columns: dict[str, Slot] = {}
    for slot in everywhere:
        column = [canonical(given[slot]) for given in slots]
        known = sum(
            window.timeline.knew(given[slot], window.first)
            for window, given in zip(windows, slots, strict=True)
        )
        if len({*column}) < 2 or known < settings.min_confidence * len(windows):
            continue
        if str(column) in columns:
            continue
        columns[str(column)] = slot
        name = (
            slot[1] if slot[1] not in names.values() else f"{windows[0].tools[slot[0]]}_{slot[1]}"
        )
        if name not in names.values():
            names[slot] = name
    return names


def _constants(windows: Sequence[_Window]) -> set[tuple[str, str]]:
    """Return the arguments, by tool and name, that are the same in every call."""
    values: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for window in windows:
        for call in window.calls:
            for name, value in call.arguments.items():
                values[call.tool, name].add(canonical(value))
    return {argument for argument, distinct in values.items() if len(distinct) == 1}


def _is_possible(
    window: _Window, parameters: Mapping[Slot, str], constants: Set[tuple[str, str]]
) -> bool:
    """Say whether nothing was used that was known before and is not handed over."""
    slots = window.slots()
    knew = window.timeline.knew
    if not all(knew(slots[slot], window.first) for slot in parameters):
        return False
    inside = KnownText()
    for slot in parameters:
        inside.add(slots[slot])
    for call in window.calls:
        for name, value in call.arguments.items():
            told = is_traceable(value) and (call.tool, name) not in constants
            if told and knew(value, window.first) and not inside.knew(value, inside.moment()):
                return False
        inside.add(call.arguments)
        inside.add(call.result)
    return True


def _derived(window: _Window, parameters: Mapping[Slot, str]) -> bool:
    """Say whether a later call was given something that the caller does not hand over."""
    slots = window.slots()
    given = {canonical(slots[slot]) for slot in parameters}
    given |= {canonical(value) for value in window.calls[0].arguments.values()}
    return any(
        canonical(value) not in given
        for call in window.calls[1:]
        for value in call.arguments.values()
    )


def _kept(windows: Sequence[_Window]) -> list[_Window]:
    """Return so many windows of as many tasks as there are, whatever their order."""
    by_task: defaultdict[str, list[_Window]] = defaultdict(list)
    for window in windows:
        by_task[window.timeline.task_id].append(window)
    tasks = sorted(by_task, key=lambda task: hashlib.sha256(task.encode()).hexdigest())
    kept = [one for task in tasks for one in by_task[task][:MAX_PER_TASK]]
    return sorted(kept[:MAX_EPISODES], key=_place)


def _place(window: _Window) -> tuple[str, int]:
    return window.timeline.trace_id, window.first


def _episode(window: _Window, parameters: Mapping[Slot, str], many: Sequence[bool]) -> Episode:
    slots = window.slots()
    given: JsonObject = {name: slots[slot] for slot, name in parameters.items()}
    calls = tuple(window.calls)
    return Episode(
        trace_id=window.timeline.trace_id,
        task_id=window.timeline.task_id,
        place=calls[0].place,
        given=given,
        calls=calls,
        value=_value(window, many),
        replaced=calls,
        saving=Saving(len(calls) - 1, written_characters(calls) - len(canonical(given))),
    )


def _value(window: _Window, many: Sequence[bool]) -> JsonObject:
    """Return what the calls returned, by their tools: a list where some run has several."""
    value: JsonObject = {}
    for tool, (first, last), is_list in zip(window.tools, window.runs, many, strict=True):
        results: list[Json] = [call.result for call in window.timeline.calls[first : last + 1]]
        key, number = tool, 2
        while key in value:
            key, number = f"{tool}_{number}", number + 1
        value[key] = results if is_list else results[0]
    return value


def written_characters(calls: Iterable[ToolCall]) -> int:
    """Count what an agent wrote for calls: names and arguments."""
    return sum(len(call.tool) + len(canonical(call.arguments)) for call in calls)


def _rank(found: RepeatedEpisode) -> tuple[int, int, str]:
    saved = sum(one.saving.calls for one in found.occurrences)
    return -saved, -support_of(found.occurrences), found.about


def _apart(found: Sequence[RepeatedEpisode]) -> list[RepeatedEpisode]:
    """Return those that are not, for the most part, within one that comes before."""
    taken: set[Unit] = set()
    kept: list[RepeatedEpisode] = []
    for one in found:
        inside = sum(bool(episode.units & taken) for episode in one.occurrences)
        if 2 * inside <= len(one.occurrences):
            kept.append(one)
            taken |= {unit for episode in one.occurrences for unit in episode.units}
    return kept[:MAX_FOUND]
