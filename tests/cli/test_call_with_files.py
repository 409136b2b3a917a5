"""`toolguild call` and `validate` on files, in the local sandbox."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import Registry, ToolSpec
from toolguild.sandbox import JsonObject

READS = '''
def count_lines(path: str) -> int:
    """Count the lines of a file.

    Args:
        path: Where it is.

    Returns:
        How many lines there are.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        return len(file.readlines())
'''
WRITES = '''
def save_note(name: str, text: str) -> int:
    """Write a text to a file of the workspace.

    Args:
        name: Name of the file.
        text: What to write.

    Returns:
        How many characters were written.
    """
    with open(name, "w", encoding="utf-8") as file:
        return file.write(text)
'''
TEXT: JsonObject = {"type": "string"}


def parameters(*names: str) -> JsonObject:
    properties: JsonObject = dict.fromkeys(names, TEXT)
    return {"type": "object", "properties": properties, "required": [*names]}


@pytest.fixture
def data() -> Iterator[Path]:
    """A directory with a file of three lines, which every user may read, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "three.txt").write_text("a\nb\nc\n")
        yield path


@pytest.fixture
def registry(tmp_path: Path) -> str:
    path = tmp_path / "tools.db"
    with Registry.open(path) as registry:
        for name, source, arguments, needs in (
            ("count_lines", READS, ("path",), Capability.READ),
            ("save_note", WRITES, ("name", "text"), Capability.WRITE),
        ):
            schema, result = parameters(*arguments), {"type": "integer"}
            registry.register(
                ToolSpec(name, "", source, schema, {**result}, needs=frozenset({needs}))
            )
    return str(path)


def promote(registry: str, name: str) -> None:
    with Registry.open(registry) as opened:
        opened.set_tier(name, Tier.RESTRICTED, why="test")


NOTE = json.dumps({"name": "note.txt", "text": "hello"})


def test_a_restricted_tool_writes_a_file_in_the_workspace(
    toolguild: Any, registry: str, tmp_path: Path
) -> None:
    promote(registry, "save_note")
    work = tmp_path / "work"
    work.mkdir()
    command = ("call", "save_note", "--args", NOTE, "--registry", registry)
    ran = toolguild(*command, "--workspace", "work")
    assert (ran.code, ran.out) == (0, "5\n"), ran.err
    assert ran.err == "Changed in work: note.txt (5 bytes).\n"
    assert (work / "note.txt").read_text() == "hello"


def test_a_tool_of_the_tier_sandbox_writes_nothing(
    toolguild: Any, registry: str, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    command = ("call", "save_note", "--args", NOTE, "--registry", registry)
    ran = toolguild(*command, "--workspace", "work")
    assert (ran.code, ran.out) == (0, "5\n"), ran.err
    assert ran.err == "Discarded, as nothing is written in the tier sandbox: note.txt (5 bytes).\n"
    assert not list((tmp_path / "work").iterdir())


def test_a_tool_reads_what_was_mounted_and_nothing_else(
    toolguild: Any, registry: str, data: Path
) -> None:
    command = ("call", "count_lines", "--registry", registry, "--args")
    path = json.dumps({"path": "/data/three.txt"})
    ran = toolguild(*command, path, "--mount", f"{data}:/data")
    assert (ran.code, ran.out) == (0, "3\n"), ran.err
    assert toolguild(*command, path).code == 1
    host = json.dumps({"path": str(data / "three.txt")})
    assert toolguild(*command, host, "--mount", f"{data}:/data").code == 1


def test_validate_proves_a_tool_that_reads_on_files_that_are_mounted(
    toolguild: Any, tmp_path: Path, data: Path
) -> None:
    (tmp_path / "tool.py").write_text(READS)
    case = {"arguments": {"path": "/data/three.txt"}, "value": 3}
    (tmp_path / "cases.jsonl").write_text(json.dumps(case))
    command = ("validate", "tool.py", "--cases", "cases.jsonl", "--json")
    ran = toolguild(*command, "--mount", f"{data}:/data")
    failed = [check for check in ran.json["checks"] if check["passed"] is False]
    assert (ran.code, failed) == (0, [])
    refused = toolguild(*command)
    assert [check["name"] for check in refused.json["checks"] if check["passed"] is False] == [
        "recorded results"
    ]


def test_validate_proves_a_tool_that_writes_on_a_copy_that_is_thrown_away(
    toolguild: Any, tmp_path: Path
) -> None:
    (tmp_path / "tool.py").write_text(WRITES)
    case = {"arguments": {"name": "note.txt", "text": "hello"}, "value": 5}
    (tmp_path / "cases.jsonl").write_text(json.dumps(case))
    (tmp_path / "work").mkdir()
    command = ("validate", "tool.py", "--cases", "cases.jsonl", "--workspace", "work", "--json")
    ran = toolguild(*command)
    failed = [check for check in ran.json["checks"] if check["passed"] is False]
    assert (ran.code, failed) == (0, [])
    [effects] = [one for one in ran.json["checks"] if one["name"] == "no undeclared effect"]
    assert effects["detail"] == "write as its text shows"
    assert not list((tmp_path / "work").iterdir())
