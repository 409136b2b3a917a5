"""Explaining where each argument of recurring calls comes from.

A version space for each argument, intersected over the places that a pattern claims: what holds in
too few of them is no explanation, and places without one are not claimed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import TypeAlias

from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.plan import (
    Constant,
    FromItem,
    FromResult,
    Origin,
    Parameter,
    render_path,
)
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Derivation, LoopReading, SameAs, Window

__all__ = ["Flow", "Slot", "flows_of", "parameter_names", "tasks_of"]

MAX_BRANCHES = 64
"""Data flows tried for one shape; each argument with a derivation in only some places doubles
them."""

Slot: TypeAlias = tuple[int, str]
"""Index of an item in a window, and the name of one of its arguments."""


def tasks_of(windows: Iterable[Window]) -> int:
    """Count the distinct tasks that windows come from."""
    return len({window.log.task_id for window in windows})


@dataclass(frozen=True, slots=True)
class Flow:
    """A reading of some windows of one shape: where each argument comes from."""

    windows: tuple[Window, ...]
    origins: dict[Slot, Origin] = field(default_factory=dict)
    loops: dict[int, LoopReading] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def keep(self, windows: Sequence[Window], reason: str) -> Flow:
        """Return the reading of fewer windows, counting the others under the reason."""
        dropped = self.dropped + Counter({reason: len(self.windows) - len(windows)})
        return replace(self, windows=tuple(windows), dropped=dropped)

    def with_origin(self, slot: Slot, origin: Origin) -> Flow:
        """Return the reading with one more argument explained."""
        return replace(self, origins={**self.origins, slot: origin})

    def column(self, slot: Slot) -> tuple[str, ...]:
        """Return the values of an argument in all windows, in canonical form."""
        item, argument = slot
        return tuple(
            canonical(window.first_call(item).arguments[argument]) for window in self.windows
        )


def flows_of(windows: Sequence[Window], settings: MiningSettings) -> Iterator[Flow]:
    """Yield the data flows that enough tasks support, by narrowing the windows slot by slot."""
    calm = [window for window in windows if not window.acts_on_an_answer()]
    flows = [Flow(tuple(windows)).keep(calm, "writes after the user spoke")]
    sample = windows[0]
    for item in range(len(sample.items)):
        if sample.items[item].is_loop:
            flows = [branch for flow in flows for branch in _loop_branches(flow, item, settings)]
        for argument in sorted(sample.first_call(item).arguments):
            slot = (item, argument)
            flows = [branch for flow in flows for branch in _slot_branches(flow, slot, settings)][
                :MAX_BRANCHES
            ]
    yield from filter(_connected, flows)


def _loop_branches(flow: Flow, item: int, settings: MiningSettings) -> Iterator[Flow]:
    """Yield one flow for each list that the loop goes over in enough tasks."""
    readings = Counter(
        reading for window in flow.windows for reading in window.items[item].readings
    )
    for reading in sorted(readings, key=lambda reading: (-readings[reading], str(reading))):
        held = [window for window in flow.windows if reading in window.items[item].readings]
        loops = any(len(window.items[item].calls) > 1 for window in held)
        if loops and tasks_of(held) >= settings.sequence_support:
            narrowed = flow.keep(held, f"does not go over the list at {reading.over}")
            yield replace(narrowed, loops={**flow.loops, item: reading})


def _slot_branches(flow: Flow, slot: Slot, settings: MiningSettings) -> Iterator[Flow]:
    """Yield the flows that explain one more argument: derived, constant, or given."""
    item, argument = slot
    loop = flow.loops.get(item)
    if loop is not None and loop.argument == argument:
        yield flow.with_origin(slot, FromItem(loop.cell))
        return
    derived = _best_derivation(flow, slot, settings)
    if derived is not None:
        held = [window for window in flow.windows if derived in window.derivations(item, argument)]
        reason = f"argument {argument} of call {item + 1} does not follow from {_words(derived)}"
        origin = (
            flow.origins[derived.item, derived.argument] if isinstance(derived, SameAs) else derived
        )
        yield flow.keep(held, reason).with_origin(slot, origin)
        if len(held) == len(flow.windows):
            return
    if len(set(flow.column(slot))) == 1 and item > 0:
        value = flow.windows[0].first_call(item).arguments[argument]
        yield flow.with_origin(slot, Constant(value))
        return
    known = [window for window in flow.windows if window.knew_beforehand(item, argument)]
    if tasks_of(known) >= settings.sequence_support:
        reason = f"argument {argument} of call {item + 1} was not known before the first call"
        yield flow.keep(known, reason).with_origin(slot, Parameter(argument))


def _best_derivation(flow: Flow, slot: Slot, settings: MiningSettings) -> Derivation | None:
    """Return the derivation that most tasks support, if its value really varies between them."""
    item, argument = slot
    support: defaultdict[Derivation, set[str]] = defaultdict(set)
    values: defaultdict[Derivation, set[str]] = defaultdict(set)
    held: Counter[Derivation] = Counter()
    for window in flow.windows:
        value = canonical(window.first_call(item).arguments[argument])
        for derivation in window.derivations(item, argument):
            support[derivation].add(window.log.task_id)
            values[derivation].add(value)
            held[derivation] += 1
    good = [
        derivation
        for derivation in support
        if len(support[derivation]) >= settings.sequence_support
        and len(values[derivation]) > 1
        and held[derivation] >= settings.min_confidence * len(flow.windows)
    ]
    return min(good, key=lambda good: (-len(support[good]), _simplicity(good)), default=None)


def _simplicity(derivation: Derivation) -> tuple[int, str]:
    length = len(derivation.path) if isinstance(derivation, FromResult) else 0
    return length, str(derivation)


def _words(derivation: Derivation) -> str:
    if isinstance(derivation, SameAs):
        return f"argument {derivation.argument} of call {derivation.item + 1}"
    return f"{render_path(derivation.path) or 'the result'} of call {derivation.step + 1}"


def _connected(flow: Flow) -> bool:
    """Say whether data ties the calls together.

    A derived argument ties a call to the one it comes from, a shared parameter all calls that
    take it; a call that needs nothing from the caller follows along. Calls that only happen to
    stand side by side are not one tool.
    """
    if not flow.windows:
        return False
    free = set(range(1, len(flow.windows[0].items)))
    edges: list[tuple[int, int]] = []
    first_use: dict[str, int] = {}
    names = parameter_names(flow)
    for (item, argument), origin in flow.origins.items():
        if isinstance(origin, FromResult):
            edges.append((origin.step, item))
        elif isinstance(origin, Parameter):
            edges.append((first_use.setdefault(names[item, argument], item), item))
        elif isinstance(origin, FromItem):
            edges.append((flow.loops[item].item, item))
        if not isinstance(origin, Constant):
            free.discard(item)
    reached = {0, *free}
    for _ in flow.windows[0].items:
        reached |= {end for edge in edges if set(edge) & reached for end in edge}
    return len(reached) == len(flow.windows[0].items)


def parameter_names(flow: Flow) -> dict[Slot, str]:
    """Name the parameters after their arguments; slots with the same values share one."""
    names: dict[Slot, str] = {}
    by_values: dict[tuple[str, tuple[str, ...]], str] = {}
    for slot, origin in sorted(flow.origins.items()):
        if not isinstance(origin, Parameter):
            continue
        _, argument = slot
        column = flow.column(slot)
        # Equal columns under different names may be equal by accident, unless the values vary.
        key = (argument if len(set(column)) == 1 else "", column)
        if key not in by_values:
            by_values[key] = _untaken(argument, by_values.values())
        names[slot] = by_values[key]
    return names


def _untaken(wish: str, taken: Collection[str]) -> str:
    numbered = (f"{wish}_{number}" for number in count(2))
    return next(name for name in chain([wish], numbered) if name not in taken)
