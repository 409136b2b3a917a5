"""Runs of one tool with arguments that were all known before: one call with a list would do.

Such a run needs no data flow between its calls, and it is no loop over a list in an earlier result:
the list is the caller's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolguild.sandbox import Json
from toolguild.synth.mining.call_log import CallLog
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.extent import Saving
from toolguild.synth.mining.held_out import drawn_tasks
from toolguild.synth.mining.opportunity import RepeatedSequence, SequenceOccurrence
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.plans import MAX_BATCH, FromItem, LoopStep, Origin, Parameter
from toolguild.synth.traces import ToolCall, ToolDefinition

__all__ = ["batches_of"]

_REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class _Run:
    """Calls of one tool, one after another."""

    log: CallLog
    positions: range

    @property
    def calls(self) -> list[ToolCall]:
        return [self.log.calls[position] for position in self.positions]

    @property
    def varying(self) -> set[str]:
        """The arguments that are not the same in all calls."""
        return {
            name
            for name in self.calls[0].arguments
            if len({canonical(call.arguments[name]) for call in self.calls}) > 1
        }


def batches_of(
    logs: Sequence[CallLog], settings: MiningSettings, tools: dict[str, ToolDefinition]
) -> Iterator[RepeatedSequence]:
    """Yield a batch for each tool that enough tasks call several times in a row.

    Args:
        logs: The calls of all runs, in an order that does not depend on that of the files.
        settings: Thresholds.
        tools: What the logs say of the tools.
    """
    groups: defaultdict[tuple[str, tuple[str, ...]], list[_Run]] = defaultdict(list)
    for log in logs:
        for run in _runs(log):
            first = run.calls[0]
            groups[first.tool, tuple(sorted(first.arguments))].append(run)
    for (tool, _), runs in sorted(groups.items()):
        by_task = {run.log.task_id for run in runs}
        if len(by_task) < settings.sequence_support:
            continue
        held_out = drawn_tasks(by_task, settings)
        seen = [run for run in runs if run.log.task_id not in held_out]
        plan = _plan(tool, seen)
        unseen = [run for run in runs if run.log.task_id in held_out]
        explained = [run for run in unseen if run.varying <= _per_item(plan)]
        missed = {"an argument varies that is one parameter": len(unseen) - len(explained)}
        yield RepeatedSequence(
            plan=(plan,),
            occurrences=tuple(_occurrence(run, plan) for run in seen),
            tools={tool: tools[tool]} if tool in tools else {},
            held_out=tuple(_occurrence(run, plan) for run in explained),
            held_out_missed={why: count for why, count in missed.items() if count},
        )


def _runs(log: CallLog) -> Iterator[_Run]:
    """Yield runs of two calls or more whose arguments were known before the first of them.

    A run of calls that may write ends where the user speaks, which may be a consent.
    """
    for start, end in log.runs():
        if end - start == 1:
            continue
        writes = not believed_read_only(log.calls[start].tool)
        first = start
        for position in range(start + 1, end + 1):
            goes_on = (
                position < end
                and position - first < MAX_BATCH
                and not (writes and position in log.spoken)
                and all(log.knew(value, first) for value in log.calls[position].arguments.values())
            )
            if not goes_on:
                run = _Run(log, range(first, position))
                if len(run.positions) > 1 and run.varying:
                    yield run
                first = position


def _plan(tool: str, runs: Sequence[_Run]) -> LoopStep:
    varying = set().union(*(run.varying for run in runs))
    orders = Counter(tuple(run.calls[0].arguments) for run in runs)
    order = max(orders, key=lambda order: (orders[order], order))
    if len(varying) == 1:
        [name] = varying
        over = Parameter(_plural(name))
    else:
        over = Parameter(_REQUESTS)
    arguments: list[tuple[str, Origin]] = []
    for name in order:
        if name not in varying:
            arguments.append((name, Parameter(name)))
        else:
            arguments.append((name, FromItem((name,) if len(varying) > 1 else ())))
    return LoopStep(tool, over, tuple(arguments))


def _plural(name: str) -> str:
    if re.search("[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}_list" if name.endswith("s") else f"{name}s"


def _per_item(plan: LoopStep) -> set[str]:
    return {name for name, origin in plan.arguments if isinstance(origin, FromItem)}


def _occurrence(run: _Run, plan: LoopStep) -> SequenceOccurrence:
    calls = run.calls
    per_item = _per_item(plan)
    given = [{name: call.arguments[name] for name in sorted(per_item)} for call in calls]
    items: list[Json] = [
        next(iter(item.values())) if len(per_item) == 1 else dict(item) for item in given
    ]
    shared = {name: value for name, value in calls[0].arguments.items() if name not in per_item}
    assert isinstance(plan.over, Parameter)  # noqa: S101 - as `_plan` makes it
    bindings: dict[str, Json] = {plan.over.name: items, **shared}
    written = sum(len(call.tool) + len(canonical(call.arguments)) for call in calls)
    return SequenceOccurrence(
        trace_id=run.log.trace_id,
        task_id=run.log.task_id,
        steps=(tuple(calls),),
        bindings=bindings,
        saving=Saving(len(calls) - 1, written - len(canonical(bindings))),
    )
