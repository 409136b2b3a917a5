"""The calls of one run, in the order in which a pattern may make them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.dataflow import KnownText, ResultIndex, canonical
from toolguild.synth.mining.extent import Unit, unit_of
from toolguild.synth.mining.loops import Reading, given
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.mining.version_space import Known, computations
from toolguild.synth.plans import Computed, FromResult
from toolguild.synth.traces import ToolCall, Trace

__all__ = ["INSTEAD", "CallLog", "Kind", "WindowItem"]

INSTEAD = "~"
"""Before the name of an argument of a call that was made instead of one that failed. It comes after
all letters, so that what failed is explained first."""


Kind: TypeAlias = tuple[str, frozenset[str]]
"""Of a call: the tool, and its arguments' names."""


@dataclass(frozen=True, slots=True)
class WindowItem:
    """A single call, or a run of calls of one tool that goes over a list."""

    calls: tuple[int, ...]
    """Positions in the call log."""
    readings: frozenset[Reading] = frozenset()
    """Every way to read the run as a loop; empty for a single call."""
    is_instead: bool = False
    """Whether the call was made instead of one that had failed."""

    @property
    def is_loop(self) -> bool:
        """Whether the item is a loop."""
        return bool(self.readings)


class CallLog:
    """The calls of one trace that a sequence may be made of."""

    def __init__(self, trace: Trace, settings: MiningSettings) -> None:
        self.trace_id = trace.id
        self.task_id = trace.task.id
        self.calls: list[ToolCall] = []
        self.known = KnownText()
        self.moments: list[int] = []
        """What was known when each call was made."""
        self.spoken: set[int] = set()
        """Positions before which the user spoke, be it at a step that is not among the calls."""
        self._settings = settings
        self._indexes: dict[int, ResultIndex] = {}
        self._computations: dict[
            tuple[tuple[WindowItem, ...], WindowItem, str], frozenset[Computed]
        ] = {}
        self._breaks: set[int] = set()
        """Positions before which a window may not reach across."""
        self._failed: list[tuple[ToolCall, int]] = []
        """The last calls, which failed, and what was known when they were made."""
        self.instead_of: dict[int, tuple[ToolCall, int]] = {}
        """The same for calls that were made instead of one that failed, by their positions."""
        self._retries: set[int] = set()
        """Positions of calls that had failed before."""
        self.known.add(trace.task.text)
        for step in trace.steps:
            self.known.add(step.heard)
            if step.heard:
                self.spoken.add(len(self.calls))
            if isinstance(step, ToolCall):
                self._add(step)
            else:
                # Code that the agent ran may have done anything.
                self._breaks.add(len(self.calls))
                self.known.add(step.result)
        self._group_turns()

    def _group_turns(self) -> None:
        """Put calls that were made in turns (A, B, A, B) in the order of a loop for each tool.

        Only where all of them read: it is the same then in whatever order they are made.
        """
        kinds = [_kind(call) if self.reads(at) else None for at, call in enumerate(self.calls)]
        start = 0
        while start < len(self.calls):
            size, turns = max(
                ((size, self._turns(kinds, start, size)) for size in (2, 3)),
                key=lambda one: one[1],
            )
            end = start + size * turns
            if turns > 1:
                order = [start + turn * size + one for one in range(size) for turn in range(turns)]
                self.calls[start:end] = [self.calls[position] for position in order]
                self.moments[start:end] = [self.moments[position] for position in order]
            start = end if turns > 1 else start + 1

    def _turns(self, kinds: Sequence[Kind | None], start: int, size: int) -> int:
        """Count how often the next calls are made again and again without anything between."""
        block = kinds[start : start + size]
        end = start + size
        if kinds[end : end + size] != block or None in block or len({*block}) < size:
            return 0
        while kinds[end : end + size] == block:
            end += size
        cut = {*self._breaks, *self._retries, *self.spoken}
        stop = next((place for place in range(start + 1, end) if place in cut), end)
        return (stop - start) // size

    @cached_property
    def kinds(self) -> list[Kind]:
        """What calls of one loop have in common."""
        return [*map(_kind, self.calls)]

    def _add(self, call: ToolCall) -> None:
        if call.tool.lower() in self._settings.ignored_tools:
            return
        if any(name.startswith(INSTEAD) for name in call.arguments):
            # No plan can say this name, and nothing is taken as one across what no plan can do.
            self._breaks.add(len(self.calls))
            self._failed.clear()
        elif call.error is None:
            self._note_failures(call)
            self.moments.append(self.known.moment())
            self.calls.append(call)
        else:
            self._failed.append((call, self.known.moment()))
        self.known.add(call.result)

    @property
    def may_hold_patterns(self) -> bool:
        """Whether there is more in it than one call."""
        return len(self.calls) > 1 or bool(self.instead_of)

    def _note_failures(self, call: ToolCall) -> None:
        """Note what failed right before a call that did not, and what that makes of the call."""
        position = len(self.calls)
        if {failed.tool for failed, _ in self._failed} - {call.tool}:
            # Nothing is taken as one across it, unless the call is what is made instead.
            self._breaks.add(position)
            [(failed, _), *others] = self._failed
            # What to do where a write fails is the agent's to judge.
            both_read = believed_read_only(failed.tool) and believed_read_only(call.tool)
            if both_read and not others and not call.heard:
                self.instead_of[position] = self._failed[0]
        elif self._failed:
            # What failed and was tried again is as good as not called.
            self._retries.add(position)
        self._failed.clear()

    def attempts(self, item: WindowItem) -> list[ToolCall]:
        """Return an item's first call, after the one that it was made instead of."""
        failed = [self.instead_of[item.calls[0]][0]] if item.is_instead else []
        return [*failed, self.calls[item.calls[0]]]

    def given_to(self, item: WindowItem) -> JsonObject:
        """Return what the attempts of an item were given (see `Window.arguments`)."""
        *failed, call = self.attempts(item)
        if not failed:
            return call.arguments
        instead = {f"{INSTEAD}{name}": value for name, value in call.arguments.items()}
        return {**failed[0].arguments, **instead}

    def signature(self, item: WindowItem) -> tuple[str, tuple[str, ...]]:
        """Return what was called by an item, and the names of what it was given, sorted."""
        tools = INSTEAD.join(call.tool for call in self.attempts(item))
        return tools, tuple(sorted(self.given_to(item)))

    def characters(self, item: WindowItem) -> int:
        """Count what the agent wrote for the calls of an item: names and arguments."""
        written = sum(self._characters[position] for position in item.calls)
        if item.is_instead:
            failed, _ = self.instead_of[item.calls[0]]
            written += _written(failed)
        return written

    @cached_property
    def _characters(self) -> list[int]:
        return [*map(_written, self.calls)]

    def units(self, item: WindowItem) -> list[Unit]:
        """Return the parts of the trace that the calls of an item are."""
        units = [self._units[position] for position in item.calls]
        if item.is_instead:
            failed, _ = self.instead_of[item.calls[0]]
            units.append(unit_of(self.trace_id, failed))
        return units

    @cached_property
    def _units(self) -> list[Unit]:
        return [unit_of(self.trace_id, call) for call in self.calls]

    def knew(self, value: Json, position: int) -> bool:
        """Say whether a value could be given before the call at a position was made."""
        given = self.calls[position].arguments.values()
        return value in given or self.known.knew(value, self.moments[position])

    def knew_before(self, value: Json, item: WindowItem) -> bool:
        """Say whether a value could be given before the first attempt of an item was made."""
        position = item.calls[0]
        if not item.is_instead:
            return self.knew(value, position)
        failed, moment = self.instead_of[position]
        return value in failed.arguments.values() or self.known.knew(value, moment)

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each run of calls of one tool with the same arguments' names.

        A failed call ends a run: the next one may be a retry.
        """
        yield from ((start, end) for start, end in enumerate(self._runs) if end is not None)

    def run_end(self, position: int) -> int | None:
        """Return the end of the run that starts at a position; None inside of one."""
        return self._runs[position]

    def ends_at(self, position: int) -> bool:
        """Say whether nothing is taken as one across a position."""
        return position == len(self.calls) or position in self._breaks

    def index(self, position: int) -> ResultIndex:
        """Return the index of one call's result."""
        if position not in self._indexes:
            result = self.calls[position].result
            # What was known when a call was made ends before its result.
            text = None if isinstance(result, str) else self.known.text(self.moments[position])
            self._indexes[position] = ResultIndex(result, text)
        return self._indexes[position]

    def computations(
        self, earlier: tuple[WindowItem, ...], item: WindowItem, argument: str
    ) -> frozenset[Computed]:
        """Return the ways to compute an argument of a call from what other calls took and gave.

        Args:
            earlier: The items of a window before it.
            item: The call.
            argument: One of its arguments.
        """
        key = earlier, item, argument
        if key not in self._computations:
            value = self.given_to(item)[argument]
            self._computations[key] = frozenset(computations(value, [*self._known(earlier)]))
        return self._computations[key]

    def _known(self, earlier: tuple[WindowItem, ...]) -> Iterator[Known]:
        for number, item in enumerate(earlier):
            if item.is_loop:
                yield FromResult(number, ()), [self.calls[one].result for one in item.calls]
                continue
            [position] = item.calls
            for name, value in self.given_to(item).items():
                yield given(number, name), value
            for path, value in self.index(position).parts():
                yield FromResult(number, path), value

    def acts_on_an_answer(self, first: int, last: int) -> bool:
        """Say whether the user spoke after one call and one that may write followed, up to another.

        Calls that are left out of a window only read, so this is said of any window between them.
        """
        acts = self._acts_on_an_answer[first]
        return acts is not None and acts <= last

    @cached_property
    def _acts_on_an_answer(self) -> list[int | None]:
        """For each position, the first call that may write after the next word of the user's."""
        found: list[int | None] = []
        writes: int | None = None
        acts: int | None = None
        for position in reversed(range(len(self.calls))):
            found.append(acts)
            if not self.reads(position):
                writes = position
            if position in self.spoken:
                acts = writes
        return found[::-1]

    def reads(self, position: int) -> bool:
        """Say whether the call at a position is believed to change nothing."""
        return believed_read_only(self.calls[position].tool)

    @cached_property
    def _runs(self) -> list[int | None]:
        """For each position, the end of the run of one tool that starts there; None inside one."""
        runs: list[int | None] = [None] * len(self.calls)
        start = 0
        while start < len(self.calls):
            end = start + 1
            while (
                end < len(self.calls)
                and end not in self._breaks | self._retries
                and self.kinds[end] == self.kinds[start]
            ):
                end += 1
            runs[start] = end
            start = end
        return runs


def _kind(call: ToolCall) -> Kind:
    return call.tool, frozenset(call.arguments)


def _written(call: ToolCall) -> int:
    return len(call.tool) + len(canonical(call.arguments))
