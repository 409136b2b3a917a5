"""`--mount`, `--workspace`, `--allow-host`, and what the commands say of what tools did with them.

The sandbox is scripted here; real ones have their turn in `test_call_with_files`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import CallStatus, Registry, ToolSpec, Use
from toolguild.sandbox import (
    Access,
    FileChange,
    JsonObject,
    Mount,
    Outcome,
    ScriptedRun,
    ScriptedSandbox,
    Status,
)

EVERYTHING = frozenset(Capability)
NOTHING: JsonObject = {"type": "object", "properties": {}, "additionalProperties": False}
WRITTEN = Outcome(
    Status.OK,
    {"saved": "\N{SNOWMAN}"},
    effects=frozenset({Capability.WRITE}),
    changes=(FileChange("new.txt", b"x" * 1234), FileChange("gone.txt", None)),
)


class Commands:
    """Runs commands, each on a scripted sandbox of its own."""

    def __init__(self, toolguild: Any) -> None:
        self._toolguild = toolguild
        self.answers: list[Outcome] = []
        """What the next runs come to; `WRITTEN` where there is nothing."""
        self.runs: list[ScriptedRun] = []
        self.opened: list[dict[str, Any]] = []
        """What each sandbox was opened with."""

    def __call__(self, *arguments: str) -> Any:
        return self._toolguild(*arguments)

    def open_sandbox(self, kind: str, **options: Any) -> ScriptedSandbox:
        self.opened.append({"kind": kind, **options})
        return ScriptedSandbox(self._answer, options.get("profile"))

    def _answer(self, run: ScriptedRun) -> Outcome:
        self.runs.append(run)
        return self.answers.pop(0) if self.answers else WRITTEN

    @property
    def access(self) -> Access:
        """What the only run was given."""
        [run] = self.runs
        return run.access


@pytest.fixture
def commands(toolguild: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Work in a folder with `data`, `work`, and a registry with a tool that may do everything."""
    for folder in ("data", "work"):
        (tmp_path / folder).mkdir()
    commands = Commands(toolguild)
    monkeypatch.setattr("toolguild.cli.sandboxes.open_sandbox", commands.open_sandbox)
    monkeypatch.setenv("TOOLGUILD_REGISTRY", "tools.db")
    with Registry.open("tools.db") as registry:
        registry.register(ToolSpec("save", "", "text", NOTHING, {}, needs=EVERYTHING))
        registry.set_tier("save", Tier.FULL, why="test")
    return commands


def test_nothing_is_given_by_default(commands: Commands) -> None:
    assert commands("call", "save").code == 0
    assert commands.access == Access()


def test_what_the_options_name_reaches_the_sandbox(commands: Commands, tmp_path: Path) -> None:
    ran = commands(
        "call", "save", "--mount", "data:/data", "--mount", f"{tmp_path}/work:/elsewhere",
        "--workspace", "work", "--allow-host", "example.org", "--allow-host", "*.a.org:8443",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    data, work = tmp_path / "data", tmp_path / "work"
    assert commands.access == Access(
        (Mount(data, "/data"), Mount(work, "/elsewhere")),
        work,
        frozenset({"example.org", "*.a.org:8443"}),
    )


def test_a_mount_without_a_target_is_found_at_its_own_path(
    commands: Commands, tmp_path: Path
) -> None:
    # The folder of tests lies where nothing can be mounted, unlike most.
    ran = commands("call", "save", "--mount", "data")
    assert ran.code == 2
    assert f"cannot mount at {tmp_path / 'data'}" in ran.err
    assert "write SOURCE, or SOURCE:/TARGET" in ran.err
    assert commands("call", "save", "--mount", "/opt/.").code == 0
    assert commands.access.mounts == (Mount(Path("/opt"), "/opt"),)


def test_every_public_host_has_to_be_asked_for(commands: Commands) -> None:
    commands("call", "save", "--allow-host", "*")
    assert commands.access.hosts is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mount", "missing:/data"], "cannot mount missing: it is no directory"),
        (["--mount", "data:relative"], "cannot mount data:relative: it is no directory"),
        (["--mount", "data:/etc"], "cannot mount at /etc"),
        (["--mount", "data:/a", "--mount", "work:/a/b"], "cannot mount at /a/b"),
        (["--workspace", "missing"], "missing is no directory"),
        (["--workspace", "tools.db"], "tools.db is no directory"),
        (["--allow-host", "https://example.org"], "cannot allow the host 'https://example.org'"),
        (["--allow-host", ""], "cannot allow the host ''"),
    ],
)
def test_mistakes_on_the_command_line_are_named(
    commands: Commands, options: list[str], said: str
) -> None:
    ran = commands("call", "save", *options)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert commands.runs == []


# -- the settings file


def settings(text: str) -> None:
    Path("toolguild.toml").write_text(text)


def test_the_settings_file_gives_the_same(commands: Commands, tmp_path: Path) -> None:
    settings(
        'workspace = "work"\nmount = ["data:/data"]\n[call]\nallow_host = ["a.org", "b.org"]\n'
    )
    assert commands("call", "save").code == 0
    mounts = (Mount(tmp_path / "data", "/data"),)
    assert commands.access == Access(mounts, tmp_path / "work", frozenset({"a.org", "b.org"}))


def test_flags_go_before_the_settings_file(commands: Commands, tmp_path: Path) -> None:
    settings('workspace = "missing"\nmount = ["missing:/data"]\n')
    assert commands("call", "save", "--workspace", "work", "--mount", "data:/d").code == 0
    assert commands.access == Access((Mount(tmp_path / "data", "/d"),), tmp_path / "work")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mount = "data:/data"', 'toolguild.toml: mount: not a list; write mount = ["..."]'),
        ("[call]\nallow_host = true", "toolguild.toml: allow_host: not a list"),
        ('mount = ["missing:/data"]', "toolguild.toml: mount: cannot mount missing"),
        ("mount = [3]", "toolguild.toml: mount: 3 is not a text"),
        ('workspace = "missing"', "toolguild.toml: workspace: missing is no directory"),
        ("[call]\nworkspace = 3", "toolguild.toml: workspace: 3 is not a text"),
        ('allow_host = ["a b"]', "toolguild.toml: allow_host: cannot allow the host 'a b'"),
    ],
)
def test_mistakes_in_the_settings_file_are_named(commands: Commands, text: str, said: str) -> None:
    settings(text)
    ran = commands("call", "save")
    assert ran.code == 2
    assert said in ran.err
    assert commands.runs == []


def test_a_folder_that_is_missing_stops_only_those_who_need_it(commands: Commands) -> None:
    settings('workspace = "missing"')
    assert commands("tools", "list").code == 0


# -- what is said


def test_changes_are_told_beside_the_result(commands: Commands) -> None:
    ran = commands("call", "save", "--workspace", "work")
    assert ran.out == '{"saved": "\N{SNOWMAN}"}\n'
    assert ran.err == "Changed in work: new.txt (1,234 bytes), gone.txt (removed).\n"
    shown = commands("call", "save", "--workspace", "work", "--json").json
    assert shown["value"] == {"saved": "\N{SNOWMAN}"}
    assert shown["changes"] == [
        {"path": "new.txt", "bytes": 1234},
        {"path": "gone.txt", "bytes": None},
    ]
    assert (shown["discarded"], shown["effects"], shown["undeclared"]) == ([], ["write"], [])


FILES = "new.txt (1,234 bytes), gone.txt (removed).\n"


def test_changes_that_were_discarded_are_told_with_the_reason(commands: Commands) -> None:
    assert commands("call", "save").err == f"Discarded, as no --workspace was given: {FILES}"
    failed = Outcome(Status.ERROR, error="ValueError: no", changes=WRITTEN.changes)
    commands.answers.append(failed)
    ran = commands("call", "save", "--workspace", "work")
    assert ran.err.endswith(f"Discarded, as the call did not succeed: {FILES}")
    with Registry.open("tools.db") as registry:
        registry.set_tier("save", Tier.SANDBOX, why="test")
    ran = commands("call", "save", "--workspace", "work")
    assert ran.err == f"Discarded, as nothing is written in the tier sandbox: {FILES}"
    shown = commands("call", "save", "--workspace", "work", "--json").json
    assert shown["changes"] == []
    assert [change["path"] for change in shown["discarded"]] == ["new.txt", "gone.txt"]


def test_what_was_left_out_and_asked_for_is_told(commands: Commands) -> None:
    outcome = Outcome(
        Status.OK,
        1,
        left_out=("li\nnk\x1b[31m: a symbolic link",),
        hosts=("a.org:443", "b.org:80", "a.org:443"),
    )
    commands.answers += [outcome, outcome]
    ran = commands("call", "save")
    mark = "\N{REPLACEMENT CHARACTER}"
    assert ran.err == (
        f"Left out: li{mark}nk{mark}[31m: a symbolic link.\nAsked for: a.org:443, b.org:80.\n"
    )
    shown = commands("call", "save", "--json").json
    assert shown["hosts"] == ["a.org:443", "b.org:80"]
    assert len(shown["left_out"]) == 1


def test_undeclared_effects_are_told_and_kept(commands: Commands) -> None:
    with Registry.open("tools.db") as registry:
        registry.register(ToolSpec("pure", "", "text", NOTHING, {}))
    ran = commands("call", "pure")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        0,
        "Not declared by the tool, and used or asked for all the same: write.",
    )
    assert "1 use doing what it does not declare" in commands("tools", "show", "pure").out
    assert commands("tools", "show", "pure", "--json").json["undeclared"] == 1


def test_a_tool_is_shown_with_the_composites_that_called_it(commands: Commands) -> None:
    with Registry.open("tools.db") as registry:
        save = registry.tool("save")
        outer = registry.register(ToolSpec("outer", "", "x", NOTHING, {}, ("save",))).version
        for caller in (outer.digest, outer.digest, None):
            use = Use(save.digest, "", CallStatus.OK, 0.1, registry.now(), caller=caller)
            registry.record(use)
    assert "outer@1 (2 times)" in commands("tools", "show", "save").out
    assert commands("tools", "show", "save", "--json").json["callers"] == {"outer@1": 2}
    assert commands("tools", "show", "outer", "--json").json["callers"] == {}


# -- validate and synthesize

READS = '''
def size(path: str) -> int:
    """Count the characters of a file.

    Args:
        path: Where it is.

    Returns:
        How many there are.
    """
    with open(path) as file:
        return len(file.read())
'''


def test_validate_gives_its_runs_what_the_options_name(commands: Commands, tmp_path: Path) -> None:
    Path("tool.py").write_text(READS)
    commands("validate", "tool.py", "--mount", "data:/data", "--workspace", "work")
    access = Access((Mount(tmp_path / "data", "/data"),), tmp_path / "work")
    assert {run.access for run in commands.runs} == {access}
    assert {run.program.needs for run in commands.runs} == {frozenset({Capability.READ})}


def test_validate_names_an_effect_that_the_text_does_not_show(commands: Commands) -> None:
    Path("tool.py").write_text(READS)
    ran = commands("validate", "tool.py", "--json")
    assert ran.code == 1
    checks = {check["name"]: check for check in ran.json["checks"]}
    assert not checks["no undeclared effect"]["passed"]
    assert "uses write" in checks["no undeclared effect"]["detail"]


def test_synthesize_gives_its_runs_what_the_options_name(
    commands: Commands, tmp_path: Path, log: Path
) -> None:
    ran = commands("synthesize", str(log), "--mount", "data:/data", "--workspace", "work")
    access = Access((Mount(tmp_path / "data", "/data"),), tmp_path / "work")
    assert {run.access for run in commands.runs if run.tools} == {access}, ran.err
    settings(f"mount = {json.dumps(['data:/data', 'work:/data/inside'])}")
    ran = commands("synthesize", str(log))
    assert ran.code == 2
    assert "cannot mount at /data/inside" in ran.err
