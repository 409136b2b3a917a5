"""Mining call sequences: which calls recur with the same data flow.

Frequency alone is not evidence. A sequence is kept where every argument of every call is a
parameter that could be known before the first call, a constant, or a part of an earlier result,
in every occurrence that is claimed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.opportunity import (
    RepeatedSequence,
    Saving,
    SequenceOccurrence,
    support_of,
)
from toolguild.synth.mining.plan import (
    CallStep,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    render_path,
)
from toolguild.synth.mining.selection import choose
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import (
    CallLog,
    Derivation,
    LoopReading,
    SameAs,
    Window,
    believed_read_only,
)
from toolguild.synth.traces import ToolCall, ToolDefinition, Trace

__all__ = ["SequenceMiner"]

MAX_BRANCHES = 64
"""Data flows tried for one shape; each argument with a derivation in only some places doubles
them."""

_Slot = tuple[int, str]


class SequenceMiner:
    """Collects the calls of traces, then finds the sequences worth a composite tool."""

    def __init__(self, settings: MiningSettings) -> None:
        self._settings = settings
        self._logs: list[CallLog] = []
        self._tools: dict[str, ToolDefinition] = {}

    def add(self, trace: Trace) -> None:
        """Take in one trace."""
        for tool in trace.tools:
            # Logs may describe a tool differently; which is kept must not depend on their order.
            self._tools[tool.name] = max(tool, self._tools.get(tool.name, tool), key=str)
        log = CallLog(trace, self._settings)
        if len(log.calls) > 1:
            self._logs.append(log)

    def mine(self, progress: Callable[[float], None] = lambda done: None) -> list[RepeatedSequence]:
        """Return the sequences that save most, best first, none of them overlapping another."""
        candidates = []
        groups = self._groups()
        for done, windows in enumerate(groups):
            for flow in _flows(windows, self._settings):
                candidates.append(_opportunity(flow, self._tools))
            progress((done + 1) / len(groups))
        return choose(
            candidates, worth_keeping=self._is_worth_keeping, limit=self._settings.max_opportunities
        )

    def _is_worth_keeping(
        self, candidate: RepeatedSequence, chosen: Sequence[RepeatedSequence]
    ) -> bool:
        enough = support_of(candidate.occurrences) >= self._settings.sequence_support
        return enough and not any(_within(candidate.plan, better.plan) for better in chosen)

    def _groups(self) -> list[list[Window]]:
        by_shape: defaultdict[object, list[Window]] = defaultdict(list)
        # Sorted, so that the order in which traces were added changes nothing, not even examples.
        for log in sorted(self._logs, key=lambda log: log.trace_id):
            for window in log.windows():
                by_shape[window.shape()].append(window)
        return [
            windows
            for _, windows in sorted(by_shape.items(), key=lambda entry: str(entry[0]))
            if _tasks(windows) >= self._settings.sequence_support
        ]


def _tasks(windows: Iterable[Window]) -> int:
    return len({window.log.task_id for window in windows})


@dataclass(frozen=True, slots=True)
class _Flow:
    """A reading of some windows of one shape: where each argument comes from."""

    windows: tuple[Window, ...]
    origins: dict[_Slot, Origin] = field(default_factory=dict)
    loops: dict[int, LoopReading] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def keep(self, windows: Sequence[Window], reason: str) -> _Flow:
        dropped = self.dropped + Counter({reason: len(self.windows) - len(windows)})
        return replace(self, windows=tuple(windows), dropped=dropped)

    def with_origin(self, slot: _Slot, origin: Origin) -> _Flow:
        return replace(self, origins={**self.origins, slot: origin})


def _flows(windows: Sequence[Window], settings: MiningSettings) -> Iterator[_Flow]:
    """Yield the data flows that enough tasks support, by narrowing the windows slot by slot."""
    calm = [window for window in windows if not window.acts_on_an_answer()]
    flows = [_Flow(tuple(windows)).keep(calm, "writes after the user spoke")]
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


def _loop_branches(flow: _Flow, item: int, settings: MiningSettings) -> Iterator[_Flow]:
    """Yield one flow for each list that the loop goes over in enough tasks."""
    readings = Counter(
        reading for window in flow.windows for reading in window.items[item].readings
    )
    for reading in sorted(readings, key=lambda reading: (-readings[reading], str(reading))):
        held = [window for window in flow.windows if reading in window.items[item].readings]
        loops = any(len(window.items[item].calls) > 1 for window in held)
        if loops and _tasks(held) >= settings.sequence_support:
            narrowed = flow.keep(held, f"does not go over the list at {reading.over}")
            yield replace(narrowed, loops={**flow.loops, item: reading})


def _slot_branches(flow: _Flow, slot: _Slot, settings: MiningSettings) -> Iterator[_Flow]:
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
    values = _distinct(flow, slot)
    if len(values) == 1 and item > 0:
        value = flow.windows[0].first_call(item).arguments[argument]
        yield flow.with_origin(slot, Constant(value))
        return
    known = [window for window in flow.windows if window.knew_beforehand(item, argument)]
    if _tasks(known) >= settings.sequence_support:
        reason = f"argument {argument} of call {item + 1} was not known before the first call"
        yield flow.keep(known, reason).with_origin(slot, Parameter(argument))


def _distinct(flow: _Flow, slot: _Slot) -> set[str]:
    item, argument = slot
    return {
        canonical(window.first_call(item).arguments[argument])
        for window in flow.windows
        if argument in window.first_call(item).arguments
    }


def _best_derivation(flow: _Flow, slot: _Slot, settings: MiningSettings) -> Derivation | None:
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


def _connected(flow: _Flow) -> bool:
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
    names = _parameter_names(flow)
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


def _opportunity(flow: _Flow, tools: Mapping[str, ToolDefinition]) -> RepeatedSequence:
    names = _parameter_names(flow)
    plan = _plan(flow, names)
    return RepeatedSequence(
        plan=plan,
        occurrences=tuple(_occurrence(flow, window, names) for window in flow.windows),
        near_misses={reason: count for reason, count in flow.dropped.items() if count},
        tools={step.tool: tools[step.tool] for step in plan if step.tool in tools},
    )


def _parameter_names(flow: _Flow) -> dict[_Slot, str]:
    """Name the parameters after their arguments; slots with the same values share one."""
    names: dict[_Slot, str] = {}
    by_values: dict[tuple[str, tuple[str, ...]], str] = {}
    taken: Counter[str] = Counter()
    for slot, origin in sorted(flow.origins.items()):
        if not isinstance(origin, Parameter):
            continue
        item, argument = slot
        column = tuple(
            canonical(window.first_call(item).arguments[argument]) for window in flow.windows
        )
        # Equal columns under different names may be equal by accident, unless the values vary.
        key = (argument if len(set(column)) == 1 else "", column)
        if key not in by_values:
            taken[argument] += 1
            suffix = f"_{taken[argument]}" if taken[argument] > 1 else ""
            by_values[key] = argument + suffix
        names[slot] = by_values[key]
    return names


def _plan(flow: _Flow, names: dict[_Slot, str]) -> Plan:
    sample = flow.windows[0]
    steps: list[PlanStep] = []
    for item in range(len(sample.items)):
        tool = sample.first_call(item).tool
        arguments = tuple(
            (argument, Parameter(names[item, argument]) if (item, argument) in names else origin)
            for argument in _usual_order(flow, item)
            for origin in (flow.origins[item, argument],)
        )
        loop = flow.loops.get(item)
        if loop is None:
            steps.append(CallStep(tool, arguments))
        else:
            steps.append(LoopStep(tool, FromResult(loop.item, loop.over), arguments))
    return tuple(steps)


def _usual_order(flow: _Flow, item: int) -> tuple[str, ...]:
    """Return the argument names of a call in the order in which agents mostly give them."""
    orders = Counter(tuple(window.first_call(item).arguments) for window in flow.windows)
    return max(orders, key=lambda order: (orders[order], order))


def _occurrence(flow: _Flow, window: Window, names: dict[_Slot, str]) -> SequenceOccurrence:
    bindings: dict[str, Json] = {
        name: window.first_call(item).arguments[argument]
        for (item, argument), name in names.items()
    }
    steps = tuple(
        tuple(window.log.calls[position] for position in item.calls) for item in window.items
    )
    calls = [call for calls in steps for call in calls]
    return SequenceOccurrence(
        trace_id=window.log.trace_id,
        task_id=window.log.task_id,
        steps=steps,
        bindings=bindings,
        saving=Saving(calls=len(calls) - 1, characters=_characters(calls, bindings)),
    )


def _within(plan: Plan, better: Plan) -> bool:
    """Say whether a plan only does a part of what a chosen plan does.

    That is so where it makes one call, for the first or last item of a list, in the place of a
    loop over the list.
    """
    return len(plan) == len(better) and all(
        step == other or _is_one_turn(step, other) for step, other in zip(plan, better, strict=True)
    )


def _is_one_turn(step: PlanStep, loop: PlanStep) -> bool:
    if isinstance(step, LoopStep) or isinstance(loop, CallStep) or step.tool != loop.tool:
        return False
    # By name: agents give arguments in any order, and not always all of them.
    given, looped = dict(step.arguments), dict(loop.arguments)
    return (
        believed_read_only(step.tool)
        and given.keys() == looped.keys()
        and all(_is_of_one_item(given[name], looped[name], loop.over) for name in given)
    )


def _is_of_one_item(origin: Origin, looped: Origin, over: FromResult) -> bool:
    return origin == looped or (
        isinstance(looped, FromItem)
        and isinstance(origin, FromResult)
        and origin.step == over.step
        and origin.path in [(*over.path, end, *looped.path) for end in (0, -1)]
    )


def _characters(occurrence_calls: Sequence[ToolCall], bindings: JsonObject) -> int:
    """Count what the agent wrote for the calls, less what the one call takes."""
    written = sum(len(call.tool) + len(canonical(call.arguments)) for call in occurrence_calls)
    return written - len(canonical(bindings))
