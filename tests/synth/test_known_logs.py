"""What is known grows with each log, and is the same whatever the order in which they came."""

from __future__ import annotations

import json
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import ToolguildError
from toolguild.synth.known import KnownLogs, KnownLogsError
from toolguild.synth.mining import MiningSettings
from toolguild.synth.synthesis import mine
from toolguild.synth.traces import ReadOptions, TraceFileError

SETTINGS = MiningSettings(sampled_tasks=6, sampled_tasks_in_all=6)
LOGS = 6


def chat(task: int) -> str:
    """Return a run that looks a user up and then each of their orders."""
    orders = [f"order-{task}-{number}" for number in range(1 + task % 3)]
    calls = [("find_user", {"email": f"u{task}@x.org"}, {"orders": orders})]
    calls += [("get_order", {"order": order}, {"total": task}) for order in orders]
    messages: list[object] = [{"role": "user", "content": f"I am u{task}@x.org"}]
    for number, (name, arguments, result) in enumerate(calls):
        call = {"id": f"c{number}", "function": {"name": name, "arguments": json.dumps(arguments)}}
        messages.append({"role": "assistant", "tool_calls": [call]})
        messages.append(
            {"role": "tool", "tool_call_id": f"c{number}", "content": json.dumps(result)}
        )
    return json.dumps({"id": f"run-{task}", "messages": messages}) + "\n"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("logs")
    files = [folder / f"{number}.jsonl" for number in range(LOGS)]
    for number, file in enumerate(files):
        file.write_text("".join(map(chat, range(3 * number, 3 * number + 3))))
    return files


@st.composite
def portions(draw: st.DrawFn) -> list[list[int]]:
    """Return the numbers of the logs in some order, cut into portions."""
    order = draw(st.permutations(range(LOGS)))
    cuts = sorted(draw(st.sets(st.integers(1, LOGS - 1), max_size=3)))
    return [order[start:end] for start, end in pairwise([0, *cuts, LOGS])]


@given(portions=portions())
@settings(max_examples=30)
def test_portions_and_their_order_change_nothing(
    portions: list[list[int]], logs: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = mine(logs, settings=SETTINGS)
    assert expected.opportunities
    assert expected.sampled
    known = tmp_path_factory.mktemp("known") / "known.db"
    for portion in portions:
        mined = mine([logs[number] for number in portion], settings=SETTINGS, known=known)
    assert mined == expected


def test_known_logs_are_neither_read_again_nor_needed(logs: list[Path], tmp_path: Path) -> None:
    moved = tmp_path / "log.jsonl"
    moved.write_bytes(logs[0].read_bytes())
    known = tmp_path / "known.db"
    first = mine([moved, logs[1]], known=known)
    content = known.read_bytes()
    assert mine([moved], known=known) == first
    assert known.read_bytes() == content
    moved.unlink()
    assert mine([logs[1]], known=known).traces == 6


def test_a_changed_log_is_told_and_not_read_twice(logs: list[Path], tmp_path: Path) -> None:
    log, known = tmp_path / "log.jsonl", tmp_path / "known.db"
    log.write_bytes(logs[0].read_bytes())
    first = mine([log], known=known)
    log.write_bytes(logs[0].read_bytes() + logs[1].read_bytes())
    again = mine([log], known=known)
    assert again.traces == first.traces
    assert [problem.place.file for problem in again.problems] == [str(log)]


def test_other_settings_are_refused_by_name(logs: list[Path], tmp_path: Path) -> None:
    known = tmp_path / "known.db"
    mine(logs, known=known)
    mine(logs, known=known, settings=MiningSettings(sequence_support=2))
    with pytest.raises(KnownLogsError, match="sampled_tasks, sampled_tasks_in_all, task_key"):
        mine(logs, known=known, settings=SETTINGS, read=ReadOptions(task_key="id"))


def test_a_run_that_fails_leaves_what_was_known(logs: list[Path], tmp_path: Path) -> None:
    known = tmp_path / "known.db"
    mine(logs[:1], known=known)
    before = known.read_bytes()
    broken = tmp_path / "broken.json"
    broken.write_text("no log")
    with pytest.raises(TraceFileError):
        mine([*logs, broken], known=known)
    assert known.read_bytes() == before


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a database, but longer than the header of one\n" * 10)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE tools (name TEXT)")
    for path in (text, other, tmp_path / "none" / "known.db"):
        with pytest.raises(KnownLogsError, match="cannot be used"):
            KnownLogs(path, SETTINGS, ReadOptions())


def test_a_run_that_is_damaged_is_an_error_in_words(logs: list[Path], tmp_path: Path) -> None:
    known = tmp_path / "known.db"
    mine(logs, known=known)
    with sqlite3.connect(known) as database:
        database.execute("UPDATE runs SET packed = x'00'")
    with pytest.raises(ToolguildError, match="damaged"):
        mine(logs, known=known)
