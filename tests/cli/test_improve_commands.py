"""`toolguild improve`: an agent that learns from what it is told of its runs, in the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from model_server import Script, Server

from toolguild.registry import Registry, verify
from toolguild.registry.improvement import Artefact, ArtefactKind, ChangeKind, NewChange

TOOLS = '''
from toolguild.agent.own_tools import tool

@tool("read")
def find_total(order: str) -> int:
    """Return the total of an order, in cents."""
    return {"A1": 1250, "A2": 900, "A3": 4999}[order]

@tool("read")
def find_owner(order: str) -> str:
    """Say whose an order is."""
    return "Ada"
'''
TASKS = """
[[tasks]]
id = "two"
task = "What is the total of order A2 in dollars?"
category = "totals"
critical = true
held_out = true
numeric = 9.0

[[tasks]]
id = "three"
task = "What is the total of order A3 in dollars?"
category = "totals"
held_out = true
numeric = 49.99

[[tasks]]
id = "one"
task = "What is the total of order A1 in dollars?"
numeric = 12.5
"""
REVIEW = "Totals are in cents; divide a total by 100 to tell it in dollars."
WORSE = "Totals are in euros; say the total as it stands and multiply it by 7."
CONFIGURATION = {
    "sub_goal": "Find the total.",
    "strategy": "Ask.",
    "toolbox": ["find_total", "find_owner"],
    "knowledge": "",
    "context_mode": "basic",
}


def desk(request: dict[str, Any]) -> Script:
    """Do as an agent that knows of cents only what it is told: one rule, for every task."""
    if "tools" not in request:
        return Script(json.dumps(CONFIGURATION))
    told = str(request["messages"][0]["content"])
    asked = str(request["messages"][1]["content"])
    results = [one["content"] for one in request["messages"] if one["role"] == "tool"]
    if not results:
        order = next(name for name in ("A1", "A2", "A3") if name in asked)
        return Script("", calls=[("find_total", {"order": order})])
    total = float(results[-1])
    if "divide a total by 100" in told:
        total /= 100
    if "multiply it by 7" in told:
        total *= 7
    said = {"status": "complete", "final_result": f"{total}", "summary": "Asked."}
    return Script("", calls=[("terminate", said)])


@pytest.fixture(autouse=True)
def files(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_tools.py").write_text(TOOLS)
    (tmp_path / "tasks.toml").write_text(TASKS)
    (tmp_path / "instructions.md").write_text("Answer with one number.\n")
    monkeypatch.setenv("TOOLGUILD_MODEL", "m")
    monkeypatch.setenv("TOOLGUILD_REGISTRY", "tools.db")
    server.answer = desk


@pytest.fixture
def improve(toolguild):
    return lambda *arguments: toolguild("improve", *arguments)


@pytest.fixture
def seeded(improve):
    ran = improve("seed", "desk", "--instructions", "instructions.md")
    assert ran.code == 0, ran.err


@pytest.fixture
def work(toolguild):
    """Work on a task as the agent `desk`; return the id of the run and the result."""

    def run(order: str) -> tuple[str, str]:
        task = f"What is the total of order {order} in dollars?"
        ran = toolguild("agent", "run", task, "--tools", "my_tools.py", "--agent", "desk", "--json")
        assert ran.code == 0, ran.err
        return ran.json["run"], ran.json["result"]

    return run


TRIAL = ("--tasks", "tasks.toml", "--tools", "my_tools.py")


@pytest.fixture
def learned(seeded, work, improve):
    """A lesson from what a person said of a run."""
    run, result = work("A1")
    assert result == "1250.0"
    assert improve("score", run, "0.2", "--why", REVIEW).code == 0
    ran = improve("run", "desk", *TRIAL)
    assert ran.code == 0, ran.err
    return ran


def test_what_a_person_says_of_a_run_is_known_in_the_next(learned, work, improve) -> None:
    assert "made (lessons)" in learned.err
    assert "2 held-out tasks: mean score 0.00 before, 1.00 after" in learned.err
    assert work("A1")[1] == "12.5"
    told = improve("show", "desk", "--json").json["told"]
    assert [one["kind"] for one in told] == ["instructions", "lesson"]
    assert REVIEW.rstrip(".") in told[1]["lesson"]


def test_it_says_by_what_a_change_was_made(learned, improve) -> None:
    listed = improve("log", "desk", "--json").json["changes"]
    lesson = next(one for one in listed if one["kind"] == "lessons")
    assert lesson["holds"] is True
    assert lesson["evidence"]["mean"] == 0
    assert lesson["evidence"]["mean_of_candidate"] == 1
    assert lesson["evidence"]["cases"] == 2
    shown = improve("log", "desk")
    assert " ".join(shown.out.split()).count(" yes ") == 2


def test_one_undo_takes_it_back_and_one_more_brings_it_again(learned, work, improve) -> None:
    number = next(
        one["change"]
        for one in improve("log", "--json").json["changes"]
        if one["kind"] == "lessons"
    )
    dry = improve("undo", number, "--dry-run")
    assert "1 change would be undone" in dry.err
    assert work("A1")[1] == "12.5"
    undone = improve("undo", number, "--why", "it was a misunderstanding")
    assert undone.code == 0
    assert work("A1")[1] == "1250.0"
    again = undone.err.partition("`toolguild improve undo ")[2].partition("`")[0]
    assert improve("undo", again).code == 0
    assert work("A1")[1] == "12.5"
    refused = improve("undo", "999")
    assert refused.code == 1
    assert "there is no change 999" in refused.err


def test_what_makes_held_out_tasks_worse_is_refused_and_kept(learned, work, improve) -> None:
    run, _ = work("A1")
    improve("score", run, "0.1", "--why", WORSE)
    ran = improve("run", "desk", *TRIAL, "--json")
    [outcome] = [one for one in ran.json["outcomes"] if one["kind"] == "lessons"]
    assert outcome["verdict"] == "refused"
    assert "critical category 'totals'" in outcome["why"]
    assert work("A1")[1] == "12.5"
    listed = improve("log", "desk", "--json").json["changes"]
    [refused] = [one for one in listed if one["kind"] == "refused"]
    assert refused["holds"] is False


def test_nothing_new_changes_nothing(learned, improve, tmp_path) -> None:
    before = improve("show", "desk", "--json").json
    ran = improve("run", "desk", *TRIAL, "--json")
    assert (ran.code, ran.json["runs"], ran.json["outcomes"]) == (0, 0, [])
    assert improve("show", "desk", "--json").json == before
    with Registry.open(tmp_path / "tools.db") as registry:
        assert verify(registry).ok


def test_a_run_leaves_the_trace_that_tools_are_made_of(seeded, work, tmp_path) -> None:
    run, _ = work("A1")
    assert (tmp_path / ".toolguild" / "runs" / "traces" / f"{run}.json").is_file()


def test_it_waits_for_so_many_failures(seeded, work, improve, server) -> None:
    run, _ = work("A1")
    improve("score", run, "0.2", "--why", REVIEW)
    before = len(server.requests)
    ran = improve("run", "desk", *TRIAL, "--after-failures", "2")
    assert (ran.code, len(server.requests)) == (0, before)
    assert "1 run failed since the last time; 2 are waited for" in ran.err


def test_practice_is_scored_and_not_repeated(seeded, improve) -> None:
    first = improve("warm-up", "desk", *TRIAL)
    assert first.code == 0, first.err
    assert "1 of 1: one: 0.00 (it is 1250, not 12.5)" in first.err
    assert "0 tasks worked on, 1 scored before" in improve("warm-up", "desk", *TRIAL).err


def test_what_an_agent_learned_begins_another(learned, improve, toolguild) -> None:
    assert toolguild("keys", "new", "mine").code == 0
    exported = improve("export", "desk", "-o", "desk.json", "--key", "mine")
    assert exported.code == 0, exported.err
    ran = improve("import", "desk.json", "other", "--key", "mine.pub", *TRIAL, "--json")
    assert ran.code == 0, ran.err
    assert {one["verdict"] for one in ran.json["outcomes"]} == {"made"}
    told = [one["kind"] for one in improve("show", "other", "--json").json["told"]]
    assert sorted(told) == ["instructions", "lesson"]
    assert "Give --key" in improve("export", "desk", "-o", "plain.json").err
    assert improve("export", "desk", "-o", "plain.json", "--unsigned").code == 0
    refused = improve("import", "plain.json", "third", *TRIAL)
    assert refused.code != 0
    assert improve("show", "third", "--json").json["told"] == []


def test_instructions_are_shown_whole_and_listed_in_a_line(improve, tmp_path) -> None:
    lines = [f"{number}. Look before you write, and say what you found." for number in range(9)]
    (tmp_path / "long.md").write_text("\n".join(lines))
    assert improve("seed", "desk", "--instructions", "long.md").code == 0
    shown = improve("show", "desk").out
    assert all(line in shown for line in lines)
    listed = improve("log", "desk").out
    assert "0. Look before" in listed
    assert "8. Look before" not in listed
    assert "\N{REPLACEMENT CHARACTER}" not in shown + listed


def test_what_was_refused_for_saying_nothing_is_listed(seeded, improve, tmp_path) -> None:
    with Registry.open(tmp_path / "tools.db") as registry:
        broken = Artefact(ArtefactKind.LESSON, {"x": 1})
        new = NewChange("desk", ChangeKind.LESSONS, "a test", adds=(broken,))
        registry.improvements.refuse(new, why="it holds nothing")
    listed = improve("log", "desk")
    assert (listed.code, "cannot be read" in " ".join(listed.out.split())) == (0, True)


def test_a_person_decides_on_what_is_held_back(seeded, improve, tmp_path) -> None:
    far = Artefact(ArtefactKind.INSTRUCTIONS, {"text": "Something else altogether."})
    with Registry.open(tmp_path / "tools.db") as registry:
        new = NewChange("desk", ChangeKind.INSTRUCTIONS, "too far", adds=(far,))
        held = registry.improvements.hold(new)
    shown = improve("show", "desk")
    assert f"toolguild improve decide {held.number}" in shown.err
    assert improve("decide", held.number, "accept", "--why", "I read it").code == 0
    assert "Something else altogether." in improve("show", "desk").out
    assert improve("decide", held.number, "decline").code == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("seed", "desk"), "give --instructions, --examples, or both"),
        (("seed", "desk", "--instructions", "none.md"), "none.md"),
        (("score", "none", "0.5"), "none.jsonl"),
        (("score", "none", "1.5"), "1.5"),
        (("run", "desk", "--tasks", "none.toml"), "none.toml"),
        (("run", "desk", "--tasks", "tasks.toml", "--tools", "none.py"), "none.py"),
    ],
)
def test_what_cannot_be_done_is_told(seeded, improve, arguments, problem) -> None:
    ran = improve(*arguments)
    assert ran.code == 2
    assert problem in ran.err
    assert "Traceback" not in ran.err
