"""`toolguild audit`: what it prints, and what it finds against heads kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from forging import forged

from toolguild.policies import Tier
from toolguild.registry import Registry, ToolSpec


@pytest.fixture
def tools(tmp_path: Path, toolguild: Any) -> Path:
    """Make a registry whose trail has three rows."""
    path = tmp_path / "tools.db"
    with Registry.open(path, actor="ada") as registry:
        for name in ("one", "two"):
            schema = {"type": "object", "properties": {}}
            registry.register(ToolSpec(name, "Give one.", f"def {name}(): ...", schema, {}))
        registry.set_tier("one", Tier.RESTRICTED, why="60 of 60")
    return path


def cut_off(path: Path) -> None:
    """Undo the last change in tables and trail alike."""
    with forged(path) as connection:
        connection.execute("DELETE FROM audit WHERE seq = 3")
        connection.execute("UPDATE versions SET tier = 'sandbox'")
        connection.execute("UPDATE search_documents SET tier = 'sandbox'")


def test_the_tail_tells_who_did_what_to_which_tool_and_why(toolguild: Any, tools: Path) -> None:
    told = toolguild("audit", "tail", "--registry", tools).out.splitlines()
    assert [line.split()[2:5] for line in told[1:]] == [
        ["ada", "register", "one@1"],
        ["ada", "register", "two@1"],
        ["ada", "set_tier", "one@1"],
    ]
    assert told[3].rstrip().endswith("60 of 60")
    [row] = toolguild("audit", "tail", "-n", "1", "--registry", tools, "--json").json["rows"]
    assert (row["row"], row["content"]["after"]["tier"]) == (3, "restricted")


def test_a_trail_that_holds_is_said_to(toolguild: Any, tools: Path) -> None:
    ran = toolguild("audit", "verify", "--registry", tools)
    assert (ran.code, ran.out.startswith("3 rows hold")) == (0, True)
    assert "No anchored head was compared" in ran.out


def test_what_the_chain_cannot_show_a_head_kept_elsewhere_does(toolguild: Any, tools: Path) -> None:
    assert toolguild("audit", "head", "--anchor", "heads", "--registry", tools).code == 0
    verify = ["audit", "verify", "--registry", tools]
    held = toolguild(*verify, "--anchor", "heads")
    assert (held.code, "1 anchored head agrees, up to row 3" in held.out) == (0, True)
    cut_off(tools)
    assert toolguild(*verify).code == 0
    ran = toolguild(*verify, "--anchor", "heads")
    assert ran.code == 1
    assert "Broken at row 3: row 3 was cut off" in ran.out
    found = toolguild(*verify, "--anchor", "heads", "--json").json
    assert (found["ok"], found["problems"][0]["row"]) == (False, 3)


def test_signed_heads_are_checked_by_the_keys_that_are_given(toolguild: Any, tools: Path) -> None:
    for name in ("auditor", "other"):
        toolguild("keys", "new", name)
    head = ["audit", "head", "--registry", tools, "--anchor", "heads"]
    signed = toolguild(*head, "--key", "auditor", "--json").json
    assert (signed["row"], signed["use"], len(signed["signature"])) == (3, 0, 88)
    verify = ["audit", "verify", "--registry", tools, "--anchor", "heads"]
    Path("toolguild.toml").write_text('[trust]\nkeys = ["other.pub"]\n')  # for tools, not heads
    assert "signatures not checked" in toolguild(*verify).out
    assert "signatures checked" in toolguild(*verify, "--key", "auditor.pub").out
    assert toolguild(*verify, "--key", "other.pub").code == 2
    toolguild(*head)
    mixed = toolguild(*verify, "--key", "auditor.pub")
    assert (mixed.code, "heads:2: row 3 is not signed by a trusted key" in mixed.err) == (2, True)


def test_a_head_in_a_git_note_is_found_again(
    toolguild: Any, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    import subprocess

    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    git = str(shutil.which("git"))
    subprocess.run([git, "init", "-q"], check=True)
    subprocess.run([git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    assert toolguild("audit", "head", "--git-note", "--registry", tools).code == 0
    verify = ["audit", "verify", "--git-note", "--registry", tools]
    assert toolguild(*verify).code == 0
    cut_off(tools)
    ran = toolguild(*verify)
    assert (ran.code, "row 3 was cut off" in ran.out) == (1, True)


def test_a_registry_that_is_gone_does_not_verify(toolguild: Any, tools: Path) -> None:
    tools.unlink()
    for command in ("verify", "tail", "head"):
        ran = toolguild("audit", command, "--registry", tools)
        assert (ran.code, "there is no registry" in ran.err) == (2, True)
    assert not tools.exists()


def test_anchors_that_cannot_be_read_are_no_anchors(toolguild: Any, tools: Path) -> None:
    Path("empty").touch()
    Path("broken").write_text("3 sha256:ab 2026\n")
    for name in ("missing", "empty", "broken"):
        ran = toolguild("audit", "verify", "--registry", tools, "--anchor", name)
        assert (ran.code, name in ran.err) == (2, True)
    assert toolguild("audit", "head", "--anchor", "no/such", "--registry", tools).code == 2
