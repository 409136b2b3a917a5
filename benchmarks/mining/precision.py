"""Whether what was mined holds on runs that were not mined.

The tasks are parted into halves many times. What one half shows to recur is drafted and put to the
runs of the other half, in two ways: wherever its calls could stand the tool is run and must give
the recorded results, and where agents called the same tools in a row the arguments must mostly be
what the plan says they are.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import table
from toolguild.sandbox import Json, Sandbox
from toolguild.synth.drafting import Draft, draft_tool, tool_names
from toolguild.synth.measuring import PlannedTool, measure
from toolguild.synth.mining import MiningSettings, SequenceMiner
from toolguild.synth.mining.call_log import CallLog
from toolguild.synth.mining.growth import windows_of
from toolguild.synth.mining.windows import Window
from toolguild.synth.plans import EVALUATION_ERRORS, LoopStep, Parameter, Plan, Scope, evaluate
from toolguild.synth.traces import Trace

__all__ = ["Judged", "judged_sample", "precision_bounds", "precision_table"]

_SAMPLE = 100
"""Opportunities that are judged."""
_LEAST_HOLD = 95
_HALVINGS = 14
_SETTINGS = MiningSettings()


@dataclass(frozen=True, slots=True)
class Judged:
    """One opportunity of one half, tried on the other."""

    log: str
    halving: int
    tool: str
    uses: int
    """Places of unseen runs at which the tool gives the recorded results."""
    refused: int
    """Places at which it does not."""
    explained: int
    """Unseen tasks in which agents called the same tools in a row with the plan's data flow,"""
    contradicted: int
    """and those in which they called them with another."""

    @property
    def is_met(self) -> bool:
        """Whether its calls stand anywhere in the unseen runs."""
        return bool(self.uses + self.refused + self.explained + self.contradicted)

    @property
    def holds(self) -> bool:
        """Whether it is right wherever it is run, and agents mostly do as it does."""
        met = self.explained + self.contradicted
        return bool(
            self.uses and not self.refused and self.explained >= _SETTINGS.min_confidence * met
        )


def judged_sample(
    logs: Mapping[str, Sequence[Trace]], sandbox: Sandbox
) -> tuple[list[Judged], int]:
    """Return the sample, always the same, and how many opportunities were never met again.

    Args:
        logs: Runs by the name of their log.
        sandbox: Where tools run.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    found = [
        judged
        for name, traces in logs.items()
        for halving in range(_HALVINGS)
        for judged in _judged(name, halving, traces, sandbox)
    ]
    met = [one for one in found if one.is_met]
    drawn = random.Random(0).sample(met, min(_SAMPLE, len(met)))  # noqa: S311 - a fixed choice
    return drawn, len(found) - len(met)


def precision_bounds(judged: Sequence[Judged]) -> list[Bound]:
    """Return what must hold of the sample."""
    hold = sum(one.holds for one in judged)
    return [
        Bound("opportunities judged", "", "", len(judged), _SAMPLE, "", at_least=True),
        Bound("opportunities that hold", "", "", hold, _LEAST_HOLD, "", at_least=True),
    ]


def precision_table(judged: Sequence[Judged], not_met: int) -> str:
    """Return how often each tool of the sample was judged and held, for a page."""
    by_tool: defaultdict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        by_tool[one.log, one.tool].append(one)
    rows = [
        (log, tool, str(len(tried)), str(sum(one.holds for one in tried)))
        for (log, tool), tried in sorted(by_tool.items())
    ]
    return "\n\n".join(
        [
            "### Precision: mined from half of the tasks, judged on the other",
            table(("log", "tool", "judged", "hold"), rows),
            f"- {len(judged)} drawn from {_HALVINGS} halvings of each log; {not_met} opportunities"
            " were never met again and are not among them\n- holds: run wherever its calls could"
            " stand, it gives the recorded results; and where agents called the same\n  tools in a"
            f" row, their arguments are what the plan says in {_SETTINGS.min_confidence:.0%} of the"
            " tasks at least",
        ]
    )


def _judged(name: str, halving: int, traces: Sequence[Trace], sandbox: Sandbox) -> Iterator[Judged]:
    tasks = sorted({trace.task.id for trace in traces})
    random.Random(halving).shuffle(tasks)  # noqa: S311 - any order will do
    seen = {*tasks[: len(tasks) // 2]}
    miner = SequenceMiner(_SETTINGS)
    for trace in traces:
        if trace.task.id in seen:
            miner.add(trace)
    found = [one for one in miner.mine() if not one.is_overfitted]
    unseen = [trace for trace in traces if trace.task.id not in seen]
    for wish, one in zip(tool_names(found), found, strict=True):
        draft = draft_tool(one, sandbox, wish)
        if isinstance(draft, Draft):
            tool = PlannedTool(draft.name, draft.name, draft.source, one.plan)
            measured = measure([tool], unseen, sandbox, _SETTINGS)
            yield Judged(
                name,
                halving,
                draft.name,
                measured.total.uses,
                len(measured.refused),
                *_claims(one.plan, unseen),
            )


def _claims(plan: Plan, traces: Sequence[Trace]) -> tuple[int, int]:
    """Count the tasks with the plan's tools in a row that have its data flow, and the others."""
    by_task: defaultdict[str, list[bool]] = defaultdict(list)
    shape = [(step.tool, isinstance(step, LoopStep)) for step in plan]
    for trace in traces:
        for window in windows_of(CallLog(trace, _SETTINGS), _SETTINGS):
            if [(tool, is_loop) for tool, _, is_loop in window.shape()] == shape:
                agrees = _agrees(plan, window)
                if agrees is not None:
                    by_task[window.log.task_id].append(agrees)
    explained = sum(2 * sum(agreed) >= len(agreed) for agreed in by_task.values())
    return explained, len(by_task) - explained


def _agrees(plan: Plan, window: Window) -> bool | None:
    """Whether calls were given what a plan says; None where it claims nothing of them.

    It claims nothing where the caller could not have known what it asks for, or where a run of one
    tool goes over another list.
    """
    bindings: dict[str, Json] = {}
    scope = Scope(bindings, window.results)
    for number, step in enumerate(plan):
        arguments = window.first_call(number).arguments
        if arguments.keys() != {name for name, _ in step.arguments}:
            return None
        for name, origin in step.arguments:
            if isinstance(origin, Parameter):
                if not window.knew_beforehand(number, name):
                    return None
                bindings.setdefault(origin.name, arguments[name])
    for number, step in enumerate(plan):
        if isinstance(step, LoopStep):
            continue
        for name, origin in step.arguments:
            try:
                if evaluate(origin, scope) != window.argument((number, name)):
                    return False
            except EVALUATION_ERRORS:
                return False
    return True
