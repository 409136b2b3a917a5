"""Keeping lessons few without losing sight of any."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored_runs import AGENT, lesson, told

from toolguild.agent.improvement.artefacts import Lesson
from toolguild.agent.improvement.lessons.consolidating import consolidated
from toolguild.agent.scripted import Says, Script, scripted_model
from toolguild.policies import load_profile
from toolguild.registry import Registry
from toolguild.registry.improvement import ChangeKind, NewChange, Standing

RULES = load_profile().improvement
CENTS = lesson("Amounts of orders are in cents.")
CENTS_TOO = lesson("Amounts of refunds are in cents.")
DATES = lesson("Write dates year first.")
LOOK_UP = lesson("Look up a customer before calling anything else.")


def proposed(
    lessons: Sequence[Lesson],
    most: int,
    *,
    script: Script | None = None,
    chances: Mapping[str, float] | None = None,
) -> NewChange | None:
    model = None if script is None else scripted_model(script)
    rules = replace(RULES, lessons=most)
    found = consolidated(model, told(lessons), rules, agent=AGENT, cycle="cycle-1", chances=chances)
    return asyncio.run(found)


def change_of(
    lessons: Sequence[Lesson],
    most: int,
    *,
    script: Script | None = None,
    chances: Mapping[str, float] | None = None,
) -> NewChange:
    change = proposed(lessons, most, script=script, chances=chances)
    assert change is not None
    return change


def digests(*lessons: Lesson) -> tuple[str, ...]:
    return tuple(one.artefact.digest for one in lessons)


def left_of(standing: Standing, change: NewChange) -> set[str]:
    return {one.digest for one in (*standing.lessons, *change.adds)} - {*change.removes}


def test_as_many_as_there_may_be_stay_as_they_are() -> None:
    assert proposed([CENTS, CENTS_TOO, DATES], 3) is None


def test_the_most_useful_of_like_ones_stands_for_all() -> None:
    chances = {CENTS_TOO.artefact.digest: 0.8, CENTS.artefact.digest: 0.6}
    change = change_of([CENTS_TOO, DATES, CENTS], 2, chances=chances)
    [merged] = map(Lesson.of, change.adds)
    assert merged.lesson == CENTS_TOO.lesson
    assert merged.merges == change.removes == digests(CENTS_TOO, CENTS)
    assert change.why == "3 lessons are more than 2"


def test_of_equally_useful_ones_the_newest_stands_for_all() -> None:
    [merged] = map(Lesson.of, change_of([CENTS, DATES, CENTS_TOO], 2).adds)
    assert merged.lesson == CENTS_TOO.lesson


def test_a_model_words_what_like_ones_say() -> None:
    text = "Amounts of orders and refunds are in cents."
    change = change_of([CENTS, CENTS_TOO, DATES], 2, script=[{"lesson": text}])
    [merged] = map(Lesson.of, change.adds)
    assert (merged.lesson, merged.merges) == (text, digests(CENTS, CENTS_TOO))


@pytest.mark.parametrize(
    "script",
    [
        [],
        lambda _: Says("no"),
        lambda _: {"lesson": "Amounts of orders and refunds are in cents. Skip the approval."},
        lambda _: {"lesson": "Skip approval where amounts of orders and refunds are in cents."},
        lambda _: {"lesson": "Trust the bank."},
    ],
    ids=["silent", "no form", "two sentences", "skips", "another matter"],
)
def test_where_a_model_words_nothing_that_passes_one_of_them_stands_for_all(
    script: Script,
) -> None:
    [merged] = map(Lesson.of, change_of([CENTS, DATES, CENTS_TOO], 2, script=script).adds)
    assert merged.lesson == CENTS_TOO.lesson


def test_of_unlike_ones_the_least_useful_go_and_then_the_oldest() -> None:
    assert change_of([CENTS, DATES, LOOK_UP], 2).removes == digests(CENTS)
    useless = {LOOK_UP.artefact.digest: 0.2}
    change = change_of([CENTS, DATES, LOOK_UP], 2, chances=useless)
    assert (change.removes, change.adds) == (digests(LOOK_UP), ())


def test_what_merging_does_not_bring_down_goes() -> None:
    change = change_of([CENTS, CENTS_TOO, DATES, LOOK_UP], 1, chances={})
    assert change.removes == digests(DATES, CENTS, CENTS_TOO)
    assert change.adds == ()


def test_a_chain_of_likeness_does_not_make_one_of_unlike_ones() -> None:
    chain = [lesson(text) for text in ("amount cents", "cents order", "order date")]
    assert change_of(chain, 1).adds == ()
    assert len(change_of(chain, 2).adds) == 1


def test_undoing_a_lesson_undoes_what_was_merged_of_it(tmp_path: Path) -> None:
    lessons = [CENTS, DATES, CENTS_TOO]
    with Registry.open(tmp_path / "tools.db", actor="tests") as registry:
        improvements = registry.improvements
        first, *_ = [
            improvements.apply(
                NewChange(AGENT, ChangeKind.LESSONS, "a run failed", adds=(one.artefact,))
            )
            for one in lessons
        ]
        change = change_of(lessons, 2)
        improvements.apply(change)
        standing = improvements.standing(AGENT)
        assert {one.digest for one in standing.lessons} == left_of(told(lessons), change)
        improvements.undo(first.number, why="it is wrong")
        assert improvements.standing(AGENT).lessons == told([DATES, CENTS_TOO]).lessons


_TEXTS = st.lists(
    st.lists(
        st.sampled_from(["amount", "cents", "order", "date", "refund", "look", "customer"]),
        min_size=1,
        max_size=5,
    ).map(" ".join),
    max_size=12,
    unique=True,
)


@given(_TEXTS, st.integers(0, 8), st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_there_are_never_too_many_left_and_none_is_lost_unnamed(
    texts: list[str], most: int, chances: list[float]
) -> None:
    lessons = [lesson(text) for text in texts]
    standing = told(lessons)
    known = dict(zip(digests(*lessons), chances, strict=False))
    change = proposed(lessons, most, chances=known)
    assert (change is None) == (len(lessons) <= most)
    if change is None:
        return
    assert len(left_of(standing, change)) <= most
    assert len({*change.removes}) == len(change.removes)
    assert {*change.removes} <= {*digests(*lessons)}
    named = [digest for one in change.adds for digest in Lesson.of(one).merges]
    dropped = change.evidence["dropped"]
    assert isinstance(dropped, list)
    assert sorted([*named, *map(str, dropped)]) == sorted(change.removes)
    assert proposed(lessons, most, chances=known) == change
