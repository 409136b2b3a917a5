"""Cutting one trace into candidate sequences of calls, with loops recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.dataflow import KnownText, ResultIndex, canonical
from toolguild.synth.mining.loops import Earlier, LoopReading, given, loop_readings
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.version_space import Known, computations
from toolguild.synth.plans import EVALUATION_ERRORS, Computed, FromResult, Scope, evaluate
from toolguild.synth.traces import ToolCall, Trace

__all__ = [
    "INSTEAD",
    "CallLog",
    "Derivation",
    "SameAs",
    "Window",
    "WindowItem",
    "believed_read_only",
]

_READING_VERBS = frozenset(
    """
    calculate check compute count describe display fetch find get grep head inspect list lookup
    ls peek query read retrieve search show sum tail validate verify view
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_WRITING_VERBS = frozenset(
    """
    add append apply book buy cancel clear close create delete drop edit insert make modify move
    open order pay place post put remove rename replace reset save send set submit transfer update
    upload write
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


@lru_cache(maxsize=4096)
def believed_read_only(tool: str) -> bool:
    """Guess from the verb in its name whether a tool only reads.

    The verb may come second, after what it is about (`user_search`), but not after another verb
    (`delete_list`). Used to decide which recorded sequences may be taken as one, never to permit
    anything.
    """
    first, *rest = re.split(r"[_.-]|(?<=[a-z0-9])(?=[A-Z])", tool)
    words = [first.lower(), *(word.lower() for word in rest[:1])]
    return words[0] not in _WRITING_VERBS and any(word in _READING_VERBS for word in words)


@dataclass(frozen=True, slots=True)
class SameAs:
    """The value was an argument of an earlier call of the window."""

    item: int
    argument: str


INSTEAD = "~"
"""Before the name of an argument of a call that was made instead of one that failed. It comes after
all letters, so that what failed is explained first."""

Derivation: TypeAlias = FromResult | SameAs | Computed


@dataclass(frozen=True, slots=True)
class WindowItem:
    """A single call, or a run of calls of one tool that goes over a list."""

    calls: tuple[int, ...]
    """Positions in the call log."""
    readings: frozenset[LoopReading] = frozenset()
    """Every way to read the run as a loop; empty for a single call."""
    is_instead: bool = False
    """Whether the call was made instead of one that had failed."""

    @property
    def is_loop(self) -> bool:
        """Whether the item is a loop."""
        return bool(self.readings)


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive calls of one trace that may be an occurrence of a plan."""

    log: CallLog
    items: tuple[WindowItem, ...]
    _texts: dict[tuple[int, str], str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _derived: dict[tuple[int, str], set[FromResult | SameAs]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was found once: each flow that is tried asks again."""

    def shape(self) -> tuple[tuple[str, bool, tuple[str, ...]], ...]:
        """Return what windows must share to be compared: tools, loops and argument names."""
        return tuple(
            (
                INSTEAD.join(call.tool for call in self.log.attempts(item)),
                item.is_loop,
                tuple(sorted(self.log.given_to(item))),
            )
            for item in self.items
        )

    def first_call(self, item: int) -> ToolCall:
        """Return the first recorded call of an item."""
        return self.log.calls[self.items[item].calls[0]]

    def attempts(self, item: int) -> list[ToolCall]:
        """Return an item's first call, after the one that it was made instead of."""
        return self.log.attempts(self.items[item])

    def arguments(self, item: int) -> JsonObject:
        """Return the arguments of an item's first call.

        Where one was made instead of another, those of both: of the one that failed by their
        names, and of the other with `INSTEAD` before.
        """
        return self.log.given_to(self.items[item])

    def argument(self, slot: tuple[int, str]) -> Json:
        """Return the value of an argument of an item's first call."""
        item, argument = slot
        return self.arguments(item)[argument]

    def text(self, slot: tuple[int, str]) -> str:
        """Return the same in canonical form."""
        if slot not in self._texts:
            self._texts[slot] = canonical(self.argument(slot))
        return self._texts[slot]

    def derivations(self, item: int, argument: str) -> set[FromResult | SameAs]:
        """Return everything before the call that the argument's value equals here."""
        slot = item, argument
        if slot not in self._derived:
            self._derived[slot] = self._derivations(item, argument)
        return self._derived[slot]

    def _derivations(self, item: int, argument: str) -> set[FromResult | SameAs]:
        value = self.arguments(item)[argument]
        found: set[FromResult | SameAs] = set()
        if argument.startswith(INSTEAD):
            own = self.arguments(item).items()
            found.update(
                SameAs(item, name)
                for name, told in own
                if told == value and not name.startswith(INSTEAD)
            )
        for earlier in range(item):
            if self.items[earlier].is_loop:
                continue
            index = self.log.index(self.items[earlier].calls[0])
            found.update(FromResult(earlier, path) for path in index.paths_to(value))
            arguments = self.arguments(earlier)
            found.update(SameAs(earlier, name) for name in arguments if arguments[name] == value)
        return found

    def computations(self, item: int, argument: str) -> frozenset[Computed]:
        """Return the ways to compute the argument's value from what was before the call."""
        return self.log.computations(self.items[:item], self.items[item], argument)

    def follows(self, slot: tuple[int, str], derivation: Derivation) -> bool:
        """Say whether an argument's value is what a derivation gives here."""
        if not isinstance(derivation, Computed):
            return derivation in self.derivations(*slot)
        try:
            return evaluate(derivation, self._scope) == self.argument(slot)
        except EVALUATION_ERRORS:
            return False

    @property
    def results(self) -> list[Json]:
        """What each item returned: of a loop, a list."""
        found: list[Json] = []
        for item in self.items:
            results = [self.log.calls[position].result for position in item.calls]
            found.append(results if item.is_loop else results[0])
        return found

    @property
    def _scope(self) -> Scope:
        """Everything in the window, with the arguments of calls under names of their own."""
        bindings = {
            given(number, name).name: value
            for number, item in enumerate(self.items)
            if not item.is_loop
            for name, value in self.arguments(number).items()
        }
        return Scope(bindings, self.results)

    def knew_beforehand(self, item: int, argument: str) -> bool:
        """Say whether the agent could have given the value before the first call."""
        if item == 0 and not argument.startswith(INSTEAD):
            return True
        return self.log.knew_before(self.arguments(item)[argument], self.items[0])

    def acts_on_an_answer(self) -> bool:
        """Say whether the user spoke between the calls and a writing call came after it.

        What the user says may be a consent; a tool must not write before it was given.
        """
        first = self.items[0].calls[0]
        spoken = min((place for place in self.log.spoken if place > first), default=None)
        return spoken is not None and any(
            position >= spoken and not believed_read_only(self.log.calls[position].tool)
            for item in self.items
            for position in item.calls
        )


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
        self._instead_of: dict[int, tuple[ToolCall, int]] = {}
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
        start = 0
        while start < len(self.calls):
            size, turns = max(
                ((size, self._turns(start, size)) for size in (2, 3)), key=lambda one: one[1]
            )
            end = start + size * turns
            if turns > 1:
                order = [start + turn * size + one for one in range(size) for turn in range(turns)]
                self.calls[start:end] = [self.calls[position] for position in order]
                self.moments[start:end] = [self.moments[position] for position in order]
            start = end if turns > 1 else start + 1

    def _turns(self, start: int, size: int) -> int:
        """Count how often the next calls are made again and again without anything between."""
        block = [self._signature(position) for position in range(start, start + size)]
        if None in block or len({*block}) < size:
            return 0
        end = start + size
        while [self._signature(position) for position in range(end, end + size)] == block:
            end += size
        cut = {*self._breaks, *self._retries, *self.spoken}
        stop = next((place for place in range(start + 1, end) if place in cut), end)
        return (stop - start) // size

    def _signature(self, position: int) -> tuple[str, frozenset[str]] | None:
        """Return what calls of one loop have in common; None for a call that may write."""
        if position >= len(self.calls) or not self._reads(position):
            return None
        call = self.calls[position]
        return call.tool, frozenset(call.arguments)

    def _add(self, call: ToolCall) -> None:
        if call.tool.lower() in self._settings.ignored_tools:
            return
        if call.error is None:
            self._note_failures(call)
            self.moments.append(self.known.moment())
            self.calls.append(call)
        else:
            self._failed.append((call, self.known.moment()))
        self.known.add(call.result)

    @property
    def may_hold_patterns(self) -> bool:
        """Whether there is more in it than one call."""
        return len(self.calls) > 1 or bool(self._instead_of)

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
                self._instead_of[position] = self._failed[0]
        elif self._failed:
            # What failed and was tried again is as good as not called.
            self._retries.add(position)
        self._failed.clear()

    def attempts(self, item: WindowItem) -> list[ToolCall]:
        """Return an item's first call, after the one that it was made instead of."""
        failed = [self._instead_of[item.calls[0]][0]] if item.is_instead else []
        return [*failed, self.calls[item.calls[0]]]

    def given_to(self, item: WindowItem) -> JsonObject:
        """Return what the attempts of an item were given (see `Window.arguments`)."""
        *failed, call = self.attempts(item)
        if not failed:
            return call.arguments
        instead = {f"{INSTEAD}{name}": value for name, value in call.arguments.items()}
        return {**failed[0].arguments, **instead}

    def knew(self, value: Json, position: int) -> bool:
        """Say whether a value could be given before the call at a position was made."""
        given = self.calls[position].arguments.values()
        return value in given or self.known.knew(value, self.moments[position])

    def knew_before(self, value: Json, item: WindowItem) -> bool:
        """Say whether a value could be given before the first attempt of an item was made."""
        position = item.calls[0]
        if not item.is_instead:
            return self.knew(value, position)
        failed, moment = self._instead_of[position]
        return value in failed.arguments.values() or self.known.knew(value, moment)

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each run of calls of one tool with the same arguments' names.

        A failed call ends a run: the next one may be a retry.
        """
        yield from ((start, end) for start, end in enumerate(self._runs) if end is not None)

    def index(self, position: int) -> ResultIndex:
        """Return the index of one call's result."""
        if position not in self._indexes:
            self._indexes[position] = ResultIndex(self.calls[position].result)
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

    def windows(self) -> Iterator[Window]:
        """Yield every window of two items or more, a run of calls read both ways.

        A window takes a run of one tool whole or not at all: part of a loop over a list is not
        a pattern of its own. Between its items there may be calls that only read and have nothing
        to do with what came before, if what comes after them only reads, too, and has: it could as
        well have been called before them.
        """
        for start, run_end in enumerate(self._runs):
            if run_end is not None:
                yield from self._grow((WindowItem((start,)),), start + 1)
        for start in self._instead_of:
            first = (WindowItem((start,), is_instead=True),)
            yield Window(self, first)
            yield from self._grow(first, start + 1)

    def _grow(
        self, items: tuple[WindowItem, ...], position: int, *, left_out: int = 0
    ) -> Iterator[Window]:
        if position == len(self.calls) or len(items) == self._settings.max_items:
            return
        if position in self._instead_of and not left_out:
            grown = (*items, WindowItem((position,), is_instead=True))
            yield Window(self, grown)
            yield from self._grow(grown, position + 1)
        if self._ends_at(position):
            return
        for item, following in self._next_items(items, position):
            grown = (*items, item)
            if left_out and not (self._reads(position) and self._is_linked(grown)):
                continue
            if self._ends_at(following) or self._runs[following] is not None:
                yield Window(self, grown)
            yield from self._grow(grown, following, left_out=left_out)
        end = self._runs[position]
        if end is not None and left_out < self._settings.max_left_out:
            between = WindowItem(tuple(range(position, end)))
            if self._reads(position) and not self._is_linked((*items, between)):
                yield from self._grow(items, end, left_out=left_out + 1)

    def _ends_at(self, position: int) -> bool:
        return position == len(self.calls) or position in self._breaks

    def _next_items(
        self, items: tuple[WindowItem, ...], position: int
    ) -> Iterator[tuple[WindowItem, int]]:
        """Yield the ways to take what is called next, and where that ends."""
        end = self._runs[position]
        if end is not None:
            readings = self._loop_readings(items, position, end)
            if readings:
                yield WindowItem(tuple(range(position, end)), readings), end
        if not self._third_in_a_row(items, position):
            yield WindowItem((position,)), position + 1

    def _reads(self, position: int) -> bool:
        return believed_read_only(self.calls[position].tool)

    def _is_linked(self, items: tuple[WindowItem, ...]) -> bool:
        """Say whether a call of the last item was given something that stands in those before."""
        last = items[-1]
        if last.is_loop:
            return True
        return any(
            Window(self, (*items[:-1], WindowItem((position,)))).derivations(len(items) - 1, name)
            for position in last.calls
            for name in self.calls[position].arguments
        )

    def _third_in_a_row(self, items: tuple[WindowItem, ...], position: int) -> bool:
        """Say whether a single call would be the third of its tool: a loop not understood."""
        tool = self.calls[position].tool
        return len(items) >= 2 and all(
            self.calls[item.calls[-1]].tool == tool for item in items[-2:]
        )

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
                and self.calls[end].tool == self.calls[start].tool
                and self.calls[end].arguments.keys() == self.calls[start].arguments.keys()
            ):
                end += 1
            runs[start] = end
            start = end
        return runs

    def _loop_readings(
        self, items: tuple[WindowItem, ...], start: int, end: int
    ) -> frozenset[LoopReading]:
        earlier = [
            Earlier(
                [self.index(position) for position in item.calls],
                item.is_loop,
                {} if item.is_loop else self.given_to(item),
            )
            for item in items
        ]
        return loop_readings(self.calls[start:end], earlier)
