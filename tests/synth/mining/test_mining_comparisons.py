"""Loops over rows chosen by comparison: found in traces, written into tools, and proven there."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json, Limits, Sandbox
from toolguild.synth.proving import prove
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any
Row: TypeAlias = dict[str, Any]

PROOF = ValidationSettings(inputs=20, repeats=2, mutants=0, limits=Limits(wall_s=1.0))
TASKS = 12
STATES = ("open", "sent", "held", "cancelled")


def offers(task: int) -> list[Row]:
    """Return the rows of one task; the keys have nothing to do with each other."""
    chance = random.Random(task)  # noqa: S311 - rows and no secrets
    return [
        {
            "id": f"off-{task}-{number}",
            "price": chance.choice(range(40, 600, 5)),
            "seats": chance.choice((-2, -1, 0, 1, 2, 5)),
            "day": f"2031-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "state": chance.choice(STATES),
        }
        for number in range(6)
    ]


def search(task: int) -> dict[str, Json]:
    chance = random.Random(f"search {task}")  # noqa: S311 - rows and no secrets
    return {
        "city": f"city-{task}",
        "limit": chance.choice(range(150, 450, 7)),
        "until": f"2031-{chance.randint(4, 9):02}-15",
        "unwanted": STATES[task % 4],
    }


Choice: TypeAlias = Callable[[Row, Any], bool]


def run(writer: Writer, task: int, choice: Choice, rows: list[Row] | None = None) -> Trace:
    asked, listed = search(task), offers(task) if rows is None else rows
    return writer.trace(  # type: ignore[no-any-return]
        f"task{task}",
        writer.call("search_offers", asked, {"offers": [*listed]}),
        *(
            writer.call("get_offer", {"id": row["id"]}, {"terms": f"terms of {row['id']}"})
            for row in listed
            if choice(row, asked)
        ),
        text=" ".join(map(str, asked.values())),
    )


def runs(writer: Writer, choice: Choice, tasks: int = TASKS) -> list[Trace]:
    return [run(writer, task, choice) for task in range(tasks)]


CHOICES: dict[str, tuple[Choice, str]] = {
    "at most a constant": (
        lambda row, _: row["price"] <= 300,
        '_comparable(row["price"], 300) <= 300',
    ),
    "above zero": (lambda row, _: row["seats"] > 0, '_comparable(row["seats"], 0) > 0'),
    "at least a date": (
        lambda row, _: row["day"] >= "2031-07-01",
        '_comparable(row["day"], "2031-07-01") >= "2031-07-01"',
    ),
    "at most what was given": (
        lambda row, asked: row["price"] <= asked["limit"],
        '_comparable(row["price"], limit) <= limit',
    ),
    "until the day that was given": (
        lambda row, asked: row["day"] <= asked["until"],
        '_comparable(row["day"], until) <= until',
    ),
    "not a word": (lambda row, _: row["state"] != "cancelled", 'row["state"] != "cancelled"'),
    "not the word that was given": (
        lambda row, asked: row["state"] != asked["unwanted"],
        'row["state"] != unwanted',
    ),
}


@pytest.mark.parametrize("how", CHOICES)
def test_a_loop_goes_over_the_rows_that_a_comparison_tells(
    how: str, writer: Writer, local: Sandbox
) -> None:
    choice, condition = CHOICES[how]
    found = writer.sequences(runs(writer, choice))[0]
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert f'[row for row in offers["offers"] if {condition}]' in " ".join(
        proof.draft.source.split()
    )
    assert found.held_out
    assert proof.passed, proof.report and proof.report.reasons
