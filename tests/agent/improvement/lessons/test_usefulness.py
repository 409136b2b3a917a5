"""Whether lessons help, and what becomes of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta
from scored_runs import AGENT, lesson, scored, told

from toolguild.agent.improvement.artefacts import Lesson
from toolguild.agent.improvement.lessons.usefulness import (
    Usefulness,
    chance_of_higher,
    expired,
    usefulness_of,
)
from toolguild.agent.improvement.likeness import likeness
from toolguild.policies import load_profile
from toolguild.registry import Registry
from toolguild.registry.improvement import (
    Change,
    ChangeKind,
    NewChange,
    ScoredRun,
    Standing,
)

RULES = load_profile().improvement
CENTS = lesson("Amounts are in cents.")
DIGEST = CENTS.artefact.digest
_COUNTS = st.tuples(st.integers(0, 60), st.integers(0, 60))


def relevance(one: Lesson, task: str) -> float:
    return likeness(one.task, task)


def runs_of(told_scores: list[float], other_scores: list[float], task: str) -> list[ScoredRun]:
    """Return runs that were told the lesson and runs that were not, of one task."""
    told_runs = [
        scored(number, score=score, task=task, shown=(DIGEST,))
        for number, score in enumerate(told_scores, start=1)
    ]
    others = [
        scored(number, score=score, task=task)
        for number, score in enumerate(other_scores, start=101)
    ]
    return [*told_runs, *others]


def found(runs: list[ScoredRun], changes: list[Change] | None = None) -> Usefulness:
    return usefulness_of(told([CENTS]), runs, RULES, relevance, changes or [])[DIGEST]


def proposed(runs: list[ScoredRun], standing: Standing | None = None) -> NewChange | None:
    standing = standing or told([CENTS])
    usefulness = usefulness_of(standing, runs, RULES, relevance)
    return expired(standing, runs, usefulness, RULES, agent=AGENT, cycle="cycle-1")


# --- the chance


@given(_COUNTS, _COUNTS)
def test_one_of_two_rates_is_higher(one: tuple[int, int], other: tuple[int, int]) -> None:
    chance = chance_of_higher(one, other)
    assert 0 <= chance <= 1
    assert chance + chance_of_higher(other, one) == pytest.approx(1)


@given(_COUNTS, _COUNTS)
def test_a_success_more_speaks_for_it(one: tuple[int, int], other: tuple[int, int]) -> None:
    better = chance_of_higher((one[0] + 1, one[1]), other)
    assert better >= chance_of_higher(one, other) - 1e-12


@pytest.mark.parametrize(
    ("one", "other"), [((0, 0), (0, 0)), ((7, 3), (40, 60)), ((3, 9), (2, 1)), ((50, 0), (9, 9))]
)
def test_it_is_what_the_integral_says(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = (beta(each[0] + 1, each[1] + 1) for each in (one, other))
    integral, _ = quad(lambda rate: first.pdf(rate) * second.cdf(rate), 0, 1)
    assert chance_of_higher(one, other) == pytest.approx(integral, abs=1e-7)


# --- what is compared


def test_runs_that_were_told_it_are_compared_with_like_ones_that_were_not() -> None:
    runs = runs_of([1, 1, 0], [1, 0], "Refund an order.")
    assert found(runs) == Usefulness(told=3, told_successes=2, others=2, others_successes=1)


def test_runs_of_tasks_that_it_does_not_fit_do_not_count() -> None:
    other_task = [scored(number, score=1, task="Book a flight.") for number in range(200, 220)]
    runs = runs_of([1, 0], [0], "Refund an order.")
    assert found([*runs, *other_task]) == found(runs)


def test_runs_of_long_ago_do_not_count() -> None:
    task = "Refund an order."
    newer = [scored(number, score=1, task=task) for number in range(200, 1198)]
    runs = [*runs_of([0, 1], [0], task), *newer]
    assert found(runs) == Usefulness(1, 1, others=999, others_successes=998)


def test_the_runs_that_it_was_made_of_do_not_flatter_it(tmp_path: Path) -> None:
    runs = runs_of([1, 1], [1, 0], "Refund an order.")
    failed = next(run.number for run in runs if run.score == 0)
    with Registry.open(tmp_path / "tools.db", actor="tests") as registry:
        new = NewChange(
            AGENT, ChangeKind.LESSONS, "a run failed", adds=(CENTS.artefact,), runs=(failed,)
        )
        registry.improvements.apply(new)
        changes = registry.improvements.changes(AGENT)
        assert found(runs, changes) == Usefulness(2, 2, others=1, others_successes=1)
        merged = CENTS.model_copy(update={"merges": (DIGEST,)})
        registry.improvements.apply(
            NewChange(
                AGENT, ChangeKind.LESSONS, "too many", adds=(merged.artefact,), removes=(DIGEST,)
            )
        )
        changes = registry.improvements.changes(AGENT)
        standing = registry.improvements.standing(AGENT)
    of_merged = usefulness_of(standing, runs, RULES, relevance, changes)
    assert of_merged.keys() == {merged.artefact.digest}
    shown = [scored(300, score=1, task="Refund an order.", shown=tuple(of_merged))]
    after = usefulness_of(standing, [*runs, *shown], RULES, relevance, changes)
    assert after[merged.artefact.digest] == Usefulness(1, 1, others=3, others_successes=3)


# --- what goes


def test_a_lesson_that_does_not_help_goes_with_the_numbers() -> None:
    runs = runs_of([0] * 7 + [1] * 3, [1] * 6 + [0] * 4, "Refund an order.")
    change = proposed(runs)
    assert change is not None
    assert change.removes == (DIGEST,)
    assert change.runs == tuple(range(1, 11))
    assert change.why == "1 lesson does not help"
    assert change.evidence["useless"] == {
        DIGEST: {
            "told": 10,
            "told_successes": 3,
            "others": 10,
            "others_successes": 6,
            "chance_that_it_helps": pytest.approx(0.0991, abs=0.01),
        }
    }


@pytest.mark.parametrize(
    ("told_scores", "other_scores"),
    [
        ([1.0] * 8 + [0.0] * 2, [1.0] * 4 + [0.0] * 6),
        ([0.0] * 9, [1.0] * 30),
        ([0.0] * 10, []),
    ],
    ids=["it helps", "told too seldom", "nothing to compare with"],
)
def test_a_lesson_stays_that_helps_or_cannot_be_judged(
    told_scores: list[float], other_scores: list[float]
) -> None:
    assert proposed(runs_of(told_scores, other_scores, "Refund an order.")) is None


def test_only_those_that_do_not_help_go() -> None:
    other = lesson("Look up the customer first.")
    runs = runs_of([0] * 10, [1] * 10, "Refund an order.")
    change = proposed(runs, told([other, CENTS]))
    assert change is not None
    assert change.removes == (DIGEST,)


def test_an_expired_lesson_comes_back_when_that_is_undone(tmp_path: Path) -> None:
    change = proposed(runs_of([0] * 10, [1] * 10, "Refund an order."))
    assert change is not None
    with Registry.open(tmp_path / "tools.db", actor="tests") as registry:
        improvements = registry.improvements
        improvements.apply(
            NewChange(AGENT, ChangeKind.LESSONS, "a run failed", adds=(CENTS.artefact,))
        )
        applied = improvements.apply(change)
        assert improvements.standing(AGENT).lessons == ()
        improvements.undo(applied.number, why="it did help")
        assert improvements.standing(AGENT).lessons == (CENTS.artefact,)
