"""Explaining where each argument of recurring calls comes from.

A version space for each argument, intersected over the places that a pattern claims: what holds in
too few of them is no explanation, and places without one are not claimed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count

from toolguild.synth.mining.conditions import (
    Calm,
    Condition,
    Fixed,
    Follows,
    GoesOver,
    KnownBefore,
    Shared,
    Slot,
)
from toolguild.synth.mining.plan import Constant, FromItem, FromResult, Origin, Parameter
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Derivation, LoopReading, SameAs, Window

__all__ = ["Flow", "flows_of", "parameter_names", "tasks_of"]

MAX_BRANCHES = 64
"""Data flows tried for one shape; each argument with a derivation in only some places doubles
them."""


def tasks_of(windows: Iterable[Window]) -> int:
    """Count the distinct tasks that windows come from."""
    return len({window.log.task_id for window in windows})


@dataclass(frozen=True, slots=True)
class Flow:
    """A reading of some windows of one shape: where each argument comes from."""

    windows: tuple[Window, ...]
    """The windows that it explains: those where every condition holds."""
    origins: dict[Slot, Origin] = field(default_factory=dict)
    loops: dict[int, LoopReading] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    """What it asks of a window, in the order in which the windows were narrowed."""
    dropped: Counter[str] = field(default_factory=Counter)

    def narrowed(self, condition: Condition) -> Flow:
        """Return the reading of the windows where a condition holds, counting the others."""
        held = tuple(window for window in self.windows if condition.holds(window))
        dropped = self.dropped + Counter({condition.reason: len(self.windows) - len(held)})
        conditions = (*self.conditions, condition)
        return replace(self, windows=held, conditions=conditions, dropped=dropped)

    def conditions_met(self, window: Window) -> int:
        """Return how many conditions hold in a window before the first that does not."""
        failing = (
            number
            for number, condition in enumerate(self.conditions)
            if not condition.holds(window)
        )
        return next(failing, len(self.conditions))

    def with_origin(self, slot: Slot, origin: Origin) -> Flow:
        """Return the reading with one more argument explained."""
        return replace(self, origins={**self.origins, slot: origin})

    def column(self, slot: Slot) -> tuple[str, ...]:
        """Return the values of an argument in all windows, in canonical form."""
        return tuple(window.text(slot) for window in self.windows)


def flows_of(windows: Sequence[Window], settings: MiningSettings) -> Iterator[Flow]:
    """Yield the data flows that enough tasks support, by narrowing the windows slot by slot."""
    flows = [Flow(tuple(windows)).narrowed(Calm())]
    sample = windows[0]
    for item in range(len(sample.items)):
        if sample.items[item].is_loop:
            flows = [branch for flow in flows for branch in _loop_branches(flow, item, settings)]
        for argument in sorted(sample.first_call(item).arguments):
            slot = (item, argument)
            flows = [branch for flow in flows for branch in _slot_branches(flow, slot, settings)][
                :MAX_BRANCHES
            ]
    yield from map(_with_shared_parameters, filter(_connected, flows))


def _loop_branches(flow: Flow, item: int, settings: MiningSettings) -> Iterator[Flow]:
    """Yield one flow for each list that the loop goes over in enough tasks."""
    readings = Counter(
        reading for window in flow.windows for reading in window.items[item].readings
    )
    for reading in sorted(readings, key=lambda reading: (-readings[reading], str(reading))):
        narrowed = flow.narrowed(GoesOver(item, reading))
        loops = any(len(window.items[item].calls) > 1 for window in narrowed.windows)
        if loops and tasks_of(narrowed.windows) >= settings.sequence_support:
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
        origin = (
            flow.origins[derived.item, derived.argument] if isinstance(derived, SameAs) else derived
        )
        following = flow.narrowed(Follows(slot, derived)).with_origin(slot, origin)
        yield following
        if len(following.windows) == len(flow.windows):
            return
    values = set(flow.column(slot))
    if len(values) == 1 and item > 0:
        constant = Constant(flow.windows[0].argument(slot))
        yield flow.narrowed(Fixed(slot, *values)).with_origin(slot, constant)
        return
    known = flow.narrowed(KnownBefore(slot))
    if tasks_of(known.windows) >= settings.sequence_support:
        yield known.with_origin(slot, Parameter(argument))


def _best_derivation(flow: Flow, slot: Slot, settings: MiningSettings) -> Derivation | None:
    """Return the derivation that most tasks support, if its value really varies between them."""
    item, argument = slot
    support: defaultdict[Derivation, set[str]] = defaultdict(set)
    values: defaultdict[Derivation, set[str]] = defaultdict(set)
    held: Counter[Derivation] = Counter()
    for window in flow.windows:
        value = window.text(slot)
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


def _with_shared_parameters(flow: Flow) -> Flow:
    """Return the flow with the condition that slots which share a parameter have one value."""
    first: dict[str, Slot] = {}
    for slot, name in parameter_names(flow).items():
        if first.setdefault(name, slot) != slot:
            flow = flow.narrowed(Shared(first[name], slot))
    return flow


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
