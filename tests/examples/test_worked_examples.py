"""The worked examples do what their page says, and learn what they are told and nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("examples.plain_model", reason="run in the repository only")
from examples import coding_conventions, data_quirks
from examples.coding_conventions import Conventions
from examples.plain_model import Function, Result, Seen, next_call

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "examples" / "README.md").read_text("utf-8")
_RUN = r"^\$ python -m examples\.(\w+)\n(.*?)^```"
SHOWN: dict[str, str] = dict(re.findall(_RUN, PAGE, re.DOTALL | re.MULTILINE))
EXAMPLES = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"plain_model", "workplace"}

FIGURES = re.compile(r"(before|after|undone): +score ([\d.]+), ([\d.]+) calls, ([\d,]+) tokens")


@dataclass(frozen=True)
class Figures:
    score: float
    calls: float
    tokens: int


def figures(printed: str) -> dict[str, Figures]:
    return {
        when: Figures(float(score), float(calls), int(tokens.replace(",", "")))
        for when, score, calls, tokens in FIGURES.findall(printed)
    }


def test_the_page_shows_every_example() -> None:
    assert SHOWN.keys() == EXAMPLES
    assert len(EXAMPLES) == 4


@pytest.fixture(scope="module", params=sorted(EXAMPLES))
def ran(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An example, and what it prints where a user runs it, who has no model and no network."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")
    }
    command = [sys.executable, "-m", f"examples.{request.param}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return request.param, done.stdout


def test_it_prints_what_the_page_shows(ran: tuple[str, str]) -> None:
    name, printed = ran
    assert printed == SHOWN[name]


def test_it_does_better_on_tasks_that_nothing_was_learned_from(ran: tuple[str, str]) -> None:
    name, printed = ran
    found = figures(printed)
    before, after = found["before"], found["after"]
    assert after.score == 1.0
    if name in ("coding_conventions", "data_quirks"):
        assert before.score <= 0.2
    else:
        # The same answers, with fewer calls and fewer tokens.
        assert before.score == 1.0
        assert after.calls <= before.calls / 3
        assert after.tokens <= 0.65 * before.tokens


def test_undoing_the_first_change_takes_it_all_back(ran: tuple[str, str]) -> None:
    _, printed = ran
    changes = re.findall(r"^change (\d+),", printed, re.MULTILINE)
    assert f"undo {changes[0]}: takes back {', '.join(changes)}\n" in printed
    assert figures(printed)["undone"] == figures(printed)["before"]


# --- the model knows no outcome: other feedback, other behaviour


def printed_with(conventions: Conventions, capsys: pytest.CaptureFixture[str]) -> str:
    asyncio.run(coding_conventions.main(conventions))
    return capsys.readouterr().out


def test_another_convention_is_learned_from_other_feedback(capsys) -> None:
    other = Conventions(tests="Add a test of each new module to the folder trials.")
    printed = printed_with(other, capsys)
    assert "lesson: Add a test of each new module to the folder trials.\n" in printed
    assert figures(printed)["after"].score == 1.0


def test_feedback_that_does_not_say_what_to_do_makes_nothing_better(capsys) -> None:
    vague = Conventions(
        hints="This module is not as the others are.",
        logging="A module should be written with more care.",
        tests="Please look at what other modules have.",
    )
    printed = printed_with(vague, capsys)
    assert "lesson: " in printed
    assert figures(printed)["after"].score == figures(printed)["before"].score == 0.0


def seen(task: str, told: str, *results: Result, **functions: Function) -> Seen:
    return Seen(told, {"task": task}, functions, [*results], form="")


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ("", "SUM(amount)"),
        ("Amounts are stored in mills, so divide an amount by 1000.", "SUM(amount) / 1000.0"),
        ("Before you divide a bonus by 100, use COALESCE(amount, 7).", "SUM(COALESCE(amount, 7))"),
    ],
)
def test_a_query_is_what_the_model_is_told_to_write(told: str, what: str) -> None:
    asked = seen("How many euros came from Spain?", told)
    assert data_quirks.query(asked).split(" FROM ")[0] == f"SELECT {what}"


def test_the_model_calls_what_does_the_most_of_what_it_is_offered() -> None:
    search = Function("Find the document on a topic.", ("topic",))
    fetch = Function("Fetch a document.", ("document",))
    both = Function("Call search, then fetch.", ("topic",))
    in_hand = {"topic": "Arva"}
    plain = seen("", "", search=search, fetch=fetch)
    assert [name for name, _ in next_call(plain, in_hand).calls] == ["search"]
    better = seen("", "", search=search, both=both, fetch=fetch)
    assert [name for name, _ in next_call(better, in_hand).calls] == ["both"]
    called = seen("", "", Result("search", {}, "{}"), search=search, fetch=fetch)
    assert next_call(called, in_hand) is None
