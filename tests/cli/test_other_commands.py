"""`tools`, `call`, `check`, `validate`, `doctor`, `demo` and the settings file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import load_profile
from toolguild.registry import Registry, ToolSpec
from toolguild.sandbox import JsonObject

GOOD = '''
def double(n: int) -> int:
    """Double a number.

    Args:
        n: The number.

    Returns:
        Twice the number.
    """
    return 2 * n
'''

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.fixture
def registry(tmp_path: Path) -> str:
    path = tmp_path / "tools.db"
    with Registry.open(path) as registry:
        registry.register(ToolSpec("double", "Double a number.", GOOD, SCHEMA, {"type": "integer"}))
        registry.reject(
            ToolSpec("halve", "Halve a number.", "def halve(): ...", SCHEMA, {}), ["does nothing"]
        )
    return str(path)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_tools_are_listed_and_shown(toolguild: Any, registry: str) -> None:
    listed = toolguild("tools", "list", "--registry", registry)
    assert (listed.code, "double@1" in listed.out) == (0, True)
    [row] = toolguild("tools", "list", "--registry", registry, "--json").json["tools"]
    assert (row["ref"], row["tier"], row["state"]) == ("double@1", "sandbox", "active")
    shown = toolguild("tools", "show", "double", "--registry", registry)
    assert "return 2 * n" in shown.out
    assert (
        toolguild("tools", "show", "double@1", "--registry", registry, "--json").json["source"]
        == GOOD
    )


def test_rejected_drafts_are_listed_with_their_reasons(toolguild: Any, registry: str) -> None:
    ran = toolguild("tools", "list", "--rejected", "--registry", registry)
    assert "does nothing" in ran.out
    [row] = toolguild("tools", "list", "--rejected", "--registry", registry, "--json").json[
        "rejected"
    ]
    assert (row["name"], row["reasons"]) == ("halve", ["does nothing"])


def test_an_unknown_tool_is_exit_code_2_with_a_suggestion(toolguild: Any, registry: str) -> None:
    for command in (["tools", "show", "duoble"], ["call", "duoble"]):
        ran = toolguild(*command, "--registry", registry)
        assert ran.code == 2
        assert "double" in ran.err


def test_a_call_goes_through_gate_sandbox_and_record(toolguild: Any, registry: str) -> None:
    ran = toolguild("call", "double", "--args", '{"n": 21}', "--registry", registry)
    assert (ran.code, ran.out.strip()) == (0, "42")
    refused = toolguild("call", "double", "--args", '{"n": "x"}', "--registry", registry, "--json")
    assert (refused.code, refused.json["status"]) == (1, "refused")
    broken = toolguild("call", "double", "--args", "{", "--registry", registry)
    assert broken.code == 1
    [row] = toolguild("tools", "list", "--registry", registry, "--json").json["tools"]
    assert (row["successes"], row["failures"]) == (1, 0)


def test_check_accepts_a_good_tool_and_refuses_a_bad_one(toolguild: Any, tmp_path: Path) -> None:
    good = toolguild("check", write(tmp_path / "good.py", GOOD))
    assert (good.code, good.out) == (0, "")
    bad = write(tmp_path / "bad.py", GOOD.replace("return 2 * n", "return eval(str(n))"))
    ran = toolguild("check", bad)
    assert ran.code == 1
    assert f"{bad}:11:" in ran.out
    [finding] = toolguild("check", bad, "--json").json["findings"]
    assert finding["line"] == 11
    assert finding["code"].startswith("TG")


@pytest.mark.parametrize("command", ["check", "validate"])
def test_a_file_that_is_no_text_is_exit_code_2(
    toolguild: Any, tmp_path: Path, command: str
) -> None:
    binary = tmp_path / "tool.py"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (binary, tmp_path / "missing.py", tmp_path):
        ran = toolguild(command, path)
        assert ran.code == 2
        assert str(path) in ran.err
        assert "Traceback" not in ran.err


def test_validate_runs_known_and_generated_inputs(toolguild: Any, tmp_path: Path) -> None:
    tool = write(tmp_path / "tool.py", GOOD)
    cases = write(tmp_path / "cases.jsonl", '{"arguments": {"n": 4}, "value": 8}\n')
    ran = toolguild("validate", tool, "--cases", cases, "--json")
    assert (ran.code, ran.json["passed"], ran.json["cases"]) == (0, True, 1)
    wrong = write(tmp_path / "wrong.jsonl", '{"arguments": {"n": 4}, "value": 9}\n')
    refused = toolguild("validate", tool, "--cases", wrong)
    assert refused.code == 1
    assert "double(n=4)  # returns 8" in refused.out


OPENING = '''
def opens(text: str) -> bool:
    """Say whether a text opens the door.

    Args:
        text: What was said.

    Returns:
        Whether it does.
    """
    return text.strip()[::-1] == "emases"
'''


def test_validate_says_which_faults_its_inputs_would_not_find(
    toolguild: Any, tmp_path: Path
) -> None:
    tool = write(tmp_path / "password.py", OPENING)
    texts = {"sesame": True, " sesame": True, "sesame ": True, "Sesame": False, "": False}
    lines = [json.dumps({"arguments": {"text": t}, "value": v}) for t, v in texts.items()]
    ran = toolguild("validate", tool, "--cases", write(tmp_path / "c.jsonl", "\n".join(lines)))
    thin = toolguild("validate", tool)
    assert (ran.code, thin.code) == (0, 0)
    assert "10 of 10 were found" in ran.out
    assert "evidence is thin" not in ran.out
    said = " ".join(thin.out.split())
    assert "The evidence is thin: its inputs find " in said
    assert "a fault that would not have been found: line " in said
    told = toolguild("validate", tool, "--json").json
    assert "80% would do" in told["thin"][0]
    tried = told["adequacy"]
    assert tried["killed"] + len(tried["survived"]) == tried["mutants"]


def test_validate_goes_by_the_profile_and_says_which(toolguild: Any, tmp_path: Path) -> None:
    tool = tmp_path / "double.py"
    tool.write_text(
        'import time\n\n\ndef double(number: int) -> int:\n    """Return twice a number."""\n'
        "    return 2 * number\n"
    )
    balanced, strict = (
        toolguild("validate", tool, "--json", "--profile", name) for name in ("balanced", "strict")
    )
    assert (balanced.code, strict.code) == (0, 1)
    assert balanced.json["profile"] == f"balanced ({load_profile('balanced').digest})"
    assert strict.json["profile"] == f"strict ({load_profile('strict').digest})"
    (static,) = strict.json["checks"]
    assert "time" in static["detail"]


def test_validate_shows_a_shrunk_counterexample(toolguild: Any, tmp_path: Path) -> None:
    tool = write(tmp_path / "tool.py", GOOD.replace("2 * n", "2 * n if n < 50 else [][n]"))
    ran = toolguild("validate", tool)
    assert ran.code == 1
    assert "double(n=50)  # raises IndexError" in ran.out


def test_a_broken_line_of_cases_is_named(toolguild: Any, tmp_path: Path) -> None:
    tool = write(tmp_path / "tool.py", GOOD)
    cases = write(
        tmp_path / "cases.jsonl", '{"arguments": {"n": 4}, "value": 8}\n{"arguments": 1}\n'
    )
    ran = toolguild("validate", tool, "--cases", cases)
    assert ran.code == 2
    assert f"{cases}:2: arguments" in ran.err


def test_doctor_says_what_is_in_use(toolguild: Any, tmp_path: Path) -> None:
    ran = toolguild("doctor", "--json")
    assert ran.code == 0
    assert ran.json["sandbox"] in {"docker", "local"}
    assert {check["name"] for check in ran.json["checks"]} >= {"registry", "model"}
    assert "Sandbox in use" in toolguild("doctor").out
    assert not list(tmp_path.iterdir())


def test_the_demo_saves_calls_and_changes_nothing_else(toolguild: Any, tmp_path: Path) -> None:
    ran = toolguild("demo", "--keep", "kept", "--json")
    assert ran.code == 0
    for batch in (ran.json["first"], ran.json["fresh"]):
        assert batch["calls_after"] < 0.5 * batch["calls_before"]
        assert batch["same_replies"]
        assert batch["same_database"]
    assert "get_ticket_with_customer_subscription_and_invoices@1" in ran.json["tools"]
    assert (tmp_path / "kept" / "registry.db").exists()
    assert len(list((tmp_path / "kept" / "logs").rglob("*.json*"))) == 21
    assert toolguild("demo", "--keep", "kept").code == 2


def test_the_settings_file_gives_defaults_below_the_environment(
    toolguild: Any, tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path / "toolguild.toml", f"registry = {json.dumps(registry)}\n[tools]\ntier = 'full'\n"
    )
    assert toolguild("tools", "list", "--json").json == {"tools": []}
    assert len(toolguild("tools", "list", "--tier", "sandbox", "--json").json["tools"]) == 1
    monkeypatch.setenv("TOOLGUILD_REGISTRY", str(tmp_path / "other.db"))
    assert toolguild("tools", "list", "--tier", "sandbox", "--json").json == {"tools": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("registry = ", "toolguild.toml"),
        ("registri = 'x'", "registri"),
        ("[synthesise]\nmin_support = 2", "synthesise"),
        ("[synthesize]\nsupport = 2", "support"),
    ],
)
def test_a_mistake_in_the_settings_file_is_named(
    toolguild: Any, tmp_path: Path, text: str, said: str
) -> None:
    write(tmp_path / "toolguild.toml", text)
    ran = toolguild("tools", "list")
    assert ran.code == 2
    assert "toolguild.toml" in ran.err
    assert said in ran.err
