"""Finding where in a recorded run a tool would have taken the place of several calls.

The plan of a composite is followed through the run: each of its calls has to be a recorded one, or
one that only reads and was not made. What comes out is a proposal; the tool itself is run before
it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import OriginalEpisode
from toolguild.synth.drafting.composite_names import parameter_spellings
from toolguild.synth.mining import believed_read_only
from toolguild.synth.mining.timeline import Timeline
from toolguild.synth.plans import (
    EVALUATION_ERRORS,
    MAX_BATCH,
    CallStep,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    Scope,
    evaluate,
    is_code,
    leaves,
)
from toolguild.synth.traces import ToolCall

__all__ = ["PlannedTool", "Substitution", "WrittenTool", "substitutions"]

_MAX_CHOICES = 8
"""Recorded calls that are tried for a step whose parameters are not known yet."""
_MAX_ITEMS = 100


@dataclass(frozen=True, slots=True)
class PlannedTool:
    """A composite tool with the plan that it carries out."""

    ref: str
    name: str
    source: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class WrittenTool:
    """A tool that somebody wrote, without a plan, and where in a run it could be called."""

    ref: str
    name: str
    source: str
    original: OriginalEpisode


@dataclass(frozen=True, slots=True)
class Substitution:
    """Calls of a run that one call of a tool would have taken the place of."""

    tool: PlannedTool | WrittenTool
    timeline: Timeline
    arguments: JsonObject
    """What the tool is called with."""
    replaced: tuple[int, ...]
    """Positions of the calls, in the order in which the tool makes them."""
    extra: tuple[tuple[str, JsonObject], ...] = ()
    """Calls that the tool makes besides, all of which only read."""
    is_verified: bool = False
    """Whether the tool was run to find out what it takes the place of."""

    @property
    def start(self) -> int:
        """Where the tool is called."""
        return self.replaced[0]

    @property
    def replaced_calls(self) -> list[ToolCall]:
        """The calls, in the order in which the tool makes them."""
        return [self.timeline.calls[position] for position in self.replaced]

    @property
    def saved(self) -> int:
        """Calls that the agent makes less, and pieces of code that it writes less."""
        return len(self.replaced) - 1


@dataclass(frozen=True, slots=True)
class _Partial:
    """A plan followed up to some step."""

    bindings: Mapping[str, Json]
    results: tuple[Json, ...] = ()
    replaced: tuple[int, ...] = ()
    extra: tuple[tuple[str, JsonObject], ...] = ()


def substitutions(
    tool: PlannedTool, timeline: Timeline, start: int, taken: frozenset[int]
) -> Iterator[Substitution]:
    """Yield the ways in which a tool could be called in the place of the call at a position.

    Args:
        tool: The tool.
        timeline: The recorded run.
        start: The position; the tool's first call must be the one there.
        taken: Positions of calls that other tools have taken the place of.
    """
    call = timeline.calls[start]
    if start in taken or tool.plan[0].tool != call.tool:
        return
    spellings = parameter_spellings(tool.plan)
    for begun in _begun(tool.plan[0], timeline, start, taken):
        for ended in _followed(tool.plan, 1, begun, timeline, taken):
            is_bound = ended.bindings.keys() == spellings.keys()
            possible = is_bound and timeline.could_be_made_at(start, ended.replaced)
            if len(ended.replaced) > 1 and possible:
                arguments = {spellings[name]: value for name, value in ended.bindings.items()}
                yield Substitution(tool, timeline, arguments, ended.replaced, ended.extra)


def _begun(
    first: PlanStep, timeline: Timeline, start: int, taken: frozenset[int]
) -> Iterator[_Partial]:
    """Yield what there is after the first step, which makes the call at the start."""
    call = timeline.calls[start]
    if call.arguments.keys() != {argument for argument, _ in first.arguments}:
        return
    bindings = _bound(first, call.arguments)
    if bindings is None:
        return
    if call.error is not None:
        begun = _Partial(bindings, (), (start,))
        if isinstance(first, CallStep) and first.otherwise:
            yield from _after_step(first.otherwise, begun, timeline, taken)
    elif isinstance(first, CallStep):
        yield _Partial(bindings, (call.result,), (start,))
    elif isinstance(first.over, Parameter):
        batch = _batch(first, bindings, timeline, start, taken)
        items = [_item(first, timeline.calls[position].arguments) for position in batch]
        results = [timeline.calls[position].result for position in batch]
        yield _Partial({first.over.name: items, **bindings}, (results,), tuple(batch))


def _bound(step: PlanStep, given: JsonObject) -> dict[str, Json] | None:
    """Return what parameters are if a call that was made is a step's; None if it cannot be."""
    bindings: dict[str, Json] = {}
    for argument, origin in step.arguments:
        value = given[argument]
        match origin:
            case Parameter(name):
                if bindings.setdefault(name, value) != value:
                    return None
            case Constant(constant):
                if constant != value:
                    return None
            case FromResult():
                return None
    return bindings


def _batch(
    step: LoopStep,
    bindings: Mapping[str, Json],
    timeline: Timeline,
    start: int,
    taken: frozenset[int],
) -> list[int]:
    """Return all calls that one with a list could have made at the start."""
    batch = [start]
    for position in timeline.calls_of(step.tool, start):
        call = timeline.calls[position]
        if len(batch) == MAX_BATCH:
            break
        if (
            position not in taken
            and call.error is None
            and call.arguments.keys() == timeline.calls[start].arguments.keys()
            and _bound(step, call.arguments) == bindings
            and all(timeline.knew(value, start) for value in call.arguments.values())
            and timeline.could_be_made_at(start, [*batch, position])
        ):
            batch.append(position)
    return batch


def _item(step: LoopStep, given: JsonObject) -> Json:
    """Return the item of a list for which a step makes a call."""
    paths = {name: origin.path for name, origin in step.arguments if isinstance(origin, FromItem)}
    whole = next((name for name, path in paths.items() if not path), None)
    return given[whole] if whole else {str(path[0]): given[name] for name, path in paths.items()}


def _followed(
    plan: Plan, number: int, partial: _Partial, timeline: Timeline, taken: frozenset[int]
) -> Iterator[_Partial]:
    if number == len(plan):
        yield partial
        return
    step = plan[number]
    for begun, is_wanted in _wanted_or_not(step, partial):
        if is_wanted:
            ways = _after_step(step, begun, timeline, taken)
        else:
            ways = iter([replace(begun, results=(*begun.results, None))])
        for further in ways:
            yield from _followed(plan, number + 1, further, timeline, taken)


def _wanted_or_not(step: PlanStep, partial: _Partial) -> Iterator[tuple[_Partial, bool]]:
    """Yield whether a step may be wanted and whether not, as far as that is not decided yet."""
    if not step.wanted:
        yield partial, True
        return
    decided = partial.bindings.get(step.wanted)
    for is_wanted in (True, False) if decided is None else (bool(decided),):
        yield replace(partial, bindings={**partial.bindings, step.wanted: is_wanted}), is_wanted


def _after_step(
    step: PlanStep, partial: _Partial, timeline: Timeline, taken: frozenset[int]
) -> Iterator[_Partial]:
    """Yield what there is after one more step of the plan."""
    items: list[Json] | None = [None] if isinstance(step, CallStep) else _items(step, partial)
    if items is None:
        return
    for bindings in _bindings(step, items, partial, timeline, taken):
        bound = _Partial(bindings, partial.results, partial.replaced, partial.extra)
        yield from _after_failure(step, bound, timeline, taken)
        results: list[Json] = []
        for item in items:
            given = _arguments(step, item, bound)
            made = None if given is None else _made(step.tool, given, bound, timeline, taken)
            if made is None:
                break
            bound, result = made
            results.append(result)
        else:
            result = results[0] if isinstance(step, CallStep) else results
            yield _Partial(bindings, (*partial.results, result), bound.replaced, bound.extra)


def _after_failure(
    step: PlanStep, partial: _Partial, timeline: Timeline, taken: frozenset[int]
) -> Iterator[_Partial]:
    """Yield what there is after a call that failed as recorded, and the one made instead."""
    if isinstance(step, LoopStep) or step.otherwise is None:
        return
    given = _arguments(step, None, partial)
    failed = [
        position
        for position in timeline.same_calls(step.tool, given)
        if timeline.calls[position].error is not None
        and position > partial.replaced[0]
        and position not in {*taken, *partial.replaced}
    ]
    for position in failed[:1]:
        replaced = (*partial.replaced, position)
        tried = _Partial(partial.bindings, partial.results, replaced, partial.extra)
        yield from _after_step(step.otherwise, tried, timeline, taken)


def _bindings(
    step: PlanStep,
    items: list[Json],
    partial: _Partial,
    timeline: Timeline,
    taken: frozenset[int],
) -> Iterator[Mapping[str, Json]]:
    """Yield values of all parameters of a step: those that recorded calls of its tool had."""
    unbound = {
        origin.name: argument
        for argument, origin in step.arguments
        if isinstance(origin, Parameter) and origin.name not in partial.bindings
    }
    if not unbound:
        yield partial.bindings
        return
    start = partial.replaced[0]
    names = {argument for argument, _ in step.arguments}
    tried = []
    for position in timeline.calls_of(step.tool, start):
        call = timeline.calls[position]
        if position in taken or position in partial.replaced or call.arguments.keys() != names:
            continue
        values = {name: call.arguments[argument] for name, argument in unbound.items()}
        bindings = {**partial.bindings, **values}
        bound = _Partial(bindings, partial.results)
        if bindings in tried or not all(timeline.knew(value, start) for value in values.values()):
            continue
        if any(_arguments(step, item, bound) == call.arguments for item in items):
            tried.append(bindings)
            yield bindings
        if len(tried) == _MAX_CHOICES:
            return


def _made(
    tool: str,
    arguments: JsonObject,
    partial: _Partial,
    timeline: Timeline,
    taken: frozenset[int],
) -> tuple[_Partial, Json] | None:
    """Find the recorded call that a call of the tool takes the place of, or count it as extra."""
    start = partial.replaced[0]
    for position in timeline.same_calls(tool, arguments):
        if position <= start or position in taken or position in partial.replaced:
            continue
        call = timeline.calls[position]
        replaced = (*partial.replaced, position)
        if call.error is None and timeline.could_be_made_at(start, replaced):
            return _Partial(partial.bindings, partial.results, replaced, partial.extra), call.result
    if not believed_read_only(tool):
        return None
    if is_code(tool):
        # It would be run besides, and calls nothing; what it would come to nobody knows here.
        return partial, UNKNOWN
    extra = (*partial.extra, (tool, arguments))
    return _Partial(partial.bindings, partial.results, partial.replaced, extra), UNKNOWN


UNKNOWN: Final[Any] = object()
"""The result of a call that was not recorded."""


def _items(step: LoopStep, partial: _Partial) -> list[Json] | None:
    items = _value(step.over, None, partial)
    return items if isinstance(items, list) and len(items) <= _MAX_ITEMS else None


def _arguments(step: PlanStep, item: Json, partial: _Partial) -> JsonObject | None:
    """Return what a call is made with; None where that depends on what was not recorded."""
    given = {name: _value(origin, item, partial) for name, origin in step.arguments}
    return None if any(value is UNKNOWN for value in given.values()) else given


def _value(origin: Origin, item: Json, partial: _Partial) -> Json:
    read = {leaf.step for leaf in leaves(origin) if isinstance(leaf, FromResult)}
    unknown: Json = UNKNOWN
    if any(_is_unknown(partial.results[step]) for step in read):
        return unknown
    try:
        return evaluate(origin, Scope(partial.bindings, partial.results, item))
    except EVALUATION_ERRORS:
        return unknown


def _is_unknown(result: Json) -> bool:
    return result is UNKNOWN or (isinstance(result, list) and any(one is UNKNOWN for one in result))
