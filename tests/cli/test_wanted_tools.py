"""`toolguild synthesize --model` where no plan and no code gives a tool: a model writes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from injections import INJECTIONS, OBEYED
from model_server import Script, Server, data_of

pytest.importorskip("benchmarks.models.wanted", reason="run in the repository only")
from benchmarks.models.wanted import WANTED, log_of

ANSWERS = {one.name: one.answer for one in WANTED}
DELIVERIES = "get_order_then_list_deliveries"
SHARES = "split_bill"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """Write a log of what some tools are wanted for."""

    def write(*names: str, change: Callable[[str], str] = lambda text: text) -> Path:
        path = tmp_path / "runs.jsonl"
        runs = [run for one in WANTED if one.name in names for run in log_of(one)]
        path.write_text("\n".join(change(json.dumps(run)) for run in runs))
        return path

    return write


def with_source(source: str) -> Script:
    return Script(json.dumps({"source": source}))


def good(request: dict[str, Any]) -> Script:
    """Answer well where a tool is wanted, and nothing else."""
    wanted = data_of(request).get("name")
    return with_source(ANSWERS[wanted]) if wanted in ANSWERS else Script(refusal="no")


def registered(ran: Any) -> set[str]:
    """Return the tools that passed: some wait, where there are more than the budget lets in."""
    passed = ("registered", "proposed")
    return {tool["name"] for tool in ran.json["tools"] if tool["fate"] in passed}


def test_a_good_model_writes_what_is_not_made_without_one(
    toolguild: Any, log: Any, server: Server
) -> None:
    server.answer = good
    path = log(*ANSWERS)
    without = registered(toolguild("synthesize", path, "--json", "--registry", "without.db"))
    assert len(ANSWERS) == 20
    assert not without & ANSWERS.keys()
    ran = toolguild("synthesize", path, "--model", "good", "--json")
    assert registered(ran) == without | ANSWERS.keys()


def test_what_a_model_wrote_can_be_called_and_shown(
    toolguild: Any, log: Any, server: Server
) -> None:
    server.answer = good
    toolguild("synthesize", log(SHARES), "--model", "good", "--json")
    shares = toolguild("call", SHARES, "--args", '{"cents": 1000, "people": 3}').out
    assert json.loads(shares) == [334, 333, 333]
    shown = toolguild("tools", "show", SHARES).out
    for line in ("origin", "model", "unknown tool", "sha256:", "reached by recorded runs"):
        assert line in shown


def test_a_refused_text_is_mended(toolguild: Any, log: Any, server: Server) -> None:
    def answer(request: dict[str, Any]) -> Script:
        text = ANSWERS[SHARES]
        first = "name" in data_of(request)
        return with_source(text.replace("(at < cents % people)", "(at == 0)") if first else text)

    server.answer = answer
    ran = toolguild("synthesize", log(SHARES), "--model", "good", "--json")
    assert registered(ran) == {SHARES}
    told = data_of(server.requests[1])
    assert {one["check"] for one in told["failures"]} >= {"recorded results"}
    assert told["may_call"] == []


def test_a_text_that_does_not_suit_is_told_why(toolguild: Any, log: Any, server: Server) -> None:
    def answer(request: dict[str, Any]) -> Script:
        renamed = ANSWERS[SHARES].replace(SHARES, "shares")
        named = "is called" in (data_of(request)["problem"] or "")
        return with_source(ANSWERS[SHARES] if named else renamed)

    server.answer = answer
    ran = toolguild("synthesize", log(SHARES), "--model", "good", "--json")
    assert registered(ran) == {SHARES}
    assert len(server.requests) == 2


def test_what_is_held_out_is_not_shown(toolguild: Any, log: Any, server: Server) -> None:
    server.answer = good
    ran = toolguild("synthesize", log(DELIVERIES), "--model", "good", "--json")
    [tool] = ran.json["tools"]
    assert tool["evidence"]["held_out"] == 2
    shown = json.dumps(server.requests)
    assert sum(f"W{4000 + 7 * number}" in shown for number in range(9)) == 7


@pytest.mark.parametrize("way", OBEYED)
def test_a_model_that_was_fooled_registers_nothing(
    toolguild: Any, log: Any, server: Server, way: str
) -> None:
    server.script = [with_source(OBEYED[way])]
    ran = toolguild("synthesize", log(DELIVERIES), "--model", "fooled", "--json")
    assert ran.code == 1  # nothing passed
    assert registered(ran) == set()
    assert server.requests
    assert "Traceback" not in ran.err


def fooling(words: str) -> Callable[[str], str]:
    """Return what puts words into all of a run: task, results, descriptions of tools and errors."""
    quoted = json.dumps(words)[1:-1]
    within = json.dumps(quoted)[1:-1]
    places = {
        '"content": "Case': f'"content": "{quoted} Case',
        r"\"city\": \"": rf"\"city\": \"{within} ",
        '"description": "': f'"description": "{quoted} ',
        "Error: unknown tool": f"Error: unknown tool {quoted}",
    }

    def change(text: str) -> str:
        for old, new in places.items():
            text = text.replace(old, new)
        return text

    return change


def test_instructions_in_traces_change_nothing(toolguild: Any, log: Any, server: Server) -> None:
    server.answer = good
    names = (DELIVERIES, SHARES)

    def tools(registry: str, path: Path) -> dict[str, str]:
        """Return the digests of all that was registered."""
        places = ("--registry", registry, "--model-cache", f"{registry}.replies")
        toolguild("synthesize", path, "--model", "good", "--json", *places)
        listed = toolguild("tools", "list", "--json", "--registry", registry).json
        return {one["name"]: one["digest"] for one in listed["tools"]}

    clean = tools("clean.db", log(*names))
    rules = {request["messages"][0]["content"] for request in server.requests}
    assert clean.keys() == {*names}
    server.requests.clear()
    path = log(*names, change=fooling(" ".join(INJECTIONS)))
    written = path.read_text()
    assert all(written.count(json.dumps(one)[1:-1]) >= 9 for one in INJECTIONS)
    assert tools("fooled.db", path) == clean
    assert {request["messages"][0]["content"] for request in server.requests} == rules
    for request in server.requests:
        content = request["messages"][1]["content"]
        assert content.count("<") == 2 and "`" not in content
        assert {one for one in content if not one.isprintable()} == {"\n"}
    assert any("Ignore all previous instructions" in str(one) for one in server.requests)
