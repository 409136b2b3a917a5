"""Running the command line in this process, and small logs to run it on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from model_server import Server

from toolguild.cli.main import run


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Toolguild = Callable[..., Ran]


@pytest.fixture
def toolguild(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Toolguild:
    """Run a command in a directory of its own, with the local sandbox."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLGUILD_SANDBOX", "local")

    def call(*arguments: str | Path) -> Ran:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Start a model's server, to which the settings point."""
    server = Server()
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    yield server
    server.close()


def chat_record(number: int) -> dict[str, Any]:
    """Return a run that looks up a customer and then each of the customer's orders."""
    orders = [f"order-{number}-{place}" for place in range(number % 3 + 1)]
    calls = [
        (
            "find_customer",
            {"email": f"{number}@example.com"},
            {"id": f"c-{number}", "orders": orders},
        )
    ]
    calls += [
        ("get_order", {"order_id": order}, {"id": order, "total": 10 * number}) for order in orders
    ]
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": f"What did {number}@example.com buy?"}
    ]
    for place, (name, arguments, result) in enumerate(calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call-{place}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        content = json.dumps(result)
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    return {"messages": messages}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a log of eight runs that share a loop."""
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(chat_record(number)) + "\n" for number in range(8)))
    return path


def run_with_loop(tool: str, task: int, items: int) -> dict[str, Any]:
    """Return a run that lists items and gets each."""
    names = [f"{tool}-{task}-{place}" for place in range(items)]
    calls = [(f"list_{tool}", {"owner": f"owner-{task}"}, {"items": names})]
    calls += [(f"get_{tool}", {"item": name}, {"item": name, "size": task}) for name in names]
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"{tool} of owner-{task}"}]
    for place, (name, arguments, result) in enumerate(calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"c{place}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append(
            {"role": "tool", "tool_call_id": f"c{place}", "content": json.dumps(result)}
        )
    return {"messages": messages}


@pytest.fixture
def run_of() -> Callable[[str, int, int], dict[str, Any]]:
    return run_with_loop
