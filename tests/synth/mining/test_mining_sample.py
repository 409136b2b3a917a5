"""A sample follows from the runs and not from their order, and stands for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining import MiningSettings, Sample, Sampled, SequenceMiner, extent_of
from toolguild.synth.traces import ToolDefinition, Trace

Writer: TypeAlias = Any

FEW = MiningSettings(sampled_tasks=3, sampled_tasks_in_all=2, sampled_runs=2)
TOOLS = ("get_a", "get_b", "get_c")


def taken(traces: Sequence[Trace], settings: MiningSettings = FEW) -> Sample:
    sample = Sample(settings)
    for trace in traces:
        sample.add(trace)
    return sample


def content(sample: Sample) -> tuple[list[Sampled], set[Any], set[int]]:
    return list(sample), {kept.lot for kept in sample.kept}, set(sample.tasks)


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[int, int, tuple[str, ...]]]:
    """Return runs: task, number of the run, and the tools that it calls, or nothing for code."""
    return draw(
        st.lists(
            st.tuples(
                st.integers(0, 9),
                st.integers(0, 9),
                st.lists(st.sampled_from(TOOLS), max_size=3).map(tuple),
            ),
            max_size=30,
            unique_by=lambda run: run[:2],
        )
    )


def written(writer: Writer, runs: Sequence[tuple[int, int, tuple[str, ...]]]) -> list[Trace]:
    traces = []
    for task, number, tools in runs:
        calls = [writer.call(tool, {"id": task}, {"ok": True}) for tool in tools]
        steps = calls or [writer.code("1")]
        traces.append(writer.trace(f"task{task}", *steps, run=f"run{number}"))
    return traces


@given(runs=runs(), chance=st.randoms(use_true_random=False), parts=st.integers(1, 4))
def test_neither_order_nor_portions_change_a_sample(
    writer: Writer, runs: list[tuple[int, int, tuple[str, ...]]], chance: Any, parts: int
) -> None:
    traces = written(writer, runs)
    expected = content(taken(traces))
    chance.shuffle(traces)
    assert content(taken(traces)) == expected
    merged = Sample(FEW)
    for part in range(parts):
        merged.merge(taken(traces[part::parts]))
    assert content(merged) == expected
    again = Sample(FEW)
    again.restore(merged.tasks, merged.tools, merged.kept)
    assert content(again) == expected


@given(runs=runs())
def test_what_is_not_too_much_is_kept_as_it_is(
    writer: Writer, runs: list[tuple[int, int, tuple[str, ...]]]
) -> None:
    traces = written(writer, runs)
    kept = list(taken(traces, MiningSettings()))
    assert [one.trace for one in kept] == sorted(traces, key=lambda trace: trace.id)
    assert all((one.weight.runs, one.weight.tasks) == (1, 1) for one in kept)
    assert all(one.every_run for one in kept)


def test_a_sample_stays_small_and_stands_for_all(writer: Writer) -> None:
    settings = MiningSettings(sampled_tasks=200, sampled_tasks_in_all=200)
    size = 4000
    sample = taken(
        [
            trace
            for task in range(size)
            for tools in [TOOLS[:2] if task % 4 else TOOLS[1:]]
            for trace in written(writer, [(task, run, tools) for run in range(1 + task % 2)])
        ],
        settings,
    )
    assert len(sample.kept) < 1000
    assert len(sample.tasks) == size
    weights = [one.weight for one in sample]
    assert sum(weight.runs for weight in weights) == pytest.approx(1.5 * size, rel=0.15)


def test_of_a_task_that_is_run_again_and_again_only_some_runs_are_kept(writer: Writer) -> None:
    many = 2000
    sample = taken(
        written(writer, [(task, run, TOOLS) for task in range(2) for run in range(many)]),
        MiningSettings(sampled_runs=100),
    )
    assert len(sample.kept) < 300
    assert sum(one.weight.runs for one in sample) == pytest.approx(2 * many, rel=0.3)
    assert {one.weight.tasks for one in sample} == {1.0}
    assert not any(one.every_run for one in sample)


def test_nothing_is_said_of_all_runs_of_a_task_that_was_not_drawn_as_such(writer: Writer) -> None:
    settings = MiningSettings(sampled_tasks=1000, sampled_tasks_in_all=3)
    traces = written(writer, [(task, run, TOOLS) for task in range(9) for run in range(2)])
    whole = [one.trace.task.id for one in taken(traces, settings) if one.every_run]
    assert len(whole) == 6
    assert len({*whole}) == 3


def test_an_opportunity_says_what_it_comes_to_in_all_logs(writer: Writer) -> None:
    settings = MiningSettings(sampled_tasks=100, sampled_tasks_in_all=100)
    size = 2000
    traces = []
    for task in range(size):
        owner = writer.call("get_owner", {"name": f"name-{task}"}, {"home": f"home-{task}"})
        home = writer.call("get_home", {"home": f"home-{task}"}, {"rooms": task})
        traces.append(writer.trace(f"task{task}", owner, home))
    miner = SequenceMiner(settings)
    for one in taken(traces, settings):
        miner.add(one.trace, one.weight)
    [found] = miner.mine()
    assert len(found.everywhere) == 100
    extent = extent_of(found)
    assert extent.places == extent.tasks == extent.saving.calls
    assert extent.places == pytest.approx(size, rel=0.2)


def test_the_fuller_description_of_a_tool_is_kept_whatever_the_order(writer: Writer) -> None:
    one = ToolDefinition("f", "What it does.", {})
    other = replace(one, description="What it does, in another version.")
    traces = [writer.trace("a", tools=[one]), writer.trace("b", tools=[other])]
    assert [*taken(traces).tools] == [*taken(traces[::-1]).tools]


def test_runs_with_one_id_in_several_logs_are_told_apart(writer: Writer) -> None:
    [trace] = written(writer, [(1, 1, TOOLS)])
    same = replace(trace, source=replace(trace.source, file="other.jsonl"))
    for traces in ([trace, same], [same, trace]):
        ids = [(one.trace.id, one.trace.source.file) for one in taken(traces)]
        assert ids == [("task1/run1", "other.jsonl"), ("task1/run1~2", "task1.jsonl")]
