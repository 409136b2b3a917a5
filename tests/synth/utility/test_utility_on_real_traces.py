"""On real runs, what is expected of tools is no more than they save on tasks they never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.synth.measuring import PlannedTool, measure
from toolguild.synth.mining import Sampled, Weight
from toolguild.synth.traces import Trace, read_traces
from toolguild.synth.utility import Prompts, with_utility

Writer: TypeAlias = Any
FOLDS = 5


def expected_and_saved(writer: Writer, train: list[Trace], test: list[Trace]) -> tuple[float, int]:
    """Return the calls that tools of some runs are expected to save in others, and do save."""
    prompts = Prompts([Sampled(trace, Weight(), every_run=True) for trace in train])
    found = [one for one in writer.sequences(train) if not one.is_overfitted]
    utilities = [with_utility(one, prompts).utility for one in found]
    tools = [PlannedTool(str(number), "tool", "", one.plan) for number, one in enumerate(found)]
    expected = len(test) * sum(utility.calls for utility in utilities if utility)
    return expected, measure(tools, test, None).saved


@pytest.mark.traces
@pytest.mark.parametrize("log", ["tau-bench-airline/trajectories.json", "bfcl-multi-turn"])
def test_tools_save_as_much_on_unseen_tasks_as_is_expected_of_them(
    writer: Writer, real_traces: Path, log: str
) -> None:
    read = read_traces([real_traces / log], on_problem=lambda problem: None)
    traces = [trace for trace in read if trace.steps]
    tasks = sorted({trace.task.id for trace in traces})
    fold_of = {task: number % FOLDS for number, task in enumerate(tasks)}
    expected, saved = 0.0, 0
    for fold in range(FOLDS):
        train = [trace for trace in traces if fold_of[trace.task.id] != fold]
        test = [trace for trace in traces if fold_of[trace.task.id] == fold]
        more = expected_and_saved(writer, train, test)
        expected, saved = expected + more[0], saved + more[1]
    print(f"{log}: {expected:.0f} calls expected, {saved} saved")
    assert saved / 3 < expected <= saved
