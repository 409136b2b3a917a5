"""Logs are read several at a time, in any order, and each once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolguild.synth import gathering
from toolguild.synth.gathering import Gathered, gather
from toolguild.synth.mining import MiningSettings
from toolguild.synth.traces import ReadOptions, TraceFileError


def chat(task: int) -> str:
    calls = [{"id": f"c{n}", "function": {"name": f"f{n}", "arguments": "{}"}} for n in range(2)]
    messages = [
        {"role": "user", "content": f"task {task}"},
        {"role": "assistant", "tool_calls": calls},
        *({"role": "tool", "tool_call_id": call["id"], "content": "1"} for call in calls),
    ]
    return json.dumps({"id": f"run {task}", "messages": messages}) + "\n"


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"{number}.jsonl" for number in range(7)]
    for number, file in enumerate(files):
        file.write_text("".join(chat(task) for task in range(number, number + 3)) + "{broken\n")
    return files


def read(paths: list[Path], **more: object) -> Gathered:
    return gather(
        paths,
        read=ReadOptions(),
        settings=MiningSettings(sampled_tasks=4, sampled_tasks_in_all=4),
        **more,
    )  # type: ignore[arg-type]


def test_order_and_executor_change_nothing(
    logs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "LARGE", 0)
    expected = read(logs)
    assert sum(log.traces for log in expected.logs.values()) == 21
    assert len(expected.sample.tasks) == 9
    assert len(expected.problems) == 7
    with ThreadPoolExecutor(2) as executor:
        for found in (read(logs[::-1]), read([logs[0].parent], executor=executor)):
            assert list(found.sample) == list(expected.sample)
            assert found.problems == expected.problems
            assert found.logs == expected.logs


def test_the_same_content_is_read_once(logs: list[Path]) -> None:
    copy = logs[0].with_name("copy.jsonl")
    copy.write_bytes(logs[0].read_bytes())
    assert read([logs[0], copy]).logs == read([logs[0]]).logs


def test_a_known_log_is_not_read_and_a_changed_one_is_told(logs: list[Path]) -> None:
    known = read(logs[:2]).logs.values()
    with logs[1].open("a") as file:
        file.write(chat(100))
    found = read(logs[:3], known=known)
    assert [Path(log.path).name for log in found.logs.values()] == ["2.jsonl"]
    [told] = [one for one in found.problems if "has changed since it was read" in one.message]
    assert told.place.file == str(logs[1])


def test_no_log_is_a_problem_in_a_folder_and_an_error_by_name(logs: list[Path]) -> None:
    other = logs[0].with_name("other.json")
    other.write_text('{"name": "x"}')
    assert any("no known format" in problem.message for problem in read([other.parent]).problems)
    with pytest.raises(TraceFileError, match="no known format"):
        read([*logs, other])


def test_progress_counts_traces(logs: list[Path]) -> None:
    told: list[int] = []
    read(logs, on_progress=told.append)
    assert told == list(range(1, 22))
