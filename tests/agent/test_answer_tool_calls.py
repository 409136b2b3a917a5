"""Answering the tool calls of a model's message through a toolbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from toolguild.agent import answer_tool_calls
from toolguild.policies import Capability, Tier
from toolguild.registry import Registry, Toolbox, ToolSpec
from toolguild.sandbox import Access, FileChange, Outcome, ScriptedSandbox, Status

NOTHING: dict[str, Any] = {"type": "object", "properties": {}}
WRITE = frozenset({Capability.WRITE})
WRITTEN = Outcome(Status.OK, "saved", changes=(FileChange("a.txt", b"x"),), effects=WRITE)


@dataclass(frozen=True)
class Function:
    name: str
    arguments: str = "{}"


@dataclass(frozen=True)
class Call:
    id: str
    function: Function


@dataclass(frozen=True)
class CustomCall:
    id: str
    type: str = "custom"


@dataclass(frozen=True)
class Message:
    tool_calls: list[object] | None = field(default_factory=list)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "tools.db") as registry:
        registry.register(ToolSpec("save", "", "text", NOTHING, {}, needs=WRITE))
        yield registry


def toolbox(registry: Registry, workspace: Path) -> Toolbox:
    return Toolbox(registry, ScriptedSandbox({"save": WRITTEN}), access=Access(workspace=workspace))


def test_each_call_of_an_offered_tool_is_answered_in_order(
    registry: Registry, tmp_path: Path
) -> None:
    calls = [
        Call("1", Function("save")),
        Call("2", Function("of_the_callers_own")),
        CustomCall("3"),
        Call("4", Function("save", '{"more": 1}')),
    ]
    first, last = answer_tool_calls(toolbox(registry, tmp_path), Message([*calls]))
    assert (first["role"], first["tool_call_id"], last["tool_call_id"]) == ("tool", "1", "4")
    assert "'more' was unexpected" in str(last["content"])


def test_a_message_without_calls_has_no_answers(registry: Registry, tmp_path: Path) -> None:
    assert answer_tool_calls(toolbox(registry, tmp_path), Message(None)) == []


def test_a_model_is_told_whether_anything_was_written(registry: Registry, tmp_path: Path) -> None:
    message = Message([Call("1", Function("save"))])
    [answer] = answer_tool_calls(toolbox(registry, tmp_path), message)
    value, note = str(answer["content"]).split("\n")
    assert json.loads(value) == "saved"
    assert note == 'Discarded, not in the workspace: "a.txt"'
    registry.set_tier("save", Tier.RESTRICTED, why="test")
    [answer] = answer_tool_calls(toolbox(registry, tmp_path), message)
    assert answer["content"] == '"saved"\nChanged in the workspace: "a.txt"'
