"""`toolguild agent run`: a task worked on in the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from model_server import Script, Server

from toolguild.registry import Registry, ToolSpec

TOOLS = '''
from toolguild.agent.own_tools import tool

@tool("read", "people")
def find_city(person: str) -> str:
    """Say where somebody lives."""
    return {"Ada": "Paris"}[person]

@tool("write")
def send_note(to: str, text: str) -> str:
    """Send a note to somebody."""
    return f"sent to {to}"
'''
CONFIGURATION = {
    "sub_goal": "Find the city.",
    "strategy": "Ask.",
    "toolbox": ["find_city", "send_note"],
    "knowledge": "",
    "context_mode": "basic",
}
ASKS = Script("", calls=[("find_city", {"person": "Ada"})])
ENDS = Script(
    "",
    calls=[("terminate", {"status": "complete", "final_result": "Paris", "summary": "Asked."})],
)
ARGUMENTS = ("agent", "run", "Where does Ada live?", "--tools", "my_tools.py", "--model", "m")


@pytest.fixture(autouse=True)
def my_tools(tmp_path: Path) -> None:
    (tmp_path / "my_tools.py").write_text(TOOLS)


@pytest.fixture
def says(server: Server) -> Callable[[Sequence[Script]], None]:
    """Let the server give these replies, and then nothing but errors."""

    def follow(replies: Sequence[Script]) -> None:
        rest = iter(replies)
        server.answer = lambda request: next(rest, Script(status=500, body=b"{}"))

    return follow


def configured(**fields: Any) -> Script:
    return Script(json.dumps(CONFIGURATION | fields))


def test_it_shows_what_happens_and_prints_the_result(toolguild, says) -> None:
    says([configured(), ASKS, ENDS])
    ran = toolguild(*ARGUMENTS)
    assert ran.code == 0, ran.err
    assert ran.out == "Paris\n"
    assert "Stage 1: Find the city." in ran.err
    assert 'find_city {"person": "Ada"}: ok' in ran.err
    assert "Complete: 1 stage, 3 requests, 117 tokens" in ran.err


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_either_protocol_carries_it(toolguild, says, server, api) -> None:
    says([configured(), ASKS, ENDS])
    ran = toolguild(*ARGUMENTS, "--model-api", api, "--json")
    assert (ran.code, ran.json["status"], ran.json["result"]) == (0, "complete", "Paris")
    told = json.dumps(server.requests[-1])
    assert "Paris" in told
    assert "c-0" in told


def test_its_trace_is_one_to_learn_from(toolguild, says, tmp_path) -> None:
    says([configured(), ASKS, ENDS])
    toolguild(*ARGUMENTS)
    mined = toolguild("mine", tmp_path / ".toolguild" / "runs" / "traces", "--json")
    assert mined.code in (0, 1), mined.err
    assert mined.json["traces"] == 1


def test_what_is_interrupted_can_be_resumed(toolguild, says) -> None:
    says([configured(), ASKS])
    ran = toolguild(*ARGUMENTS)
    assert ran.code == 3
    command = ran.err.partition("Go on with `toolguild ")[2].partition("`")[0].split()
    says([ENDS])
    again = toolguild(*command, "--tools", "my_tools.py", "--model", "m")
    assert (again.code, again.out) == (0, "Paris\n")
    assert toolguild(*command, "--tools", "my_tools.py", "--model", "m").out == "Paris\n"


def test_tools_of_the_registry_are_offered_and_their_uses_recorded(
    toolguild, says, tmp_path
) -> None:
    number = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    source = "def double(n: int) -> int:\n    return 2 * n\n"
    spec = ToolSpec("double", "Double a number.", source, number, {"type": "integer"})
    with Registry.open(tmp_path / "tools.db") as registry:
        registry.register(spec)
    call = Script("", calls=[("double", {"n": 21})])
    says([configured(toolbox=["double", "find_city"]), call, ENDS])
    ran = toolguild(*ARGUMENTS, "--registry", "tools.db", "--sandbox", "local")
    assert ran.code == 0, ran.err
    with Registry.open(tmp_path / "tools.db") as registry:
        (use,) = registry.uses(spec.digest)
    assert (use.task, use.model, use.status) == ("Where does Ada live?", "m", "ok")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("agent", "run", "--model", "m"), "give either a task"),
        (("agent", "run", "x", "--resume", "y", "--model", "m"), "give either a task"),
        (("agent", "run", "x"), "an agent needs a model"),
        (("agent", "run", "x", "--model", "m", "--tools", "none.py"), "there is no such file"),
        (("agent", "run", "--resume", "nothing", "--model", "m"), "No such file"),
        (("agent", "run", "--resume", "../../etc/passwd", "--model", "m"), "is no run"),
    ],
)
def test_what_cannot_be_run_is_told(toolguild, monkeypatch, arguments, problem) -> None:
    monkeypatch.delenv("TOOLGUILD_MODEL", raising=False)
    ran = toolguild(*arguments)
    assert ran.code == 2
    assert problem in ran.err


def test_a_model_that_is_down_is_told(toolguild, monkeypatch) -> None:
    ran = toolguild(*ARGUMENTS, "--model-url", "http://127.0.0.1:9/v1")
    assert ran.code == 3
    assert "Go on with" in ran.err


def test_what_a_model_says_does_not_steer_the_terminal(toolguild, says) -> None:
    ends = {"status": "complete", "final_result": "\x1b[2J[red]Paris", "summary": "Asked."}
    says([configured(sub_goal="\x1b[31mFind"), Script("", calls=[("terminate", ends)])])
    ran = toolguild(*ARGUMENTS)
    assert "\x1b" not in ran.out + ran.err
    assert "[red]Paris" in ran.out
