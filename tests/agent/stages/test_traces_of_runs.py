"""The trace that a run leaves is one that toolguild reads, and mines."""

from __future__ import annotations

import json

from atif import Trajectory
from stage_runs import configuration, reconfigure, terminate

from toolguild.agent.scripted import Calls, Says
from toolguild.agent.stages.atif import trace_of, write_trace
from toolguild.synth.traces import ToolCall, read_traces


def test_it_reads_as_what_was_done(play, tmp_path) -> None:
    run = play(
        configuration("find_city", "find_weather"),
        Calls(("find_city", {"person": "Ada"}), ("find_city", {"person": "Eve"})),
        Says("Let me think."),
        reconfigure("Tell Ada."),
        configuration("send_note", "add", sub_goal="Tell Ada."),
        Calls(("send_note", {"to": "Ada", "text": "Hello"})),
        terminate("Told."),
    )
    path = tmp_path / "run.json"
    write_trace(path, trace_of(run.events, score=1.0))
    Trajectory.model_validate_json(path.read_text())
    (trace,) = read_traces([path], on_problem=print)
    calls = [step for step in trace.steps if isinstance(step, ToolCall)]
    assert trace.id == run.result.run
    assert trace.task.text == "Find out where Ada lives."
    assert [(call.tool, call.arguments, call.result) for call in calls[::2]] == [
        ("find_city", {"person": "Ada"}, "Paris"),
        ("send_note", {"to": "Ada", "text": "Hello"}, "sent to Ada"),
    ]
    assert calls[1].error
    assert trace.outcome.score == 1.0


def test_arguments_that_are_no_object_still_make_a_trajectory(play) -> None:
    run = play(configuration("find_city", "add"), Calls(("find_city", {})), terminate())
    assert Trajectory.model_validate(json.loads(json.dumps(trace_of(run.events))))
