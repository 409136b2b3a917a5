"""Mining call sequences: which calls recur with the same data flow.

Frequency alone is not evidence. A sequence is kept where every argument of every call is a
parameter that could be known before the first call, a constant, or a part of an earlier result,
in every occurrence that is claimed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

from toolguild.sandbox import Json
from toolguild.synth.mining.batches import batches_of
from toolguild.synth.mining.call_log import INSTEAD, CallLog
from toolguild.synth.mining.code_steps import is_fed_by_results, read_code_steps, with_code
from toolguild.synth.mining.collecting import nothing_collected
from toolguild.synth.mining.conditions import Slot
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.explainable import explainable
from toolguild.synth.mining.extent import ITSELF, Saving, Unit, Weight
from toolguild.synth.mining.fallbacks import share_fallbacks
from toolguild.synth.mining.flows import Flow, flows_of, parameter_names, tasks_of
from toolguild.synth.mining.growth import grouped_windows
from toolguild.synth.mining.held_out import Trial, folds_of, try_out
from toolguild.synth.mining.loops import given
from toolguild.synth.mining.opportunity import RepeatedSequence, SequenceOccurrence, support_of
from toolguild.synth.mining.selection import Prospect, choose, estimated, rank, ready
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.tails import join_tails
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.mining.windows import Window
from toolguild.synth.plans import (
    CallStep,
    Code,
    Computed,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    calls_of,
    tools_of,
)
from toolguild.synth.traces import ToolCall, ToolDefinition, Trace

__all__ = ["SequenceMiner"]

_MANY_TASKS = 20


class SequenceMiner:
    """Collects the calls of traces, then finds the sequences worth a composite tool."""

    def __init__(self, settings: MiningSettings) -> None:
        self._settings = settings
        self._logs: list[CallLog] = []
        self._tools: dict[str, ToolDefinition] = {}
        self._weights: dict[str, Weight] = {}
        self._tasks_with: defaultdict[str, set[str]] = defaultdict(set)
        """The tasks in which a call of each tool did not fail."""
        self._spellings: defaultdict[str, Counter[Code]] = defaultdict(Counter)
        """How agents wrote the code that stands under each name."""
        self._codes: dict[str, Code] = {}

    def describe(self, tool: ToolDefinition) -> None:
        """Take in what a log says of a tool."""
        # Logs may describe a tool differently; which is kept must not depend on their order.
        self._tools[tool.name] = max(tool, self._tools.get(tool.name, tool), key=str)

    def add(self, trace: Trace, weight: Weight = ITSELF) -> None:
        """Take in one trace, which may stand for others like it."""
        for tool in trace.tools:
            self.describe(tool)
        if weight != ITSELF:
            self._weights[trace.id] = weight
        read = read_code_steps(trace)
        for name, code in read.codes.items():
            self._spellings[name][code] += 1
        log = CallLog(read.trace, self._settings)
        for call in log.calls:
            self._tasks_with[call.tool].add(log.task_id)
        if log.may_hold_patterns:
            self._logs.append(log)

    def mine(self, progress: Callable[[float], None] = lambda done: None) -> list[RepeatedSequence]:
        """Return the sequences that save most, best first, none of them overlapping another."""
        with nothing_collected():
            return self._mine(progress)

    def _mine(self, progress: Callable[[float], None]) -> list[RepeatedSequence]:
        self._codes = self._usual_spellings()
        found = batches_of(self._sorted_logs(), self._settings, self._tools)
        batches = [one for one in found if is_fed_by_results(one.plan)]
        batched = {one.plan[0].tool for one in batches}
        limit = self._settings.max_opportunities
        chosen = choose(
            [self._prospect(windows, batched) for windows in self._groups()],
            worth_keeping=self._is_worth_keeping,
            limit=limit,
            weights=self._weights,
            progress=progress,
        )
        chosen = join_tails(share_fallbacks(chosen))
        # Last: whoever finds a list in an earlier result should not have to write it out.
        claimed = {unit for one in chosen for found in one.places for unit in found.units}
        chosen += choose(
            ready(batches),
            worth_keeping=self._has_support,
            limit=limit,
            taken=claimed,
            weights=self._weights,
        )
        progress(1.0)
        best = sorted(chosen, key=lambda one: rank(one, self._weights))[:limit]
        return [estimated(one, self._weights) for one in best]

    def _prospect(
        self, windows: Sequence[Window], batched: Collection[str]
    ) -> Prospect[RepeatedSequence]:
        """Return the windows of one shape as what plans may be made of."""

        def make() -> list[RepeatedSequence]:
            return [
                one
                for one in self._candidates(windows)
                if self._works(one.plan) and not _is_a_small_batch(one.plan, batched)
            ]

        # The others are no places of any plan.
        calm = [window for window in windows if not window.acts_on_an_answer()]

        @cache  # Most are asked for what they save before anything is taken, and never again.
        def units() -> list[frozenset[Unit]]:
            return [window.units for window in calm]

        def most_calls(taken: Collection[Unit]) -> float:
            left = calm
            if taken:
                places = zip(calm, units(), strict=True)
                left = [window for window, claimed in places if claimed.isdisjoint(taken)]
            enough = tasks_of(left) >= self._settings.sequence_support
            return sum(map(self._calls_saved, left)) if enough else 0.0

        return Prospect(most_calls, make)

    def _calls_saved(self, window: Window) -> float:
        """Return how many calls a plan saves at a place, and where the like of it was not mined."""
        return self._weights.get(window.log.trace_id, ITSELF).runs * (window.size - 1)

    def _works(self, plan: Plan) -> bool:
        """Say whether what a plan tries first is known to work, too, in enough tasks.

        And whether its code, if any, has to do with what was called before.
        """
        return is_fed_by_results(plan) and all(
            len(self._tasks_with[step.tool]) >= self._settings.sequence_support
            for step in plan
            if len(calls_of(step)) > 1
        )

    def _candidates(self, windows: Sequence[Window]) -> list[RepeatedSequence]:
        """Return the plans of one shape, each with the first held out tasks that it stands.

        Where one does not, other tasks are held out: those that contradicted it are then among
        the ones that the next plan is made from. Where none stands, the last is returned with the
        reason. Of many tasks, those that are held out first are as good as any: what they leave no
        plan for, others would not either.
        """
        sound: list[RepeatedSequence] = []
        overfitted: list[RepeatedSequence] = []
        for fold in folds_of(windows, self._settings):
            made = [
                self._opportunity(flow, trial)
                for flow in flows_of(fold.seen, self._settings)
                for trial in (try_out(flow, fold, self._settings),)
                if trial.overfitted_why or not trial.is_accident
            ]
            known = {str(one.plan) for one in sound}
            sound += [one for one in made if not one.is_overfitted and str(one.plan) not in known]
            overfitted = [one for one in made if one.is_overfitted] or overfitted
            if (sound or not made) and tasks_of(windows) > _MANY_TASKS:
                break
        return sound or overfitted

    def _opportunity(self, flow: Flow, trial: Trial) -> RepeatedSequence:
        names = parameter_names(flow)
        plan = with_code(_plan(flow, names), self._codes)
        return RepeatedSequence(
            plan=plan,
            occurrences=tuple(_occurrence(window, names) for window in flow.windows),
            near_misses=flow.dropped,
            tools={tool: self._tools[tool] for tool in tools_of(plan) if tool in self._tools},
            held_out=tuple(_occurrence(window, names) for window in trial.explained),
            held_out_missed=trial.missed,
            overfitted_why=trial.overfitted_why,
        )

    def _is_worth_keeping(
        self, candidate: RepeatedSequence, chosen: Sequence[RepeatedSequence]
    ) -> bool:
        return self._has_support(candidate, chosen) and not any(
            _within(candidate.plan, better.plan) for better in chosen
        )

    def _has_support(self, candidate: RepeatedSequence, _: Sequence[RepeatedSequence]) -> bool:
        enough = support_of(candidate.places) >= self._settings.sequence_support
        return enough and bool(candidate.occurrences)

    def _usual_spellings(self) -> dict[str, Code]:
        """The code under each name as most agents wrote it."""
        return {
            name: max(spellings, key=lambda code: (spellings[code], str(code)))
            for name, spellings in self._spellings.items()
        }

    def _sorted_logs(self) -> list[CallLog]:
        """Return the logs so that the order in which they were added changes nothing."""
        return sorted(self._logs, key=lambda log: log.trace_id)

    def _groups(self) -> list[Sequence[Window]]:
        grouped = grouped_windows(self._sorted_logs(), self._settings)
        told = (explainable(windows, self._settings) for _, windows in grouped)
        return [windows for windows in told if windows]


def _plan(flow: Flow, names: dict[Slot, str]) -> Plan:
    sample = flow.windows[0]
    spellings = {given(*slot).name: name for slot, name in names.items()}
    steps: list[PlanStep] = []
    for item in range(len(sample.items)):
        arguments = [
            (argument, _named(flow.origin(item, argument), spellings))
            for argument in _usual_order(flow, item)
        ]
        loop = flow.loops.get(item)
        if loop is None:
            steps.append(_call(sample.attempts(item), arguments))
        else:
            over = _named(flow.resolved(loop.over), spellings)
            assert isinstance(over, FromResult | Computed)  # noqa: S101 - as the reading has it
            steps.append(LoopStep(sample.first_call(item).tool, over, tuple(arguments)))
    return tuple(steps)


def _call(attempts: Sequence[ToolCall], arguments: Sequence[tuple[str, Origin]]) -> CallStep:
    """Return a call with its arguments, and the one that was made instead, if any was."""
    first, *instead = attempts
    own = tuple(pair for pair in arguments if not pair[0].startswith(INSTEAD))
    if not instead:
        return CallStep(first.tool, own)
    others = [
        (argument.removeprefix(INSTEAD), origin)
        for argument, origin in arguments
        if argument.startswith(INSTEAD)
    ]
    return CallStep(first.tool, own, _call(instead, others))


def _named(origin: Origin, spellings: Mapping[str, str]) -> Origin:
    """Return an origin with the names that parameters have in the plan."""
    match origin:
        case Parameter(name):
            return Parameter(spellings[name])
        case Computed(function, inputs):
            return Computed(function, tuple(_named(one, spellings) for one in inputs))
    return origin


def _usual_order(flow: Flow, item: int) -> tuple[str, ...]:
    """Return the argument names of a call in the order in which agents mostly give them."""
    orders = Counter(tuple(window.arguments(item)) for window in flow.windows)
    return max(orders, key=lambda order: (orders[order], order))


def _occurrence(window: Window, names: dict[Slot, str]) -> SequenceOccurrence:
    bindings: dict[str, Json] = {name: window.argument(slot) for slot, name in names.items()}
    steps = tuple(window.calls(number) for number in range(len(window.items)))
    size = sum(map(len, steps))
    return SequenceOccurrence(
        trace_id=window.log.trace_id,
        task_id=window.log.task_id,
        steps=steps,
        bindings=bindings,
        saving=Saving(size - 1, window.characters - len(canonical(bindings))),
    )


def _is_a_small_batch(plan: Plan, batched: Collection[str]) -> bool:
    """Say whether a plan calls one tool a fixed number of times, with what the caller gives."""
    tools = {step.tool for step in plan}
    return (
        len(tools) == 1 < len(plan)
        and tools <= set(batched)
        and all(
            isinstance(step, CallStep) and isinstance(origin, Parameter | Constant)
            for step in plan
            for _, origin in step.arguments
        )
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


def _is_of_one_item(origin: Origin, looped: Origin, over: Origin) -> bool:
    return origin == looped or (
        isinstance(over, FromResult)
        and isinstance(looped, FromItem)
        and isinstance(origin, FromResult)
        and origin.step == over.step
        and origin.path in [(*over.path, end, *looped.path) for end in (0, -1)]
    )
