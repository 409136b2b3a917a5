"""What options say about the sandbox reaches it: its kind, image and packages, and the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import load_profile
from toolguild.registry import Registry, ToolSpec
from toolguild.sandbox import Outcome, ScriptedSandbox, Status

TOOL = '''
import plistlib


def shown(text: str) -> str:
    """Return a text as a property list shows it.

    Args:
        text: The text.

    Returns:
        The list.
    """
    return plistlib.dumps([text]).decode()
'''
HOUSE = """
[profile]
extends = "balanced"
[profile.modules.plistlib]
exports = ["dumps"]
from_tier = "sandbox"
"""


@pytest.fixture
def opened(toolguild: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What sandboxes are opened with; each is a scripted one. There is a registry with a tool."""
    calls: list[dict[str, Any]] = []

    def open_sandbox(kind: str, **options: Any) -> ScriptedSandbox:
        calls.append({"kind": kind, **options})
        return ScriptedSandbox(lambda run: Outcome(Status.OK, {}), options.get("profile"))

    monkeypatch.setattr("toolguild.cli.sandboxes.open_sandbox", open_sandbox)
    monkeypatch.setenv("TOOLGUILD_REGISTRY", "tools.db")
    monkeypatch.delenv("TOOLGUILD_SANDBOX")
    with Registry.open("tools.db") as registry:
        registry.register(ToolSpec("save", "", "text", {"type": "object"}, {}))
    (tmp_path / "tool.py").write_text(TOOL, encoding="utf-8")
    (tmp_path / "packages.txt").write_text("numpy >= 2\npandas\n", encoding="utf-8")
    (tmp_path / "more.txt").write_text("pandas\n", encoding="utf-8")
    return calls


def commands(log: Path) -> tuple[tuple[str, ...], ...]:
    return ("call", "save"), ("validate", "tool.py"), ("synthesize", str(log))


def test_every_command_with_a_sandbox_hands_the_profile_on(
    toolguild: Any, opened: list[dict[str, Any]], log: Path
) -> None:
    for command in commands(log):
        toolguild(*command)
        toolguild(*command, "--profile", "strict")
    strict, balanced = load_profile("strict"), load_profile()
    assert [one["profile"] for one in opened] == [balanced, strict] * 3
    assert {one["kind"] for one in opened} == {"auto"}


def test_the_profile_of_the_house_is_the_default(
    toolguild: Any, opened: list[dict[str, Any]], log: Path
) -> None:
    Path("toolguild.toml").write_text(HOUSE, encoding="utf-8")
    for command in commands(log):
        toolguild(*command)
    assert all("plistlib" in one["profile"].code.modules for one in opened)
    assert len(opened) == 3


def test_packages_and_an_image_take_docker(
    toolguild: Any, opened: list[dict[str, Any]], log: Path
) -> None:
    packages = ("--requirements", "packages.txt", "-r", "more.txt")
    for command in commands(log):
        toolguild(*command, *packages)
        toolguild(*command, "--image", "mine:1", "--sandbox", "docker")
    for one in opened:
        del one["profile"]
    with_packages = {"kind": "docker", "requirements": ["numpy>=2", "pandas"]}
    with_image = {"kind": "docker", "requirements": [], "image": "mine:1"}
    assert opened == [with_packages, with_image] * 3


def test_the_settings_file_names_them_as_well(toolguild: Any, opened: list[dict[str, Any]]) -> None:
    text = "image = 'mine:1'\nrequirements = ['packages.txt']\n"
    Path("toolguild.toml").write_text(text, encoding="utf-8")
    assert toolguild("call", "save").code == 0
    assert opened[0]["image"] == "mine:1"
    assert opened[0]["requirements"] == ["numpy>=2", "pandas"]
    Path("toolguild.toml").write_text("requirements = 'packages.txt'\n", encoding="utf-8")
    ran = toolguild("call", "save")
    assert (ran.code, "requirements: not a list" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--image", "mine:1", "--sandbox", "local"), "give --sandbox docker"),
        (("-r", "packages.txt", "--sandbox", "local"), "give --sandbox docker"),
        (("-r", "absent.txt"), "absent.txt: No such file"),
        (("-r", "tool.py"), "tool.py:2: 'import plistlib' is no requirement"),
    ],
)
def test_mistakes_are_named(
    toolguild: Any, opened: list[dict[str, Any]], options: tuple[str, ...], says: str
) -> None:
    ran = toolguild("call", "save", *options)
    assert (ran.code, opened) == (2, [])
    assert says in ran.err


def test_a_module_of_the_house_passes_gate_and_wall(
    toolguild: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tool.py").write_text(TOOL, encoding="utf-8")
    refused = toolguild("validate", "tool.py", "--json")
    assert (refused.code, refused.json["passed"]) == (1, False)
    Path("toolguild.toml").write_text(HOUSE, encoding="utf-8")
    ran = toolguild("validate", "tool.py", "--json")
    # Some texts cannot be in a property list: what counts is that the module was there.
    static = next(check for check in ran.json["checks"] if check["name"] == "static gate")
    assert static["passed"]
    assert "cannot be imported" not in ran.out
    assert "plistlib" not in "".join(check["detail"] for check in ran.json["checks"])
