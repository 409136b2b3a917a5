"""`synthesize` and `mine`: the main job as a person or a script sees it, and bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from toolguild.registry import Registry, head, verify

TOOL = "find_customer_with_orders"
MEGABYTE = 1_000_000


def test_a_loop_in_a_log_becomes_a_registered_tool(toolguild: Any, log: Path) -> None:
    ran = toolguild("synthesize", log, "--registry", "tools.db", "--json")
    assert ran.code == 0
    [tool] = ran.json["tools"]
    assert (tool["name"], tool["fate"], tool["ref"]) == (TOOL, "registered", f"{TOOL}@1")
    assert tool["opportunity"]["support"] == 8
    assert ran.json["traces"] == ran.json["tasks"] == 8
    assert all(check["passed"] is not False for check in tool["evidence"]["checks"])
    with Registry.open("tools.db") as registry:
        assert registry.tool(TOOL).spec.calls == ("find_customer", "get_order")
        assert verify(registry).ok


def test_a_second_run_changes_nothing_and_says_so(toolguild: Any, log: Path) -> None:
    toolguild("synthesize", log, "--registry", "tools.db")
    with Registry.open("tools.db") as registry:
        before = head(registry)
    ran = toolguild("synthesize", log, "--registry", "tools.db")
    assert ran.code == 0
    assert "1 unchanged" in ran.err
    assert "Nothing new" in ran.err
    with Registry.open("tools.db") as registry:
        assert head(registry) == before


def test_a_person_gets_a_table_and_messages_apart(toolguild: Any, log: Path) -> None:
    ran = toolguild("synthesize", log)
    assert f"{TOOL}@1" in ran.out
    assert "registered" in ran.out
    assert ".toolguild/registry.db" in ran.err


def test_mining_stores_nothing(toolguild: Any, log: Path, tmp_path: Path) -> None:
    ran = toolguild("mine", log, "--json")
    assert ran.code == 0
    [opportunity] = ran.json["opportunities"]
    assert opportunity["pattern"] == "find_customer -> get_order for each of orders"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.jsonl"]
    assert "find_customer -> get_order" in toolguild("mine", log).out


def test_nothing_worth_a_tool_is_exit_code_1(toolguild: Any, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.jsonl"
    quiet.write_text(json.dumps({"messages": [{"role": "user", "content": "Hello"}]}))
    ran = toolguild("synthesize", quiet)
    assert ran.code == 1
    assert "--min-support" in ran.err


def test_min_support_is_counted_in_tasks(toolguild: Any, log: Path) -> None:
    assert toolguild("mine", log, "--min-support", "8").code == 0
    assert toolguild("mine", log, "--min-support", "9").code == 1


def test_a_broken_line_is_reported_and_the_rest_is_used(toolguild: Any, log: Path) -> None:
    lines = log.read_text().splitlines()
    log.write_text("\n".join([*lines[:4], '{"messages": [', *lines[4:]]))
    ran = toolguild("synthesize", log, "--json")
    assert ran.code == 0
    assert ran.json["traces"] == 8
    [skipped] = ran.json["skipped"]
    assert skipped["place"] == f"{log}:5"
    assert f"{log}:5: skipped" in ran.err


def test_an_array_that_is_cut_off_is_used_up_to_there(toolguild: Any, log: Path) -> None:
    runs = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text(json.dumps(runs)[:-50])
    ran = toolguild("synthesize", log, "--json")
    assert ran.code == 0
    assert ran.json["traces"] == 7
    assert "cut off" in ran.json["skipped"][0]["message"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x7fELF\x00\x01\x02", "binary"),
        (b'{"nothing": "known"}\n', "nothing"),
        (b"plain text\n", "JSON"),
        (b'[{"messages": [{"role": "us', "JSON"),
    ],
    ids=["empty", "binary", "unknown format", "text", "truncated"],
)
def test_a_file_that_is_no_log_is_exit_code_2(
    toolguild: Any, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(content)
    ran = toolguild("synthesize", path)
    assert ran.code == 2
    assert said in ran.err
    assert str(path) in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_file_and_an_empty_folder_are_exit_code_2(toolguild: Any, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    for path in (tmp_path / "missing.jsonl", folder):
        ran = toolguild("synthesize", path)
        assert ran.code == 2
        assert str(path) in ran.err


@pytest.mark.parametrize("where", ["file.txt/tools.db", "folder", "file.txt"])
def test_a_registry_that_cannot_be_written_is_exit_code_3(
    toolguild: Any, log: Path, tmp_path: Path, where: str
) -> None:
    (tmp_path / "file.txt").write_text("not a database, and longer than the header of one" * 9)
    (tmp_path / "folder").mkdir()
    ran = toolguild("synthesize", log, "--registry", where)
    assert ran.code == 3
    assert where.split("/")[0] in ran.err
    assert "Traceback" not in ran.err


def test_wrong_usage_is_exit_code_2(toolguild: Any, log: Path) -> None:
    assert toolguild("synthesize").code == 2
    assert toolguild("synthesize", log, "--min-support", "0").code == 2
    assert toolguild("synthesize", log, "--format", "no-such-format").code == 2
    assert toolguild("no-such-command").code == 2


def test_a_huge_line_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.write(b'{"messages": [{"role": "user", "content": "')
        for _ in range(200):
            file.write(b"x" * MEGABYTE)
        file.write(b'"}]}\n')
    # The limit counts address space, of which the interpreter and its libraries take a part.
    limited = (
        f"ulimit -v {700 * MEGABYTE // 1024}; exec {sys.executable} -m toolguild.cli mine {path}"
    )
    ran = subprocess.run(["bash", "-c", limited], capture_output=True, text=True)  # noqa: S607
    assert ran.returncode == 2
    assert f"{path}: line 1" in ran.stderr or "32" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_ctrl_c_leaves_the_registry_intact(tmp_path: Path, run_of: Any) -> None:
    lines = []
    for number in range(400):
        tool = f"tool_{number % 40}"
        lines.append(json.dumps(run_of(tool, number // 40, 2 + number // 40 % 2)))
    log = tmp_path / "runs.jsonl"
    log.write_text("\n".join(lines))
    command = [sys.executable, "-m", "toolguild.cli", "synthesize", log, "--sandbox", "local"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    database = tmp_path / ".toolguild" / "registry.db"
    deadline = time.monotonic() + 60
    while not registered(database) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    with Registry.open(database) as registry:
        assert verify(registry).ok
        assert 0 < len(registry.tools()) < 40


def registered(database: Path) -> bool:
    if not database.exists():
        return False
    with Registry.open(database) as registry:
        return bool(registry.tools())


def test_a_log_cannot_steer_the_terminal(toolguild: Any, tmp_path: Path, run_of: Any) -> None:
    evil = "evil\x1b[2J\u202e"
    runs = [json.dumps(run_of(evil, task, 2 + task % 2)) for task in range(1, 6)]
    path = tmp_path / "evil.jsonl"
    path.write_text("\n".join(runs))
    for command in ("mine", "synthesize"):
        ran = toolguild(command, path)
        assert "\x1b" not in ran.out + ran.err
        assert "\u202e" not in ran.out + ran.err
