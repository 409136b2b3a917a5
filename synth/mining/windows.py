"""Calls of one run that may be an occurrence of a plan, and what their arguments may come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.call_log import INSTEAD, CallLog, WindowItem
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.extent import Unit
from toolguild.synth.mining.loops import LoopReading, given
from toolguild.synth.plans import (
    EVALUATION_ERRORS,
    Computed,
    FromResult,
    Scope,
    evaluate,
    value_at,
)
from toolguild.synth.traces import ToolCall

__all__ = ["Derivation", "ItemKind", "SameAs", "Shape", "Window", "item_kind"]


@dataclass(frozen=True, slots=True)
class SameAs:
    """The value was an argument of an earlier call of the window."""

    item: int
    argument: str


ItemKind: TypeAlias = tuple[str, tuple[str, ...], bool]
"""Of an item of a window: the tool, its arguments' names, and whether it is a loop."""
Shape: TypeAlias = tuple[ItemKind, ...]
Derivation: TypeAlias = FromResult | SameAs | Computed


def item_kind(log: CallLog, item: WindowItem) -> ItemKind:
    """Return what an item must share with another to be compared."""
    return *log.signature(item), item.is_loop


@dataclass(eq=False, slots=True)
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

    def shape(self) -> Shape:
        """Return what windows must share to be compared: tools, loops and argument names."""
        return tuple(item_kind(self.log, item) for item in self.items)

    @property
    def size(self) -> int:
        """How many calls there are in it, those that failed included."""
        return sum(len(item.calls) + item.is_instead for item in self.items)

    @property
    def units(self) -> frozenset[Unit]:
        """The parts of the trace that its calls are."""
        return frozenset(unit for item in self.items for unit in self.log.units(item))

    @property
    def characters(self) -> int:
        """What the agent wrote for the calls."""
        return sum(self.log.characters(item) for item in self.items)

    def calls(self, item: int) -> tuple[ToolCall, ...]:
        """Return the recorded calls of an item, one that failed included."""
        if self.items[item].is_instead:
            return tuple(self.attempts(item))
        return tuple(self.log.calls[position] for position in self.items[item].calls)

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

    def goes_over(self, item: int, reading: LoopReading) -> bool:
        """Say whether the calls of an item are a loop over what is computed, in any order."""
        wanted = {canonical(call.arguments[reading.argument]) for call in self.calls(item)}
        try:
            rows = evaluate(reading.over, self._scope)
            items = rows if isinstance(rows, list) else []
            return {canonical(value_at(row, reading.cell)) for row in items} == wanted
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
        return self.log.acts_on_an_answer(self.items[0].calls[0], self.items[-1].calls[-1])
