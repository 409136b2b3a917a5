"""`toolguild check`: findings, needs and exit codes; JSON, SARIF, explanations and profiles."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from toolguild.cli.check_report import CheckReport
from toolguild.cli.sarif import sarif_log
from toolguild.policies import Tier, load_profile
from toolguild.synth.validation.static import RULES
from toolguild.version import __version__

GOOD = '''\
def double(n: int) -> int:
    """Double a number.

    Args:
        n: The number.

    Returns:
        Twice the number.
    """
    return 2 * n
'''
READS = '''\
def load(path: str) -> str:
    """Read a file and greet whom it names.

    Args:
        path: Where it is.

    Returns:
        The greeting.
    """
    with open(path) as file:
        return str(call_tool("greet", {"name": file.read()}))
'''
BAD = GOOD.replace("return 2 * n", "return eval(n) + é.mode")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# --- text and exit codes


def test_a_good_tool_is_silent_on_stdout_and_exits_0(toolguild: Any, tmp_path: Path) -> None:
    ran = toolguild("check", write(tmp_path / "good.py", GOOD))
    assert (ran.code, ran.out) == (0, "")
    assert "1 file, 0 refused" in ran.err


def test_findings_have_a_place_a_code_and_a_remedy(toolguild: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.py", BAD)
    ran = toolguild("check", path)
    assert ran.code == 1
    first, remedy, second, _ = ran.out.splitlines()
    assert first == f"{path}:10:12: TG201 the name 'eval' is not for tools to use"
    assert remedy.startswith("    ")
    assert second.startswith(f"{path}:10:22: TG201")


def test_needs_are_shown_with_the_line_that_has_them(toolguild: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "reads.py", READS)
    ran = toolguild("check", path)
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{path}:10:10: needs read: open",
        f"{path}:11:20: calls greet",
    ]
    assert "needs read (tier sandbox, profile balanced " in ran.err


def test_the_tier_decides(toolguild: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "w.py", READS.replace("open(path)", "open(path, 'w')"))
    assert toolguild("check", path).code == 1
    assert toolguild("check", path, "--tier", "restricted").code == 0


def test_folders_are_searched_and_each_file_is_checked_once(toolguild: Any, tmp_path: Path) -> None:
    bad = write(tmp_path / "tools" / "deep" / "bad.py", BAD)
    write(tmp_path / "tools" / "good.py", GOOD)
    write(tmp_path / "tools" / ".hidden" / "bad.py", BAD)
    write(tmp_path / "tools" / "__pycache__" / "bad.py", BAD)
    write(tmp_path / "tools" / "notes.txt", "no Python")
    (tmp_path / "tools" / "loop").symlink_to(tmp_path / "tools")
    ran = toolguild("check", tmp_path / "tools", bad, "--json")
    assert ran.code == 1
    assert [Path(file["file"]).name for file in ran.json["files"]] == ["bad.py", "good.py"]


def test_a_folder_without_python_is_a_wrong_input(toolguild: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = toolguild("check", tmp_path / "empty")
    assert ran.code == 2
    assert "no Python file" in ran.err


def test_unreadable_files_are_named_and_the_others_are_checked(
    toolguild: Any, tmp_path: Path
) -> None:
    bad = write(tmp_path / "bad.py", BAD)
    binary, huge = tmp_path / "binary.py", tmp_path / "huge.py"
    binary.write_bytes(b"x = '\xff'")
    huge.write_bytes(b"#" * 1_000_001)
    ran = toolguild("check", binary, tmp_path / "absent.py", huge, bad)
    assert ran.code == 2
    assert "not UTF-8 text (byte 5)" in ran.err
    assert f"{tmp_path / 'absent.py'}: No such file" in ran.err
    assert "larger than 1,000,000 bytes" in ran.err
    assert "TG201" in ran.out


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (BAD, 1)])
def test_a_dash_reads_stdin(
    toolguild: Any, monkeypatch: pytest.MonkeyPatch, text: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    ran = toolguild("check", "-")
    assert ran.code == code
    assert ("<stdin>:10:12: TG201" in ran.out) is (code == 1)


def test_a_pipe_can_be_read(toolguild: Any, tmp_path: Path) -> None:
    read, written = os.pipe()
    os.write(written, BAD.encode())
    os.close(written)
    try:
        assert toolguild("check", f"/proc/self/fd/{read}").code == 1
    finally:
        os.close(read)


def test_the_mark_at_the_start_of_a_file_is_part_of_the_text(
    toolguild: Any, tmp_path: Path
) -> None:
    path = tmp_path / "marked.py"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert "TG004" in toolguild("check", path).out


def test_without_paths_it_is_used_wrongly(toolguild: Any) -> None:
    ran = toolguild("check")
    assert ran.code == 2
    assert "PATHS" in ran.err


def test_what_a_file_holds_cannot_steer_the_terminal(toolguild: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "steers.py", GOOD.replace("2 * n", "n.\u202e\x1b[31m"))
    ran = toolguild("check", path)
    assert not {"\x1b", "\u202e"} & set(ran.out + ran.err)


# --- JSON


def test_json_holds_findings_needs_and_the_profile(toolguild: Any, tmp_path: Path) -> None:
    reads, bad = write(tmp_path / "reads.py", READS), write(tmp_path / "bad.py", BAD)
    ran = toolguild("check", reads, bad, tmp_path / "absent.py", "--json")
    document = ran.json
    assert ran.code == 2
    assert (document["tier"], document["refused"]) == ("sandbox", True)
    assert document["profile"]["name"] == "balanced"
    assert len(document["profile"]["digest"]) == 64
    assert document["files"] == [
        {
            "file": str(reads), "refused": False, "needs": ["read"], "calls": ["greet"],
            "lowest_tier": "sandbox",
        },
        {"file": str(bad), "refused": True, "needs": [], "calls": [], "lowest_tier": "sandbox"},
    ]  # fmt: skip
    assert {finding["file"] for finding in document["findings"]} == {str(bad)}
    assert document["effects"] == [
        {"file": str(reads), "line": 10, "column": 10, "capability": "read", "what": "open"},
        {"file": str(reads), "line": 11, "column": 20, "tool": "greet"},
    ]
    assert document["unreadable"] == [f"{tmp_path / 'absent.py'}: No such file or directory"]


# --- SARIF


def sarif(toolguild: Any, *arguments: str | Path) -> dict[str, Any]:
    ran = toolguild("check", *arguments, "--sarif", "-")
    log: dict[str, Any] = json.loads(ran.out)
    return log


def test_sarif_describes_the_tool_and_every_rule(toolguild: Any, tmp_path: Path) -> None:
    log = sarif(toolguild, write(tmp_path / "bad.py", BAD))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("toolguild", __version__)
    rules = {rule["id"]: rule for rule in driver["rules"]}
    assert len(rules) == len(driver["rules"])
    assert rules.keys() >= {rule.code for rule in RULES}
    for rule in RULES:
        described = rules[rule.code]
        assert described["shortDescription"]["text"] == rule.title
        assert described["fullDescription"]["text"].endswith(rule.why)
        assert described["help"]["text"] == rule.remedy
        assert described["defaultConfiguration"]["level"] in ("error", "warning")
    assert rules["TG405"]["defaultConfiguration"]["level"] == "warning"
    assert rules["TG101"]["properties"] == {"tags": ["security"], "fixed": True}
    assert run["columnKind"] == "unicodeCodePoints"


def test_sarif_places_what_was_found(toolguild: Any, tmp_path: Path) -> None:
    text = BAD.replace("n: int", "n: object")
    write(tmp_path / "a b" / "bäd.py", text)
    [run] = sarif(toolguild, "a b/bäd.py")["runs"]
    rules = run["tool"]["driver"]["rules"]
    places = {}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] == "fail"
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": "a%20b/b%C3%A4d.py", "index": 0}
        region = physical["region"]
        assert region["endLine"] >= region["startLine"]
        places[result["ruleId"], region["startLine"], region["startColumn"]] = result["level"]
    assert places == {
        ("TG405", 1, 15): "warning", ("TG201", 10, 12): "error", ("TG201", 10, 22): "error",
    }  # fmt: skip
    [artifact] = run["artifacts"]
    assert artifact["location"]["uri"] == "a%20b/b%C3%A4d.py"
    assert artifact["properties"]["refused"] is True


def test_sarif_carries_needs_without_holding_them_against_a_tool(
    toolguild: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "reads.py", READS)
    [run] = sarif(toolguild, path)["runs"]
    found = {result["ruleId"]: result for result in run["results"]}
    assert found.keys() == {"needs-read", "calls-tool"}
    for result in found.values():
        # What is no failure has the level `none` (SARIF 2.1.0, section 3.27.10).
        assert (result["kind"], result["level"]) == ("informational", "none")
    assert found["needs-read"]["message"]["text"] == "needs read: open"
    assert run["artifacts"][0]["location"]["uri"] == path.as_uri()
    assert run["artifacts"][0]["properties"] == {
        "refused": False, "needs": ["read"], "calls": ["greet"], "lowestTier": "sandbox",
    }  # fmt: skip


def test_sarif_tells_of_files_that_could_not_be_read(toolguild: Any, tmp_path: Path) -> None:
    [run] = sarif(toolguild, tmp_path / "absent.py", write(tmp_path / "good.py", GOOD))["runs"]
    [invocation] = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    [notification] = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert "absent.py" in notification["message"]["text"]
    assert run["results"] == []


def test_sarif_fingerprints_stay_when_lines_above_change(toolguild: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.py"

    def prints(text: str) -> list[str]:
        [run] = sarif(toolguild, write(path, text))["runs"]
        return [result["partialFingerprints"]["toolguild/v1"] for result in run["results"]]

    twice = BAD.replace("eval(n)", "eval(n) + eval(n)")
    assert len(set(prints(twice))) == len(prints(twice)) == 3
    assert prints(f"# new\n\n{twice}") == prints(twice)


def test_sarif_goes_to_a_file_beside_the_text(toolguild: Any, tmp_path: Path) -> None:
    path, target = write(tmp_path / "bad.py", BAD), tmp_path / "out.sarif"
    ran = toolguild("check", path, "--sarif", target)
    assert (ran.code, "TG201" in ran.out) == (1, True)
    assert json.loads(target.read_text("utf-8"))["version"] == "2.1.0"
    failed = toolguild("check", path, "--sarif", tmp_path / "absent" / "out.sarif")
    assert failed.code == 2
    assert "--sarif" in failed.err


def test_only_one_document_goes_to_stdout(toolguild: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.py", BAD)
    assert toolguild("check", path, "--sarif", "-", "--json").code == 2
    ran = toolguild("check", path, "--sarif", "-")
    assert ran.code == 1
    assert json.loads(ran.out)["runs"]


def test_a_log_of_nothing_is_a_log() -> None:
    log: Any = sarif_log(CheckReport(Tier.FULL, load_profile(), (), ()))
    assert log["runs"][0]["results"] == []


# --- explanations


def test_a_rule_is_explained(toolguild: Any) -> None:
    ran = toolguild("check", "--explain", "TG101")
    assert ran.code == 0
    assert ran.out.startswith("TG101: module not allowed (error, fixed)\n")
    assert "Why: " in ran.out
    assert "Instead: " in ran.out
    assert "    import os, socket" in ran.out


def test_all_rules_are_explained(toolguild: Any) -> None:
    ran = toolguild("check", "--explain", "all")
    assert all(f"{rule.code}: {rule.title}" in ran.out for rule in RULES)


def test_an_unknown_rule_is_wrong_usage(toolguild: Any) -> None:
    ran = toolguild("check", "--explain", "TG999")
    assert ran.code == 2
    assert "TG999" in ran.err


# --- profiles

VAGUE = GOOD.replace("n: int", "n: object")


def settings(tmp_path: Path, text: str) -> None:
    write(tmp_path / "toolguild.toml", text)


def test_the_settings_file_gives_the_profile(toolguild: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "vague.py", VAGUE)
    assert toolguild("check", path).code == 0
    settings(tmp_path, "[profile]\nrules.TG405 = 'error'\n[check]\ntier = 'full'\n")
    ran = toolguild("check", path, "--json")
    assert (ran.code, ran.json["profile"]["name"], ran.json["tier"]) == (1, "house", "full")


def test_other_commands_accept_a_settings_file_with_a_profile(
    toolguild: Any, tmp_path: Path
) -> None:
    settings(tmp_path, "[profile]\nrules.TG405 = 'error'\n")
    assert toolguild("doctor", "--json").code == 0


def test_a_flag_goes_before_the_environment_and_that_before_the_file(
    toolguild: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "vague.py", VAGUE)
    settings(tmp_path, "[profile]\nname = 'ours'\n")
    write(tmp_path / "theirs.toml", "name = 'theirs'\nextends = 'strict'\n")

    def profile(*arguments: str) -> str:
        return str(toolguild("check", path, "--json", *arguments).json["profile"]["name"])

    assert profile() == "ours"
    monkeypatch.setenv("TOOLGUILD_PROFILE", "theirs.toml")
    assert profile() == "theirs"
    assert profile("--profile", "strict") == "strict"
    assert profile("--profile", "balanced") == "balanced"


def test_a_key_of_the_settings_file_chooses_a_profile(toolguild: Any, tmp_path: Path) -> None:
    settings(tmp_path, "profile = 'strict'\n")
    ran = toolguild("check", write(tmp_path / "vague.py", VAGUE), "--json")
    assert (ran.code, ran.json["profile"]["name"]) == (1, "strict")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[profile]\nrules.TG102 = 'off'\n", "profile.rules.TG102"),
        ("[profile]\nextends = 'lax'\n", "balanced, simple, strict"),
        ("[profile\n", "toolguild.toml"),
    ],
)
def test_a_wrong_profile_is_wrong_input(
    toolguild: Any, tmp_path: Path, text: str, named: str
) -> None:
    settings(tmp_path, text)
    ran = toolguild("check", write(tmp_path / "good.py", GOOD))
    assert ran.code == 2
    assert named in ran.err
    assert "toolguild.toml" in ran.err


def test_an_unknown_profile_is_wrong_usage(toolguild: Any, tmp_path: Path) -> None:
    for name in ("lax", "absent.toml", "folder/lax"):
        ran = toolguild("check", write(tmp_path / "good.py", GOOD), "--profile", name)
        assert ran.code == 2
        assert name in ran.err
