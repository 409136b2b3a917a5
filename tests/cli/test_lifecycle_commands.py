"""The budget of new tools from the command line: what waits, for what, and how it is let in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolguild.policies import load_profile
from toolguild.registry import Intake, Registry, ToolSpec

ONE = '''
def one() -> int:
    """Give a number.

    Returns:
        The number.
    """
    return {}
'''
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


@pytest.fixture
def line(toolguild: Any, run_of: Any, tmp_path: Path) -> str:
    """A log that makes three tools, in a folder whose settings let one in a cycle."""
    Path("toolguild.toml").write_text("[profile]\ntrust.budget.new_tools_a_cycle = 1\n")
    log = tmp_path / "log.jsonl"
    runs = [run_of(tool, task, 2) for tool in ("pear", "plum", "fig") for task in range(6)]
    log.write_text("".join(json.dumps(run) + "\n" for run in runs))
    return str(log)


def test_what_a_run_makes_beyond_its_budget_waits_until_reviews_let_it_in(
    toolguild: Any, line: str
) -> None:
    made = toolguild("synthesize", line, "--registry", "tools.db", "--json")
    refs = {tool["ref"]: tool["fate"] for tool in made.json["tools"]}
    assert (made.code, [*refs.values()]) == (0, ["registered", "proposed", "proposed"])
    _, second, third = refs
    listed = toolguild("tools", "list", "--state", "proposed", "--registry", "tools.db", "--json")
    assert [tool["ref"] for tool in listed.json["tools"]] == [second, third]
    why = toolguild("tools", "why", third.split("@")[0], "--registry", "tools.db")
    assert f"{third} is proposed" in why.out
    assert "place 2 in the line" in why.out
    called = toolguild("call", third.split("@")[0], "--registry", "tools.db")
    assert (called.code, "proposed" in called.out + called.err) == (1, True)
    again = toolguild("synthesize", line, "--registry", "tools.db")
    assert "2 proposed, 1 unchanged. Nothing new" in again.err
    assert "2 tools wait to come into use" in again.err
    review = toolguild("tools", "review", "--registry", "tools.db", "--json").json
    assert [one["ref"] for one in review["admitted"]] == [second]
    assert review["waiting"] == [third]
    review = toolguild("tools", "review", "--registry", "tools.db")
    assert f"{third} is in use now." in review.err
    state = ["tools", "list", "--state", "proposed", "--registry", "tools.db"]
    assert "no such tool" in toolguild(*state).err
    assert toolguild("audit", "verify", "--registry", "tools.db").code == 0


def register(text: str, *, waits: bool) -> None:
    with Registry.open("tools.db") as registry:
        source = ONE.format(text)
        spec = ToolSpec("one", "Give a number.", source, SCHEMA, {"type": "integer"})
        intake = Intake(replace(load_profile().trust.budget, new_tools_a_cycle=0), registry.now)
        registry.register(spec, intake=intake if waits else None)


def test_a_name_tells_which_of_its_versions_wait(toolguild: Any) -> None:
    register("1", waits=False)
    register("2", waits=True)
    why = toolguild("tools", "why", "one", "--registry", "tools.db")
    assert why.out.startswith("one@1 is active")
    assert "one@2 waits to come into use" in why.out
    told = toolguild("tools", "why", "one@2", "--registry", "tools.db", "--json").json
    assert told["waiting"] == {"place": 1, "ahead": [], "left_today": 39, "a_cycle": 20}


def test_a_tool_is_retired_and_restored(toolguild: Any) -> None:
    register("1", waits=False)
    retire = ["tools", "retire", "one", "--why", "nobody calls it", "--registry", "tools.db"]
    ran = toolguild(*retire)
    assert (ran.code, ran.err) == (0, "one@1 is retired, at sandbox now.\n")
    assert "nobody calls it" in toolguild("tools", "why", "one", "--registry", "tools.db").out
    again = toolguild(*retire)
    assert (again.code, "one@1 is retired already" in again.err) == (1, True)
    restore = ["tools", "restore", "one", "--registry", "tools.db", "--json"]
    assert toolguild(*restore).json["state"] == "active"
    assert toolguild(*restore).code == 1
    assert toolguild("tools", "retire", "absent", "--registry", "tools.db").code == 2


def test_an_import_says_what_waits(toolguild: Any) -> None:
    register("1", waits=False)
    export = ["tools", "export", "one", "-o", "b.json", "--unsigned", "--registry", "tools.db"]
    assert toolguild(*export).code == 0
    Path("toolguild.toml").write_text("[profile]\ntrust.budget.new_tools_a_day = 0\n")
    take = ["tools", "import", "b.json", "--unsigned", "--registry", "other.db"]
    for more in (["--dry-run"], []):
        ran = toolguild(*take, *more)
        assert (ran.code, "new, waits" in ran.out) == (0, True)
        assert "1 tool waits to come into use" in ran.err
    listed = toolguild("tools", "list", "--registry", "other.db", "--json").json["tools"]
    assert [tool["state"] for tool in listed] == ["proposed"]


def test_an_alias_is_given_shown_moved_and_taken(toolguild: Any) -> None:
    register("1", waits=False)
    register("2", waits=False)
    alias = ["tools", "alias", "--registry", "tools.db"]
    assert toolguild(*alias, "one@1", "stable").err == "one@stable is one@1 now.\n"
    shown = toolguild("tools", "show", "one@stable", "--registry", "tools.db", "--json").json
    assert (shown["ref"], shown["aliases"]) == ("one@1", {"stable": "one@1"})
    assert "stable is @1" in toolguild("tools", "show", "one", "--registry", "tools.db").out
    assert "stable is @1" in toolguild("tools", "list", "--registry", "tools.db").out
    assert toolguild(*alias, "one", "stable", "--why", "better").code == 0
    history = toolguild("tools", "history", "one", "--registry", "tools.db").out.splitlines()
    assert [line.split()[0] for line in history if "@stable" in line] == ["one@1", "one@2"]
    assert toolguild(*alias, "one", "3").code == 1
    removed = toolguild(*alias, "one", "stable", "--remove", "--json")
    assert (removed.code, removed.json) == (0, {"alias": "one@stable", "ref": None})
    gone = toolguild("tools", "show", "one@stable", "--registry", "tools.db")
    assert (gone.code, "one has no alias 'stable'" in gone.err) == (2, True)
    assert toolguild("audit", "verify", "--registry", "tools.db").code == 0
