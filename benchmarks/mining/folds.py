"""Mining some tasks and measuring on others, five ways."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.mining.baselines import Miner, Run, unverified_saving
from toolguild.sandbox import Limits, Sandbox
from toolguild.synth.drafting import Draft, draft_tool, tool_names
from toolguild.synth.measuring import Measured, PlannedTool, choose_toolbox, measure
from toolguild.synth.mining import MiningSettings, RepeatedSequence, SequenceMiner
from toolguild.synth.proving import prove
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

__all__ = ["FOLDS", "TOOLS", "Fold", "Saved", "folds", "ours", "theirs"]

FOLDS = 5
TOOLS = 10
"""Tools that a toolbox may have."""
_MINING = MiningSettings(sequence_support=2, max_opportunities=60)
"""Two tasks are enough for a candidate: which of them get a place is decided by what they save."""
_PROOF = ValidationSettings(inputs=50, crowd=200, mutants=0, limits=Limits(wall_s=1.0))


@dataclass(frozen=True, slots=True)
class Fold:
    """Runs to mine, and runs of other tasks to measure on."""

    train: Sequence[Trace]
    test: Sequence[Trace]


@dataclass(slots=True)
class Saved:
    """What was saved on the runs of all folds, each measured with what the others gave."""

    calls: int = 0
    saved: int = 0
    extra: int = 0
    """Reads that the agents did not make."""
    refused: int = 0
    """Uses that a tool did not bear out when it was run; they are not counted."""
    tools: list[list[str]] = field(default_factory=list)
    """The toolbox of each fold."""

    @property
    def share(self) -> float:
        """Per cent of the calls that are saved."""
        return 100 * self.saved / self.calls


def folds(traces: Sequence[Trace], assignment: int) -> Iterator[Fold]:
    """Yield the folds, by task: the runs of a task are in one of them.

    Args:
        traces: All runs.
        assignment: 0 for tasks in the order of their ids, others shuffle them.
    """
    tasks = sorted({trace.task.id for trace in traces})
    if assignment:
        random.Random(assignment).shuffle(tasks)  # noqa: S311 - any order will do
    fold_of = {task: number % FOLDS for number, task in enumerate(tasks)}
    for fold in range(FOLDS):
        yield Fold(
            [trace for trace in traces if fold_of[trace.task.id] != fold],
            [trace for trace in traces if fold_of[trace.task.id] == fold],
        )


def ours(
    traces: Sequence[Trace],
    assignment: int,
    sandbox: Sandbox,
    *,
    proven: bool,
    on_measured: Callable[[Measured], None] = lambda measured: None,
) -> Saved:
    """Make tools of four folds and measure them on the fifth, five times.

    Args:
        traces: All runs.
        assignment: Which folds.
        sandbox: Where tools are proven and run.
        proven: Whether only tools count that pass validation; it takes most of the time.
        on_measured: Called with what was measured on each fold.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    total = Saved()
    make = _proven if proven else _drafted
    for fold in folds(traces, assignment):
        miner = SequenceMiner(_MINING)
        for trace in fold.train:
            miner.add(trace)
        found = [one for one in miner.mine() if not one.is_overfitted]
        tools = [
            PlannedTool(draft.name, draft.name, draft.source, one.plan)
            for name, one in zip(tool_names(found), found, strict=True)
            for draft in make(one, name, sandbox)
        ]
        chosen = choose_toolbox(tools, fold.train, TOOLS, _MINING)
        measured = measure(chosen, fold.test, sandbox, _MINING)
        on_measured(measured)
        total.calls += measured.calls
        total.saved += measured.saved
        total.extra += measured.total.extra
        total.refused += len(measured.refused)
        total.tools.append([tool.name for tool in chosen])
    return total


def _proven(found: RepeatedSequence, name: str, sandbox: Sandbox) -> list[Draft]:
    proof = prove(found, sandbox, _PROOF, name)
    return [proof.draft] if proof.passed and proof.draft else []


def _drafted(found: RepeatedSequence, name: str, sandbox: Sandbox) -> list[Draft]:
    draft = draft_tool(found, sandbox, name)
    return [draft] if isinstance(draft, Draft) else []


def theirs(traces: Sequence[Trace], assignment: int, miner: Miner) -> Saved:
    """Measure a miner that counts names of tools in the same way; nothing of it is verified."""
    total = Saved()
    for fold in folds(traces, assignment):
        patterns = miner([*map(_run, fold.train)], TOOLS)
        for run in map(_run, fold.test):
            total.calls += len(run)
            total.saved += unverified_saving(patterns, run)
    return total


def _run(trace: Trace) -> Run:
    return [call.tool for call in trace.calls() if call.tool.lower() not in _MINING.ignored_tools]
