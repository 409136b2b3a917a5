"""`validate --replay` and `tools report`: a registered tool proven again by its own report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolguild.registry import Registry

WRONG = '''
def share(total: int, people: int) -> int:
    """Share something.

    Args:
        total: How much there is.
        people: How many there are.

    Returns:
        How much each gets.
    """
    return total // people
'''


@pytest.fixture
def made(toolguild: Any, log: Path) -> str:
    """Make a tool, and return its name."""
    [tool] = toolguild("synthesize", log, "--registry", "tools.db", "--json").json["tools"]
    return str(tool["name"])


def test_a_registered_tool_is_validated_again_with_the_same_report(
    toolguild: Any, made: str
) -> None:
    ran = toolguild("validate", made, "--replay", "--registry", "tools.db", "--json")
    assert ran.code == 0
    assert ran.json["reproduced"] is True
    assert ran.json["before"] == ran.json["after"]
    with Registry.open("tools.db") as registry:
        assert registry.tool(made).evidence["report"] == ran.json["after"]
    said = toolguild("validate", made, "--replay", "--registry", "tools.db")
    assert "passed; the same report again, sha256:" in said.err
    assert "held-out occurrences" in said.out


def test_another_profile_is_another_report_and_says_where(
    toolguild: Any, made: str, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "strict"\n')
    ran = toolguild(
        "validate", made, "--replay", "--registry", "tools.db", "--profile", own, "--json"
    )
    assert ran.json["reproduced"] is False
    assert "surroundings.profile" in ran.json["difference"]


def test_the_report_is_shown_and_printed_whole(toolguild: Any, made: str) -> None:
    shown = toolguild("tools", "report", made, "--registry", "tools.db")
    assert shown.code == 0
    assert "recorded results" in shown.out
    assert "report sha256:" in shown.out
    whole = toolguild("tools", "report", made, "--registry", "tools.db", "--json").json
    assert whole["tool"]["name"] == made
    assert whole["cases"]
    assert whole["surroundings"]["sandbox"].startswith("local (")


def test_tools_without_a_report_or_a_name_say_so(toolguild: Any, made: str) -> None:
    ran = toolguild("validate", "no_such_tool", "--replay", "--registry", "tools.db")
    assert ran.code == 2
    assert "no tool named 'no_such_tool'" in ran.err
    ran = toolguild("validate", made, "--failure", "abc", "--registry", "tools.db")
    assert ran.code == 2
    assert "the report has no failure with this id" in ran.err


def test_a_failure_of_a_rejected_draft_is_a_program_that_shows_it(
    toolguild: Any, tmp_path: Path
) -> None:
    from toolguild.sandbox import open_sandbox
    from toolguild.synth.tool_spec import spec_of
    from toolguild.synth.tool_text import draft_from_text
    from toolguild.synth.validation import ValidationSettings, dossier, validate

    draft, settings = draft_from_text(WRONG), ValidationSettings(inputs=20)
    with open_sandbox("local") as sandbox, Registry.open("tools.db") as registry:
        report = validate(draft, sandbox, settings)
        whole = dossier(draft, report, settings)
        # What would move a terminal, had it got past the gate by any way.
        kept = whole["tool"]
        assert isinstance(kept, dict)
        kept["source"] = f"{kept['source']}# \x1b[2J\n"
        registry.reject(spec_of(draft), report.reasons, report.evidence(), whole)
    shown = toolguild("tools", "report", "share", "--registry", "tools.db", "--json").json
    [failed] = [check for check in shown["findings"]["checks"] if check["passed"] is False]
    wanted = failed["counterexamples"][0]
    assert wanted["arguments"]["people"] == 0
    ran = toolguild("validate", "share", "--failure", wanted["id"], "--registry", "tools.db")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "[2J" in ran.out
    program = tmp_path / "failure.py"
    program.write_text(ran.out)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert json.dumps(shown)


TWICE = '''
def twice(n: int) -> int:
    """Double a number.

    Args:
        n: The number.

    Returns:
        Twice the number.
    """
    return 2 * n
'''


def test_a_proof_by_your_own_results_becomes_the_evidence_of_a_registered_tool(
    toolguild: Any, tmp_path: Path
) -> None:
    from toolguild.synth.tool_spec import spec_of
    from toolguild.synth.tool_text import draft_from_text

    with Registry.open("tools.db") as registry:
        registry.register(spec_of(draft_from_text(TWICE)))
    wrong, right = tmp_path / "wrong.jsonl", tmp_path / "right.jsonl"
    wrong.write_text('{"arguments": {"n": 2}, "value": 5}\n')
    right.write_text('{"arguments": {"n": 2}, "value": 4}\n')
    keep = ["validate", "twice@1", "--keep", "--registry", "tools.db", "--json", "--cases"]
    refused = toolguild(*keep, wrong)
    assert (refused.code, refused.json["kept_of"]) == (1, None)
    with Registry.open("tools.db") as registry:
        assert registry.tool("twice").evidence == {}
    kept = toolguild(*keep, right)
    assert (kept.code, kept.json["kept_of"], kept.json["cases"]) == (0, "twice@1", 1)
    with Registry.open("tools.db") as registry:
        assert registry.tool("twice").evidence["report"] == kept.json["report"]
    assert toolguild("tools", "report", "twice", "--registry", "tools.db").code == 0
    history = toolguild("tools", "history", "twice", "--registry", "tools.db").out
    assert "validated by hand" in history
    assert toolguild("audit", "verify", "--registry", "tools.db").code == 0


def test_an_old_proof_is_not_kept_as_a_new_one(toolguild: Any, made: str) -> None:
    ran = toolguild("validate", made, "--keep", "--replay", "--registry", "tools.db")
    assert (ran.code, "says nothing new" in ran.err) == (2, True)
    ran = toolguild("validate", "absent", "--keep", "--registry", "none.db")
    assert (ran.code, Path("none.db").exists()) == (2, False)
