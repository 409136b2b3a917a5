"""`toolguild synthesize --model` where no plan and no code gives a tool: a model writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import Script, Server
from wanted import WANTED, log_of

ANSWERS = {one.name: one.answer for one in WANTED}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    path = tmp_path / "runs.jsonl"
    runs = [run for one in WANTED for run in log_of(one)]
    path.write_text("\n".join(map(json.dumps, runs)))
    return path


def asked(request: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a request."""
    content = request["messages"][1]["content"]
    data: dict[str, Any] = json.loads(content.removeprefix("<data>").removesuffix("</data>"))
    return data


def registered(ran: Any) -> set[str]:
    return {tool["name"] for tool in ran.json["tools"] if tool["fate"] == "registered"}


def test_without_a_model_none_of_them_is_made(toolguild: Any, logs: Path) -> None:
    assert not registered(toolguild("synthesize", logs, "--json")) & ANSWERS.keys()


def test_a_good_model_writes_them(toolguild: Any, logs: Path, server: Server) -> None:
    def answer(request: dict[str, Any]) -> Script:
        return Script(json.dumps({"source": ANSWERS.get(asked(request).get("name", ""), "")}))

    server.answer = answer
    ran = toolguild("synthesize", logs, "--model", "good", "--json")
    for tool in ran.json["tools"]:
        print(tool["name"], tool["fate"], tool["reasons"])
    assert len(ANSWERS) == 20
    assert len(registered(ran) & ANSWERS.keys()) >= 18
