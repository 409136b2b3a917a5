"""`synthesize --tools`: a toolbox with only so many places, as a person or a script sees it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.registry import Registry, head, verify

RunOf: TypeAlias = Callable[[str, int, int], dict[str, Any]]

SIZES = {"pears": 5, "plums": 2, "figs": 3}
"""Three loops: what each saves follows from how many items there are."""


@pytest.fixture
def orchard(tmp_path: Path, run_of: RunOf) -> Path:
    path = tmp_path / "orchard.jsonl"
    runs = [
        run_of(tool, task, items + task % 2) for tool, items in SIZES.items() for task in range(4)
    ]
    path.write_text("\n".join(map(json.dumps, runs)))
    return path


def fates(ran: Any) -> list[tuple[str, str]]:
    return [(tool["name"], tool["fate"]) for tool in ran.json["tools"]]


def registered() -> list[str]:
    with Registry.open("tools.db") as registry:
        assert verify(registry).ok
        return [version.spec.name for version in registry.tools()]


def test_the_tools_that_save_most_get_the_places(toolguild: Any, orchard: Path) -> None:
    ran = toolguild("synthesize", orchard, "--registry", "tools.db", "--tools", "2", "--json")
    assert ran.code == 0
    names = [name for name, _ in fates(ran)]
    assert [fate for _, fate in fates(ran)] == ["registered", "registered", "left out"]
    assert registered() == sorted(names[:2])
    first, second, third = ran.json["tools"]
    # Four runs of five or six pears each save as many calls, and more than figs, and these more
    # than plums.
    assert [tool["verified"]["alone"]["calls"] for tool in ran.json["tools"]] == [22, 14, 10]
    assert [tool["verified"]["place"] for tool in ran.json["tools"]] == [1, 2, None]
    gains = [tool["verified"]["beside_those_before"]["tokens"] for tool in (first, second, third)]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] > 0
    assert third["reasons"] == [f"beyond the budget of 2: would save {gains[-1]:,} tokens more"]


def test_with_place_for_all_nothing_is_left_out(toolguild: Any, orchard: Path) -> None:
    ran = toolguild("synthesize", orchard, "--registry", "tools.db", "--tools", "9", "--json")
    assert [fate for _, fate in fates(ran)] == ["registered"] * 3
    assert len(registered()) == 3


def test_a_person_reads_why_and_what_they_save(toolguild: Any, orchard: Path) -> None:
    ran = toolguild("synthesize", orchard, "--registry", "tools.db", "--tools", "1")
    assert "left out: beyond the budget of 1" in " ".join(ran.out.split())
    assert "verified" in ran.out
    assert "Verified: in the recorded runs, 1 tool saves 22 calls" in ran.err
    assert "2 left out, 1 registered" in ran.err
    without = toolguild("synthesize", orchard, "--registry", "all.db")
    assert "verified" not in (without.out + without.err).lower()


def test_again_it_changes_nothing_and_takes_nothing_back(toolguild: Any, orchard: Path) -> None:
    arguments = ("synthesize", orchard, "--registry", "tools.db", "--json")
    toolguild(*arguments)
    with Registry.open("tools.db") as registry:
        before = head(registry)
    ran = toolguild(*arguments, "--tools", "1")
    assert [fate for _, fate in fates(ran)] == ["unchanged", "left out", "left out"]
    assert not ran.json["changed"]
    for tool in ran.json["tools"][1:]:
        assert tool["reasons"][0].endswith(f"; {tool['name']}@1 of an earlier run stays registered")
    with Registry.open("tools.db") as registry:
        assert head(registry) == before


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1.5", ""])
def test_a_budget_that_is_no_number_of_tools_is_exit_code_2(
    toolguild: Any, orchard: Path, wrong: str
) -> None:
    ran = toolguild("synthesize", orchard, "--tools", wrong)
    assert ran.code == 2
    assert "--tools" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("option", "wrong"),
    [("--cached-price", "1.5"), ("--cached-price", "x"), ("--prompt-tokens", "-1")],
)
def test_prompts_that_cannot_be_are_exit_code_2(
    toolguild: Any, orchard: Path, option: str, wrong: str
) -> None:
    for command in ("mine", "synthesize"):
        ran = toolguild(command, orchard, option, wrong)
        assert ran.code == 2
        assert option in ran.err


def test_the_budget_may_stand_in_the_settings_file(toolguild: Any, orchard: Path) -> None:
    Path("toolguild.toml").write_text("[synthesize]\ntools = 1\n")
    ran = toolguild("synthesize", orchard, "--registry", "tools.db", "--json")
    assert [fate for _, fate in fates(ran)] == ["registered", "left out", "left out"]


def test_ctrl_c_before_the_choice_leaves_nothing_registered(tmp_path: Path, run_of: RunOf) -> None:
    runs = [run_of(f"kind_{number % 40}", number // 40, 3) for number in range(400)]
    log = tmp_path / "runs.jsonl"
    log.write_text("\n".join(map(json.dumps, runs)))
    command = [sys.executable, "-m", "toolguild.cli", "synthesize", log, "--tools", "2"]
    process = subprocess.Popen(
        [*command, "--sandbox", "local"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    database = tmp_path / ".toolguild" / "registry.db"
    deadline = time.monotonic() + 60
    while not database.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    with Registry.open(database) as registry:
        assert verify(registry).ok
        assert registry.tools() == []
