"""A warm-up records each task once, however often it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from shop_runs import AGENT, SHOP, keep, shop_attempt_async, shop_task

from toolguild.agent.evaluation import Exact, Score
from toolguild.agent.improvement.attempts import Attempt, TaskCase
from toolguild.agent.improvement.bootstrapping import Practice, Practised, run_id, warm_up
from toolguild.agent.stages import Guidance, UnsoundEventsError
from toolguild.registry import Registry, Toolbox
from toolguild.sandbox import ScriptedSandbox
from toolguild.synth.models import ModelDownError
from toolguild.synth.traces import read_traces

CASES = [TaskCase(f"case-{task}", shop_task(task), Exact("Sent.")) for task in range(4)]


class Desk:
    """An agent at work, its model down at one task, and what came of its warm-up."""

    def __init__(self, registry: Registry, traces: Path) -> None:
        self.registry, self.traces = registry, traces
        self.toolbox = Toolbox(registry, ScriptedSandbox(), SHOP)
        self.down_at = -1
        self.worked: list[str] = []
        self.told: list[Practised] = []

    def practise(self, name: str = "first", cases: Sequence[TaskCase] = CASES) -> Practice:
        known = {run.run for run in self.registry.improvements.runs(AGENT)}
        return asyncio.run(
            warm_up(
                name,
                self.work,
                cases,
                lambda task: Guidance(instructions=f"Mind: {task}"),
                lambda attempt: keep(self.registry, attempt, self.traces, self.registry.now()),
                scored=known,
                on_progress=self.told.append,
            )
        )

    async def work(self, case: TaskCase, guidance: Guidance) -> Attempt:
        number = CASES.index(case)
        if number == self.down_at:
            raise ModelDownError("the script is at its end")
        self.worked.append(case.id)
        return await shop_attempt_async(self.toolbox, number, run=None, guidance=guidance)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Registry.open(tmp_path / "tools.db") as registry:
        yield Desk(registry, tmp_path / "traces")


def test_each_task_is_worked_on_and_scored_under_the_id_of_the_warm_up(desk):
    assert desk.practise() == Practice(worked=4, known=0)
    runs = desk.registry.improvements.runs(AGENT)
    assert [run.run for run in runs] == [run_id("first", case.id) for case in CASES]
    assert [run.task for run in runs] == [case.task for case in CASES]
    [trace] = read_traces([desk.traces / f"{runs[0].run}.json"], on_problem=print)
    assert trace.id == runs[0].run
    assert [(one.number, one.tasks, one.case.id) for one in desk.told] == [
        (number, 4, case.id) for number, case in enumerate(CASES, start=1)
    ]
    assert all(one.attempt.events[0].instructions == f"Mind: {one.case.task}" for one in desk.told)


def test_an_interrupted_warm_up_goes_on_where_it_was(desk):
    desk.down_at = 2
    with pytest.raises(ModelDownError):
        desk.practise()
    assert len(desk.registry.improvements.runs(AGENT)) == 2
    desk.down_at = -1
    desk.told.clear()
    assert desk.practise() == Practice(worked=2, known=2)
    assert desk.worked == [case.id for case in CASES]
    assert [one.attempt is None for one in desk.told] == [True, True, False, False]
    assert desk.practise() == Practice(worked=0, known=4)
    assert desk.practise("second") == Practice(worked=4, known=0)


def test_two_tasks_of_one_id_are_refused_before_anything_is_done(desk):
    with pytest.raises(ValueError, match="two of its tasks have the same id"):
        desk.practise(cases=[CASES[0], CASES[0]])
    assert desk.worked == []


def test_an_attempt_without_the_start_of_a_run_is_not_recorded(desk):
    async def work(_case: TaskCase, _guidance: Guidance) -> Attempt:
        return Attempt((), Score(1.0))

    with pytest.raises(UnsoundEventsError):
        asyncio.run(warm_up("first", work, CASES, lambda task: Guidance(), desk.told.append))
    assert desk.told == []


def test_ids_of_runs_tell_warm_ups_and_tasks_apart():
    assert len({run_id("a", "b/c"), run_id("a/b", "c"), run_id("ab", "c"), run_id("a", "bc")}) == 4
