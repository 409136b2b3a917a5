"""Task, trace id and outcome, under the names that logs give them."""

from __future__ import annotations

import pytest

from toolguild.sandbox import Json
from toolguild.synth.traces import Outcome, ReadOptions
from toolguild.synth.traces.identity import (
    MissingTaskError,
    at_path,
    outcome_of,
    task_of,
    trace_id,
)

NOTHING_KNOWN = ReadOptions()


@pytest.mark.parametrize(
    "record",
    [
        {"task": {"prompt": "add two numbers", "task_id": 7}},
        {"task": {"instruction": " add two numbers\n"}},
        {"info": {"task": {"instruction": "add two numbers"}}},
        {"task": "add two numbers", "task_id": 3},
        {"question": "add two numbers"},
        {"instruction": "add two numbers", "id": "x"},
    ],
)
def test_runs_share_a_task_by_its_own_text(record: Json) -> None:
    task = task_of(record, "Hello, here is a task for you", NOTHING_KNOWN)
    assert task == task_of({"question": "add two numbers"}, "", NOTHING_KNOWN)
    assert task.text == "add two numbers"


def test_without_text_the_id_of_the_task_counts_then_the_first_message() -> None:
    by_id = task_of({"task_id": 0, "id": "run-1"}, "Hi", NOTHING_KNOWN)
    assert (by_id.id, by_id.text) == ("0", "Hi")
    assert task_of({"instance_id": "a__b-1"}, "Hi", NOTHING_KNOWN).id == "a__b-1"
    # `id` may name the run, and would make a task of every run.
    assert task_of({"id": "run-1"}, "Hi", NOTHING_KNOWN) == task_of(
        {"id": "run-2"}, " Hi ", NOTHING_KNOWN
    )
    assert task_of({}, "Hi", NOTHING_KNOWN) != task_of({}, "Bye", NOTHING_KNOWN)


def test_the_task_key_of_the_caller_decides() -> None:
    options = ReadOptions(task_key="meta.case")
    assert task_of({"meta": {"case": 7}, "task": "text"}, "", options).id == "7"
    with pytest.raises(MissingTaskError, match=r"meta\.case"):
        task_of({"meta": {}, "task": "text"}, "", options)


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        ({"reward": 1.0}, Outcome(1.0, True)),
        ({"reward": 0}, Outcome(0.0, False)),
        ({"score": 0.4}, Outcome(0.4, None)),
        ({"score": 85}, Outcome(85.0, None)),
        ({"score": 0.4, "success": True}, Outcome(0.4, True)),
        ({"success": False}, Outcome(None, False)),
        ({"state": {"success": True}}, Outcome(None, True)),
        ({"info": {"reward_info": {"reward": 1}}}, Outcome(1.0, True)),
        ({"resolved": True}, Outcome(None, True)),
        ({"score": True}, Outcome(None, True)),
        ({"score": "C", "success": "yes"}, Outcome(None, None)),
        ({"score": 10**400}, Outcome(None, None)),
        ([], Outcome(None, None)),
    ],
)
def test_outcomes_are_read_under_common_names(record: Json, outcome: Outcome) -> None:
    assert outcome_of(record, NOTHING_KNOWN) == outcome


def test_the_score_key_of_the_caller_decides() -> None:
    record: Json = {"reward": 0, "judge": {"points": 0.7, "passed": True}}
    assert outcome_of(record, ReadOptions(score_key="judge.points")).score == 0.7
    assert outcome_of(record, ReadOptions(score_key="judge.passed")) == Outcome(None, True)


def test_trace_ids_are_explicit_with_the_trial_or_digests_of_the_content() -> None:
    assert trace_id({"id": "a"}, NOTHING_KNOWN) == "a"
    assert trace_id({"id": "a", "trial": 0}, NOTHING_KNOWN) == "a/0"
    assert trace_id({"id": "a", "nr": 2}, ReadOptions(trial_key="nr")) == "a/2"
    digest = trace_id({"messages": [1], "trial": 0}, NOTHING_KNOWN)
    assert digest == trace_id({"trial": 0, "messages": [1]}, NOTHING_KNOWN)
    assert digest != trace_id({"messages": [1], "trial": 1}, NOTHING_KNOWN)


def test_paths_lead_through_objects_only() -> None:
    assert at_path({"a": {"b": 1}}, "a.b") == 1
    assert at_path({"a": [1]}, "a.0") is None
    assert at_path("text", "a") is None
