"""What the documents say is what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from model_server import Script, Server

from toolguild.cli.reference import reference
from toolguild.registry import Registry
from toolguild.registry.improvement import ScoredRun

ROOT = Path(__file__).parents[1]


def test_the_command_line_reference_is_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == reference(), (
        "run: python -m toolguild.cli.reference > docs/cli.md"
    )


def test_what_docs_agents_shows_runs(tmp_path, monkeypatch, capsys) -> None:
    page = (ROOT / "docs" / "agents.md").read_text("utf-8")
    tools, program = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLGUILD_SANDBOX", "local")
    (tmp_path / "my_tools.py").write_text(tools)
    configuration = {
        "sub_goal": "Find the city.",
        "strategy": "Ask.",
        "toolbox": ["find_city"],
        "knowledge": "",
        "context_mode": "basic",
    }
    ends = {"status": "complete", "final_result": "In Paris.", "summary": "Asked."}
    server = Server()
    server.script = [
        Script(json.dumps(configuration)),
        Script("", calls=[("find_city", {"person": "Ada"})]),
        Script("", calls=[("terminate", ends)]),
    ]
    try:
        exec(program, {"model": "m", "address": server.url})  # noqa: S102 - ours
    finally:
        server.close()
    assert capsys.readouterr().out == "In Paris.\n"


def test_what_docs_improving_shows_runs(tmp_path, monkeypatch, capsys) -> None:
    page = (ROOT / "docs" / "improving.md").read_text("utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    [tasks] = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLGUILD_SANDBOX", "local")
    (tmp_path / "my_tools.py").write_text(
        'def find_total(order: str) -> int:\n    """Find it."""\n'
    )
    (tmp_path / "tasks.toml").write_text(tasks)
    lesson = {"when": "For a total in dollars", "lesson": "divide the order's total by 100."}
    with Registry.open("tools.db") as registry:
        failed = ScoredRun("desk", "run", "Refund order A2.", 0.0, registry.now(), why="In cents.")
        registry.improvements.record(failed)
    server = Server()
    server.answer = lambda request: _as_an_agent(request, lesson)
    try:
        exec(program, {"model": "m", "address": server.url})  # noqa: S102 - ours
    finally:
        server.close()
    assert capsys.readouterr().out == "made lessons 1.0\n"
    with Registry.open("tools.db") as registry:
        assert len(registry.improvements.standing("desk").lessons) == 1


def _as_an_agent(request: dict[str, Any], lesson: dict[str, str]) -> Script:
    """Know of cents by a lesson only."""
    told = json.dumps(request)
    if "tools" in request:
        result = "12.5" if "total by 100" in told else "1250"
        ends = {"status": "complete", "final_result": result, "summary": "Looked it up."}
        return Script("", calls=[("terminate", ends)])
    if "sub_goal" in told:
        goal = {"sub_goal": "Refund.", "strategy": "Look.", "knowledge": "", "toolbox": []}
        return Script(json.dumps({**goal, "context_mode": "basic"}))
    return Script(json.dumps(lesson))


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text("utf-8")
        for target in re.findall(r"`((?:docs|benchmarks|examples|tests|synth)/[\w./-]+)`", text):
            assert (ROOT / target).exists(), f"{page.name} names {target}"
