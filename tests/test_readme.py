"""The README's commands and code run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from model_server import Script, Server

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)

RESERVATIONS = {
    f"user_{number}": [f"R{number}A", f"R{number}B"][: number % 2 + 1] for number in range(6)
}
TOOL = "get_user_details_with_reservations"


TASKS = '[[tasks]]\nid = "one"\ntask = "Double 4."\nnumeric = 8\nheld_out = true\n'
TOOL_OF_ONES_OWN = '''
def double(n: int) -> int:
    """Double a number.

    Args:
        n: The number.

    Returns:
        Twice the number.
    """
    return 2 * n
'''


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def get_user_details(user_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "reservations": RESERVATIONS[user_id]}


def get_reservation_details(reservation_id: str) -> dict[str, Any]:
    return {"reservation_id": reservation_id, "cabin": "economy"}


def recorded_run(user_id: str) -> dict[str, Any]:
    calls = [("get_user_details", {"user_id": user_id}, get_user_details(user_id))]
    calls += [
        ("get_reservation_details", {"reservation_id": one}, get_reservation_details(one))
        for one in RESERVATIONS[user_id]
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"What has {user_id} booked?"}]
    for number, (name, arguments, result) in enumerate(calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"c{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append(
            {"role": "tool", "tool_call_id": f"c{number}", "content": json.dumps(result)}
        )
    return {"messages": messages}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a log, a tool of one's own, and a registry made from the log."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLGUILD_SANDBOX", "local")
    runs = (json.dumps(recorded_run(user_id)) for user_id in RESERVATIONS)
    Path("runs.jsonl").write_text("\n".join(runs))
    return tmp_path


def toolguild(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "toolguild.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_two_commands_are_those_that_ci_runs() -> None:
    install, test = re.findall(
        r"^\$ (python -m (?:pip install -e \"\.\[test\]\"|pytest).*)$", README, re.M
    )[:2]
    assert install.endswith("&& toolguild demo")
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert test in ci
    assert "pip install -q -e" in ci


@pytest.fixture
def agents_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A model that ends each task at once."""
    configuration = {
        "sub_goal": "Do it.",
        "strategy": "At once.",
        "toolbox": ["double"],
        "knowledge": "",
        "context_mode": "basic",
    }
    ends = {"status": "complete", "final_result": "Done.", "summary": "It was done."}
    server = Server()
    server.script = [Script(json.dumps(configuration)), Script("", calls=[("terminate", ends)])]
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    yield
    server.close()


def test_every_command_in_the_table_exists_and_runs(workplace: Path, agents_model: None) -> None:
    for name in ("tool.py", "my_tools.py"):
        (workplace / name).write_text(TOOL_OF_ONES_OWN)
    (workplace / "house.md").write_text("Answer with a number.")
    (workplace / "tasks.toml").write_text(TASKS)
    values = {
        "LOGS...": "runs.jsonl",
        "NAME": TOOL,
        "FILE": "tool.py",
        "JSON": '{"user_id": "user_1"}',
        "TASK": "Double 21.",
        "AGENT": "desk",
        "NUMBER": "1",
    }
    rows = re.findall(r"^\| (`.*?`) \|", README, re.M)
    commands = [command for row in rows for command in re.findall(r"`([^`]+)`", row)]
    assert len(commands) >= 8
    for command in commands:
        words = [values.get(word, word) for word in shlex.split(command) if word != "toolguild"]
        ran = toolguild(*words)
        # A composite has no live tools to call on the command line, so that its call fails.
        assert ran.returncode == (1 if words[0] == "call" else 0), f"{command}: {ran.stderr}"


def test_the_example_settings_are_accepted(workplace: Path) -> None:
    [settings] = blocks("toml")
    assert tomllib.loads(settings)["synthesize"] == {"min_support": 4}
    text = re.sub(r'"/srv/[^"]*"', json.dumps(str(workplace / "tools.db")), settings)
    (workplace / "toolguild.toml").write_text("\n".join(line.strip() for line in text.splitlines()))
    assert toolguild("synthesize", "runs.jsonl").returncode == 0
    assert (workplace / "tools.db").exists()


class Model(BaseHTTPRequestHandler):
    """Answers as an OpenAI chat endpoint whose model calls the composite, then says what it got."""

    requests: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(body)
        last = body["messages"][-1]
        message: dict[str, Any] = {"role": "assistant", "content": last["content"]}
        if last["role"] == "user":
            function = {"name": TOOL, "arguments": '{"user_id": "user_1"}'}
            call = {"id": "c1", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }
        content = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    Model.requests = []
    with HTTPServer(("127.0.0.1", 0), Model) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        yield Model.requests
        server.shutdown()


def test_the_snippet_plugs_the_tools_into_an_agent(
    workplace: Path, model: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert toolguild("synthesize", "runs.jsonl").returncode == 0
    [snippet] = [text for text in blocks("python") if "OpenAI" in text]
    names = {
        "get_user_details": get_user_details,
        "get_reservation_details": get_reservation_details,
    }
    exec(compile(snippet, "README.md", "exec"), names)  # noqa: S102 - our own README
    answer = json.loads(capsys.readouterr().out)
    assert answer == {
        "user_details": get_user_details("user_1"),
        "reservations": [get_reservation_details(one) for one in RESERVATIONS["user_1"]],
    }
    [offered] = model[0]["tools"]
    assert offered["function"]["name"] == TOOL
    assert offered["function"]["strict"] is True


def rows(text: str) -> list[list[str]]:
    """Return the cells of all lines of tables."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_savings_are_those_that_were_measured() -> None:
    measured = {
        (log, miner): (verified, share)
        for log, miner, verified, share, *_ in (
            row for row in rows((ROOT / "docs/benchmarks.md").read_text("utf-8")) if len(row) > 8
        )
        if log in ("airline", "BFCL")
    }
    told = [row for row in rows(README) if len(row) == 4 and row[1] in ("yes", "no")]
    assert {miner for miner, *_ in told} == {miner for _, miner in measured}
    for miner, verified, *shares in told:
        for log, share in zip(("airline", "BFCL"), shares, strict=True):
            assert measured[log, miner] == (verified, share)
