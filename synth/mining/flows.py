"""Explaining where each argument of recurring calls comes from.

A version space for each argument, intersected over the places that a pattern claims: what holds in
too few of them is no explanation, and places without one are not claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count

from toolguild.synth.mining.call_log import INSTEAD
from toolguild.synth.mining.comparisons import comparisons
from toolguild.synth.mining.conditions import (
    Calm,
    ChoosesFrom,
    Compares,
    Condition,
    Fixed,
    Follows,
    GoesOver,
    KnownBefore,
    Shared,
    Slot,
)
from toolguild.synth.mining.loops import LoopReading, given
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Derivation, SameAs, Window
from toolguild.synth.plans import (
    Computed,
    Constant,
    FromItem,
    FromResult,
    Origin,
    Parameter,
    leaves,
)

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
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Why the others are not explained, and how many."""

    def narrowed(self, condition: Condition) -> Flow:
        """Return the reading of the windows where a condition holds, counting the others."""
        held = tuple(window for window in self.windows if condition.holds(window))
        dropped = dict(self.dropped)
        if lost := len(self.windows) - len(held):
            dropped[condition.reason] = dropped.get(condition.reason, 0) + lost
        conditions = (*self.conditions, condition)
        return Flow(held, self.origins, self.loops, conditions, dropped)

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
        origins = {**self.origins, slot: origin}
        return Flow(self.windows, origins, self.loops, self.conditions, self.dropped)

    def origin(self, item: int, argument: str) -> Origin:
        """Return where an argument comes from, parameters by the names of their slots."""
        origin = self.origins[item, argument]
        return given(item, argument) if isinstance(origin, Parameter) else origin

    def resolved(self, origin: Origin) -> Origin:
        """Return an origin with what is known by now of the arguments that it goes back to."""
        match origin:
            case Computed(function, inputs):
                return Computed(function, tuple(map(self.resolved, inputs)))
            case Parameter(name):
                return next(
                    self.origin(*slot) for slot in self.origins if given(*slot).name == name
                )
        return origin

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
        for argument in sorted(sample.arguments(item)):
            slot = (item, argument)
            flows = [branch for flow in flows for branch in _slot_branches(flow, slot, settings)][
                :MAX_BRANCHES
            ]
    yield from map(_with_shared_parameters, filter(_connected, flows))


def _loop_branches(flow: Flow, item: int, settings: MiningSettings) -> Iterator[Flow]:
    """Yield one flow for each list that the loop goes over in enough tasks."""
    readings = Counter(
        reading
        for window in flow.windows
        for reading in window.items[item].readings
        if isinstance(reading, LoopReading)
    )
    explained: list[set[Window]] = []

    def branches(narrowed: Flow, reading: LoopReading) -> Iterator[Flow]:
        loops = any(len(window.items[item].calls) > 1 for window in narrowed.windows)
        places = {*narrowed.windows}
        # A choice of rows that explains no place which another reading leaves open tells nothing.
        needed = reading.is_plain or not any(places <= others for others in explained)
        if loops and needed and tasks_of(narrowed.windows) >= settings.sequence_support:
            explained.append(places)
            yield replace(narrowed, loops={**flow.loops, item: reading})

    for reading in sorted(readings, key=lambda reading: _rank_of_reading(reading, readings)):
        if readings[reading] < settings.sequence_support:
            break
        yield from branches(flow.narrowed(GoesOver(item, reading)), reading)
    for one in comparisons(flow.windows, item, settings, [*explained]):
        narrowed = flow.narrowed(ChoosesFrom(item, one.chosen))
        yield from branches(narrowed.narrowed(Compares(item, one.reading)), one.reading)


def _rank_of_reading(
    reading: LoopReading, readings: Mapping[LoopReading, int]
) -> tuple[int, bool, bool, str]:
    is_equality = isinstance(reading.over, Computed) and reading.over.function == "rows_where"
    return -readings[reading], not reading.is_plain, is_equality, str(reading)


def _slot_branches(flow: Flow, slot: Slot, settings: MiningSettings) -> Iterator[Flow]:
    """Yield the flows that explain one more argument: derived, constant, or given."""
    item, argument = slot
    loop = flow.loops.get(item)
    if loop is not None and loop.argument == argument:
        yield flow.with_origin(slot, FromItem(loop.cell))
        return
    known = flow.narrowed(KnownBefore(slot))
    derived: Derivation | None = _best_derivation(flow, slot, settings)
    if derived is None and len(known.windows) < len(flow.windows):
        # What was said beforehand everywhere needs no explanation.
        derived = _best_computation(flow, slot, settings)
    if derived is not None:
        origin = _origin(derived, flow)
        following = flow.narrowed(Follows(slot, derived)).with_origin(slot, origin)
        yield following
        if len(following.windows) == len(flow.windows):
            return
    values = set(flow.column(slot))
    if len(values) == 1 and item > 0:
        constant = Constant(flow.windows[0].argument(slot))
        yield flow.narrowed(Fixed(slot, *values)).with_origin(slot, constant)
        return
    if tasks_of(known.windows) >= settings.sequence_support:
        yield known.with_origin(slot, Parameter(argument))


def _best_derivation(flow: Flow, slot: Slot, settings: MiningSettings) -> Derivation | None:
    """Return the derivation that most tasks support, if its value really varies between them."""
    found = Counter(how for window in flow.windows for how in window.derivations(*slot))
    enough = settings.min_confidence * len(flow.windows)
    good: list[tuple[int, tuple[int, str], Derivation]] = []
    for how in (how for how, places in found.items() if places >= enough):
        held = [window for window in flow.windows if how in window.derivations(*slot)]
        tasks = tasks_of(held)
        varied = {window.text(slot) for window in held}
        if tasks >= settings.sequence_support and len(varied) > 1:
            good.append((-tasks, _simplicity(how), how))
    return min(good, key=lambda one: one[:2])[-1] if good else None


_TASKS_LOOKED_AT = 12
"""Tasks whose places are searched for ways to compute a value; all places are asked for those."""


def _best_computation(flow: Flow, slot: Slot, settings: MiningSettings) -> Computed | None:
    """Return the simplest way to compute an argument that most tasks support.

    What is computed may be right by accident more easily than what is copied, so more values must
    bear it out.
    """
    values = set(flow.column(slot))
    if len(values) < min(3, settings.sequence_support):
        return None
    first_of_task: dict[str, Window] = {}
    for window in flow.windows:
        first_of_task.setdefault(window.log.task_id, window)
    looked_at = [*first_of_task.values()][:_TASKS_LOOKED_AT]
    found = Counter(how for window in looked_at for how in window.computations(*slot))
    enough = settings.min_confidence * settings.min_confidence * len(looked_at)
    good: list[tuple[int, tuple[int, int, str], Computed]] = []
    for how, places in found.items():
        if places < max(2, enough):
            continue
        held = [window for window in flow.windows if window.follows(slot, how)]
        varied = {window.text(slot) for window in held}
        if (
            tasks_of(held) >= settings.sequence_support
            and len(varied) >= min(3, settings.sequence_support)
            and len(held) >= settings.min_confidence * len(flow.windows)
        ):
            good.append((-tasks_of(held), _complexity(how), how))
    return min(good)[-1] if good else None


def _complexity(how: Computed) -> tuple[int, int, str]:
    """Return what ways to compute the same are sorted by: values and paths, then constants."""
    parts = [*leaves(how)]
    constants = [str(part.value) for part in parts if isinstance(part, Constant)]
    paths = sum(len(part.path) for part in parts if isinstance(part, FromResult))
    return len(parts) - len(constants) + paths, len("".join(constants)), str(how)


def _origin(derived: Derivation, flow: Flow) -> Origin:
    if isinstance(derived, SameAs):
        return flow.origins[derived.item, derived.argument]
    return flow.resolved(derived)


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
        if isinstance(origin, Parameter):
            edges.append((first_use.setdefault(names[item, argument], item), item))
        elif isinstance(origin, FromItem):
            edges += [(source, item) for source in _sources(flow.loops[item].over, flow)]
        else:
            edges += [(source, item) for source in _sources(origin, flow)]
        if not isinstance(origin, Constant):
            free.discard(item)
    reached = {0, *free}
    for _ in flow.windows[0].items:
        reached |= {end for edge in edges if set(edge) & reached for end in edge}
    return len(reached) == len(flow.windows[0].items)


def _sources(origin: Origin, flow: Flow) -> Iterator[int]:
    """Yield the calls whose results or arguments a value is made of."""
    slots = {given(*slot).name: slot for slot in flow.origins}
    for leaf in leaves(origin):
        if isinstance(leaf, FromResult):
            yield leaf.step
        elif isinstance(leaf, Parameter):
            yield slots[leaf.name][0]


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
            by_values[key] = _untaken(argument.removeprefix(INSTEAD), by_values.values())
        names[slot] = by_values[key]
    return names


def _untaken(wish: str, taken: Collection[str]) -> str:
    numbered = (f"{wish}_{number}" for number in count(2))
    return next(name for name in chain([wish], numbered) if name not in taken)
