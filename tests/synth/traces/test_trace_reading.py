"""From paths to traces: walking, detecting, redacting, and refusing with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolguild.policies import ToolguildError
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.traces import Problem, ReadOptions, Trace, TraceFileError, read_traces
from toolguild.synth.traces.detection import READERS, reader_for
from toolguild.synth.traces.errors import AmbiguousFormatError, UnknownFormatError
from toolguild.synth.traces.model import Place
from toolguild.synth.traces.records import Record

# What `conftest` gives cannot be imported from it: under importlib it is no module of ours.
Read: TypeAlias = Callable[..., Any]

CHAT: JsonObject = {
    "messages": [
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]
}


def no_problem(problem: Problem) -> None:
    pytest.fail(str(problem))


def write(path: Path, *records: Json) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_directory_is_walked_in_order_and_other_files_are_left_alone(
    read: Read, tmp_path: Path
) -> None:
    for name in ("b/late.jsonl", "a/x.JSON", "a/y.ndjson", "z.traj", "a/deep/er/w.json"):
        write(tmp_path / name, {**CHAT, "id": name})
    (tmp_path / "README.md").write_text("not read")
    (tmp_path / "a" / "data.json.gz").write_bytes(b"\0\0")
    reading = read(tmp_path)
    assert [trace.id for trace in reading.traces] == [
        "z.traj",
        "a/x.JSON",
        "a/y.ndjson",
        "a/deep/er/w.json",
        "b/late.jsonl",
    ]
    assert reading.problems == []


def test_files_that_are_no_logs_are_problems_in_a_directory_and_errors_by_name(
    read: Read, tmp_path: Path
) -> None:
    write(tmp_path / "log.jsonl", CHAT)
    other = write(tmp_path / "package.json", {"name": "x", "version": 1})
    empty = write(tmp_path / "empty.json")
    reading = read(tmp_path)
    assert len(reading.traces) == 1
    assert [Path(problem.place.file).name for problem in reading.problems] == [
        "empty.json",
        "package.json",
    ]
    assert reading.problems[1].message.startswith("is in no known format")
    with pytest.raises(UnknownFormatError):
        read(other)
    with pytest.raises(TraceFileError, match="is empty"):
        read(empty)


def test_a_directory_without_a_log_is_refused(read: Read, tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match=r"holds no readable log \(looked for \.json, "):
        read(tmp_path)
    write(tmp_path / "package.json", {"name": "x"})
    with pytest.raises(TraceFileError, match=r"the first was refused: .*package\.json is in no"):
        read(tmp_path)


def test_a_missing_path_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    paths = [write(tmp_path / "log.jsonl", CHAT), tmp_path / "none.jsonl"]
    with pytest.raises(TraceFileError, match=r"none\.jsonl does not exist"):
        read_traces(paths, on_problem=no_problem)
    with pytest.raises(TraceFileError, match="cannot be read"):
        read_traces([Path("nul\0byte")], on_problem=no_problem)


def test_an_unknown_format_says_what_was_seen_and_what_there_is(
    read_records_as_traces: Read,
) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        read_records_as_traces({"spans": [], "resource": 1})
    message = str(caught.value)
    assert "log.jsonl" in message
    assert "'spans', 'resource'" in message
    assert "atif, chat, smolagents" in message
    assert isinstance(caught.value, ToolguildError)
    assert isinstance(caught.value, ValueError)


def test_an_ambiguous_format_names_the_candidates_and_an_option_settles_it(
    read_records_as_traces: Read,
) -> None:
    record: Json = {"schema_version": "ATIF-v1.7", "steps": [], "messages": CHAT["messages"]}
    with pytest.raises(AmbiguousFormatError, match="atif, chat") as caught:
        read_records_as_traces(record)
    assert caught.value.candidates == ("atif", "chat")
    assert read_records_as_traces(record, options=ReadOptions(format="chat")).trace.steps
    assert not read_records_as_traces(record, options=ReadOptions(format="atif")).trace.steps


def test_a_reader_that_does_not_exist_is_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", CHAT)
    with pytest.raises(UnknownFormatError, match="no reader is called 'csv'; there are: atif"):
        read_traces([path], options=ReadOptions(format="csv"), on_problem=no_problem)


def test_a_first_record_over_the_bound_is_refused_and_a_later_one_skipped(
    read_records_as_traces: Read,
) -> None:
    large: Json = {"messages": [{"role": "user", "content": "x" * 5000}]}
    bound = ReadOptions(max_record_bytes=2000)
    with pytest.raises(TraceFileError, match=r"log\.jsonl: line 1 is larger than 2000 bytes"):
        read_records_as_traces(large, CHAT, options=bound)
    reading = read_records_as_traces(CHAT, large, CHAT, options=bound)
    assert len(reading.traces) == 2
    assert [problem.place.line for problem in reading.problems] == [2]


def test_the_bound_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        ReadOptions(max_record_bytes=0)


def test_a_file_without_any_readable_record_is_refused(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("time,tool\n1,f\n" * 1000)
    with pytest.raises(TraceFileError, match=r"no readable JSON record \(line 1: not valid JSON"):
        read(path)


def test_broken_lines_before_and_between_are_reported_in_order(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    line = json.dumps(CHAT)
    path.write_text(f"not json\n{line}\n{{cut\n{line}\n")
    reading = read(path)
    assert len(reading.traces) == 2
    assert [problem.place.line for problem in reading.problems] == [1, 3]


def test_trace_ids_are_unique_and_a_file_is_read_once(read: Read, tmp_path: Path) -> None:
    named: Json = {**CHAT, "id": "same"}
    path = write(tmp_path / "log.jsonl", named, named, CHAT, CHAT)
    reading = read(path, tmp_path, tmp_path / "." / "log.jsonl")
    ids = [trace.id for trace in reading.traces]
    assert ids[:2] == ["same", "same~2"]
    assert len(set(ids)) == 4


def test_secrets_never_reach_a_trace_or_a_problem(read: Read, tmp_path: Path) -> None:
    key = "sk-" + "proj-" + "abcDEF0123456789abcdef"
    chat = json.dumps(CHAT).replace('"go"', f'"use {key}"')
    path = tmp_path / "log.jsonl"
    path.write_text(f'{chat}\n{{"{key}": 1}}\n')
    reading = read(path)
    assert reading.traces[0].task.text == "use [redacted:openai_key#1]"
    assert key not in repr(reading)
    with pytest.raises(TraceFileError) as caught:
        write(path, {key: 1})
        read(path)
    assert key not in str(caught.value)


def test_a_record_with_too_many_secrets_is_dropped_and_reported(
    read_records_as_traces: Read,
) -> None:
    secrets: Json = [{"password": f"secret-{n}"} for n in range(1001)]
    reading = read_records_as_traces(CHAT, {**CHAT, "secrets": secrets}, CHAT)
    assert len(reading.traces) == 2
    assert "more than 1000 secrets" in reading.problems[0].message


def test_a_task_key_that_is_missing_is_reported(read_records_as_traces: Read) -> None:
    keyed: Json = {**CHAT, "case": "c-1"}
    reading = read_records_as_traces(keyed, CHAT, options=ReadOptions(task_key="case"))
    assert [trace.task.id for trace in reading.traces] == ["c-1"]
    assert [(p.place.line, p.message) for p in reading.problems] == [
        (2, "no text or number at 'case', given as task_key")
    ]


def test_traces_come_before_the_file_has_been_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", *[CHAT] * 5000)
    problems: list[Problem] = []
    traces = read_traces([path], on_problem=problems.append)
    assert isinstance(next(traces), Trace)
    with path.open("a") as file:
        file.write("not json\n")
    assert len(list(traces)) == 4999
    assert [problem.place.line for problem in problems] == [5001]


keys = st.sampled_from(
    [
        *("role", "content", "tool_calls", "function", "name", "arguments", "messages", "id"),
        *("steps", "source", "step_id", "schema_version", "observation", "results", "extra"),
        *("step_number", "code_action", "task", "task_images", "error", "observations", "timing"),
        *("start_time", "tools", "trial", "score", "state", "history", "subagent_trajectories"),
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["user", "assistant", "tool", "agent", "ATIF-v1.7", "<execute>x</execute>"])
)
hostile = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=25,
)


@given(st.lists(hostile, min_size=1, max_size=4), st.sampled_from(READERS))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_record_makes_a_reader_fail(values: list[Json], factory: Any) -> None:
    reader = factory(ReadOptions())
    records = [Record(value, "", Place("f", line), line, 1) for line, value in enumerate(values, 1)]
    assert isinstance(reader.claims(records), bool)
    found: Iterable[Trace | Problem] = reader.read(records)
    for item in found:
        assert isinstance(item, Trace | Problem)


@given(hostile)
def test_detection_names_one_reader_or_says_why_not(value: Json) -> None:
    sample = [Record(value, "", Place("f", 1), 0, 1)]
    try:
        reader = reader_for("f", sample, ReadOptions())
    except TraceFileError as error:
        assert "f " in str(error)
    else:
        assert reader.claims(sample)
