"""What the documents say is what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from model_server import Script, Server

from toolguild.cli.reference import reference

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


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text("utf-8")
        for target in re.findall(r"`((?:docs|benchmarks|examples|tests|synth)/[\w./-]+)`", text):
            assert (ROOT / target).exists(), f"{page.name} names {target}"
