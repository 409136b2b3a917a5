"""Loops over the rows that a key tells: found where many places say so, and not by accident."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json
from toolguild.synth.mining import RepeatedSequence
from toolguild.synth.plans import Computed, Constant, FromResult, LoopStep
from toolguild.synth.traces import Trace

Writer: TypeAlias = Any
Row: TypeAlias = dict[str, Any]

STATES = ("open", "sent", "held", "closed")


def listed(chance: random.Random, task: int, size: int) -> list[Row]:
    """Return rows with words, flags, texts and numbers that have nothing to do with each other."""
    return [
        {
            "id": f"line-{task}-{number}",
            "state": chance.choice(STATES),
            "gift": chance.random() < 0.5,
            "note": chance.choice(("", "", "fragile")),
            "stops": chance.choice((0, 0, 0, 1, 2)),
            "half": chance.choice(("yes", "no")),
        }
        for number in range(size)
    ]


def run(
    writer: Writer,
    task: int,
    rows: list[Row],
    chosen: Iterable[Row],
    state: str = "",
    name: str = "",
) -> Trace:
    asked: dict[str, Json] = {"order": f"order-{task}", "state": state}
    return writer.trace(  # type: ignore[no-any-return]
        f"task{task}",
        writer.call("get_order", asked, {"lines": rows}),
        *(
            writer.call("get_line", {"id": row["id"]}, {"terms": f"terms of {row['id']}"})
            for row in chosen
        ),
        text=" ".join(map(str, asked.values())),
        run=name,
    )


def filters(found: list[RepeatedSequence]) -> dict[str, int]:
    """Return how many places each filter has."""
    return {
        _spoken(step.over): len(one.places)
        for one in found
        for step in one.plan
        if isinstance(step, LoopStep) and isinstance(step.over, Computed)
    }


def _spoken(over: Computed) -> str:
    _, *inputs = over.inputs
    said = [str(one.value) if isinstance(one, Constant) else "given" for one in inputs]
    return " ".join([over.function, *said])


PICKS: dict[str, Callable[[random.Random, int], int]] = {
    "some": lambda chance, size: chance.randint(1, size - 1),
    "one or two": lambda chance, size: chance.randint(1, min(2, size - 1)),
    "all but one": lambda _, size: size - 1,
    "some or all": lambda chance, size: chance.choice((size, chance.randint(1, size))),
}


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("rows", [(2, 3), (2, 8), (5, 8)])
@pytest.mark.parametrize("tasks", [20, 60])
@pytest.mark.parametrize("pick", PICKS)
def test_rows_picked_at_random_are_told_by_no_key(
    pick: str, tasks: int, rows: tuple[int, int], runs: int, writer: Writer
) -> None:
    for seed in range(120 // tasks):
        chance = random.Random(f"{pick} {tasks} {rows} {runs} {seed}")  # noqa: S311 - no secrets
        traces = []
        for task in range(tasks):
            lines = listed(chance, task, chance.randint(*rows))
            for name in range(runs):
                picked = chance.sample(lines, PICKS[pick](chance, len(lines)))
                state = chance.choice(STATES)
                traces.append(run(writer, task, lines, picked, state, f"run{name}"))
        assert filters(writer.sequences(traces)) == {}


Rule: TypeAlias = Callable[[Row, str, int], bool]
"""Whether a row is chosen, by what was asked for and the number of the task."""

RULES: dict[str, tuple[Rule, set[str]]] = {
    "true": (lambda row, state, task: row["gift"], {"rows_with gift"}),
    "not true": (lambda row, state, task: not row["gift"], {"rows_without gift"}),
    "a word": (lambda row, state, task: row["state"] == "open", {"rows_where state open"}),
    "the word that was given": (
        lambda row, state, task: row["state"] == state,
        {"rows_where state given"},
    ),
    "one word here, another there": (
        lambda row, state, task: row["state"] == ("open" if task % 2 else "closed"),
        {"rows_where state open", "rows_where state closed"},
    ),
    "true here, not true there": (
        lambda row, state, task: row["gift"] == bool(task % 2),
        {"rows_with gift", "rows_without gift"},
    ),
}


def runs_by(
    writer: Writer, rule: Rule, tasks: int, rows: tuple[int, int], seed: int, astray: int = 0
) -> list[Trace]:
    """Return runs in each of which some rows were chosen, by a rule but for every so many."""
    chance = random.Random(f"{tasks} {rows} {seed}")  # noqa: S311 - rows and no secrets
    traces = []
    for task in range(tasks):
        lines: list[Row] = []
        chosen: list[Row] = []
        while not chosen:
            state = chance.choice(STATES)
            lines = listed(chance, task, chance.randint(*rows))
            chosen = [row for row in lines if rule(row, state, task)]
        if astray and task % astray == 0:
            chosen = chance.sample(lines, chance.randint(1, len(lines) - 1))
        traces.append(run(writer, task, lines, chosen, state))
    return traces


@pytest.mark.parametrize("how", RULES)
def test_rows_that_a_key_tells_are_found_in_lists_of_moderate_size(
    how: str, writer: Writer
) -> None:
    rule, wanted = RULES[how]
    for seed in range(8):
        assert filters(writer.sequences(runs_by(writer, rule, 18, (4, 8), seed))).keys() == wanted


@pytest.mark.parametrize("how", ["true", "not true", "a word", "the word that was given"])
def test_one_rule_is_found_in_short_lists_of_more_tasks(how: str, writer: Writer) -> None:
    rule, wanted = RULES[how]
    for seed in range(8):
        assert filters(writer.sequences(runs_by(writer, rule, 24, (2, 4), seed))).keys() == wanted


def test_tasks_in_which_others_were_chosen_hide_no_rule(writer: Writer) -> None:
    rule, wanted = RULES["a word"]
    for seed in range(8):
        found = filters(writer.sequences(runs_by(writer, rule, 16, (4, 8), seed, astray=4)))
        assert found.keys() == wanted
        assert 12 <= max(found.values()) <= 16


def of_two_kinds(writer: Writer, task: int, kinds: str) -> Trace:
    """Return a run that goes over the lines that are open: one letter for each, o or s."""
    lines: list[Row] = [
        {"id": f"line-{task}-{number}", "state": {"o": "open", "s": "sent"}[kind], "number": number}
        for number, kind in enumerate(kinds)
    ]
    return run(writer, task, lines, [line for line in lines if line["state"] == "open"])


def test_three_tasks_are_enough_where_lists_are_long_and_not_where_they_are_short(
    writer: Writer,
) -> None:
    lists = enumerate(("osooss", "soosso", "ssooss"))
    long = [of_two_kinds(writer, task, kinds) for task, kinds in lists]
    assert filters(writer.sequences(long)) == {"rows_where state open": 3}
    lists = enumerate(("oso", "soo", "oos"))
    short = [of_two_kinds(writer, task, kinds) for task, kinds in lists]
    assert filters(writer.sequences(short)) == {}


def test_many_runs_of_few_tasks_are_no_more_evidence(writer: Writer) -> None:
    traces = [
        replace(of_two_kinds(writer, task, kinds), id=f"task{task}/{number}")
        for task, kinds in enumerate(("oso", "soo", "oos"))
        for number in range(6)
    ]
    assert filters(writer.sequences(traces)) == {}


def test_a_loop_over_all_rows_stays_where_rows_were_left_out_for_no_reason(writer: Writer) -> None:
    chance = random.Random(5)  # noqa: S311 - rows and no secrets
    traces = []
    for task in range(16):
        lines = listed(chance, task, 4)
        chosen = lines if task % 2 else chance.sample(lines, 2)
        traces.append(run(writer, task, lines, chosen))
    # The two of the other tasks are a batch, whatever they are.
    whole, batch = writer.sequences(traces)
    assert [step.over for step in whole.plan[1:]] == [FromResult(0, ("lines",))]
    assert len(batch.plan) == 1
    assert len(whole.places) == len(batch.places) == 8
