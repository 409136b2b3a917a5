"""The real traces beside the repository, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.synth.traces import TraceFileError

# What `conftest` gives cannot be imported from it: under importlib it is no module of ours.
Read: TypeAlias = Callable[..., Any]

pytestmark = pytest.mark.traces


def test_tau_bench_airline(read: Read, real_traces: Path) -> None:
    reading = read(real_traces / "tau-bench-airline" / "trajectories.json")
    traces = reading.traces
    assert reading.problems == []
    assert (len(traces), len({trace.task.id for trace in traces})) == (100, 25)
    assert len({trace.id for trace in traces}) == 100
    calls = [call for trace in traces for call in trace.calls()]
    tools = Counter(call.tool for call in calls)
    assert (len(calls), tools["get_reservation_details"], tools["think"]) == (577, 198, 41)
    assert sum(len(trace.steps) for trace in traces) == 577
    # In these logs every call has its result; `think` returns nothing, as an empty text.
    assert all((call.result == "") == (call.tool == "think") for call in calls)
    assert all(call.result is not None for call in calls)
    assert all(isinstance(c.result, float) for c in calls if c.tool == "calculate")
    assert all(isinstance(c.result, dict) for c in calls if c.tool == "get_user_details")
    failed = [call for call in calls if call.error]
    assert len(failed) == 21
    assert all(call.error == call.result for call in failed)
    assert Counter(trace.outcome.success for trace in traces) == {True: 49, False: 51}
    assert "redacted" not in repr(traces)


def test_tool_schemas_beside_a_log_are_reported_and_not_read(read: Read, real_traces: Path) -> None:
    reading = read(real_traces / "tau-bench-airline")
    assert len(reading.traces) == 100
    assert [Path(problem.place.file).name for problem in reading.problems] == ["tools.json"]


def test_bfcl_multi_turn(read: Read, real_traces: Path) -> None:
    reading = read(real_traces / "bfcl-multi-turn")
    traces = reading.traces
    assert reading.problems == []
    assert (len(traces), traces[0].id) == (100, "multi_turn_base_0")
    calls = [call for trace in traces for call in trace.calls()]
    assert (len(calls), len({call.tool for call in calls})) == (635, 54)
    # The agent logs in with the password that the record's own configuration holds.
    logins = [call for call in calls if call.tool == "authenticate_twitter"]
    assert logins
    assert all(call.arguments["password"] == "[redacted:password#1]" for call in logins)  # noqa: S105 - what stands for one


def test_mint(read: Read, real_traces: Path) -> None:
    reading = read(real_traces / "mint")
    traces = reading.traces
    assert reading.problems == []
    assert len(traces) == 904
    # 452 tasks, of which three are worded differently for the two models, and two are the same.
    assert len({trace.task.id for trace in traces}) == 454
    shared = Counter(trace.task.id for trace in traces)
    assert Counter(shared.values()) == {2: 447, 1: 6, 4: 1}
    runs = [run for trace in traces for run in trace.code()]
    assert len(runs) == sum(len(trace.steps) for trace in traces) == 2088
    assert all(run.code and not run.code[0].isspace() for run in runs)
    assert not any("steps left" in run.result or "\x1b" in run.result for run in runs)
    assert not any(run.result.startswith("Observation:") for run in runs)
    assert sum(run.error is not None for run in runs) == 395
    errors = Counter((run.error or "").split(":")[0] for run in runs)
    assert (errors["AssertionError"], errors["ZeroDivisionError"]) == (260, 3)
    assert Counter(trace.outcome.success for trace in traces) == {True: 450, False: 454}
    assert "redacted" not in repr(traces)


def test_formats_that_no_reader_knows_yet_are_refused_and_not_misread(
    read: Read, real_traces: Path
) -> None:
    formats = real_traces / "formats"
    names = ["claude-code/*.jsonl", "inspect/*.json", "langfuse-export/*.json"]
    names += ["openhands/*.jsonl", "toolbench/*.json", "swe-agent/*a*.traj"]
    paths = [path for name in names for path in sorted(formats.glob(name))]
    assert len(paths) == 19
    refused = set()
    for path in paths:
        try:
            read(path)
        except TraceFileError as error:
            assert "is in no known format" in str(error)
            refused.add(path.name)
    # One of the SWE-agent files holds nothing but a chat, and is read as one.
    assert {path.name for path in paths} - refused == {"function_calling_simple.traj"}
