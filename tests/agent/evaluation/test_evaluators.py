"""How results are scored."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_marks import marks_of
from scipy.optimize import isotonic_regression

from toolguild.agent.evaluation import (
    Evaluator,
    Exact,
    FitsSchema,
    Judge,
    Labelled,
    NotCalibratedError,
    Numeric,
    Score,
    Weighted,
    WorldState,
    calibrated,
)
from toolguild.agent.scripted import scripted_model


def value(evaluator: Evaluator, result: str) -> float:
    return asyncio.run(evaluator.score("Do it.", result)).value


def why(evaluator: Evaluator, result: str) -> str:
    return asyncio.run(evaluator.score("Do it.", result)).why


@pytest.mark.parametrize(
    ("evaluator", "result", "expected"),
    [
        (Exact("Paris"), " paris\n", 1),
        (Exact("Paris"), "Paris, I think", 0),
        (Exact("Paris", strict=True), "paris", 0),
        (Numeric(1234.5), "It comes to 1,234.5 euros", 1),
        (Numeric(3), "2 of them, or rather 3", 1),
        (Numeric(0.001), "1e-3", 1),
        (Numeric(-0.5), "-.5", 1),
        (Numeric(100, relative=0.05), "104", 1),
        (Numeric(100, relative=0.05), "106", 0),
        (Numeric(0, absolute=0.1), "0.05", 1),
        (Numeric(3), "none", 0),
        (FitsSchema({"type": "object", "required": ["a"]}), '{"a": 1}', 1),
        (FitsSchema({"type": "object", "required": ["a"]}), "{}", 0),
        (FitsSchema({"type": "object"}), "no JSON", 0),
        (WorldState(lambda: {"a": [1, 2]}, {"a": [1, 2]}), "", 1),
        (WorldState(lambda: {"a": [1, 3]}, {"a": [1, 2]}), "", 0),
    ],
)
def test_without_a_model(evaluator, result, expected) -> None:
    assert value(evaluator, result) == expected
    assert bool(why(evaluator, result)) is (expected == 0)


@given(st.text())
def test_any_result_has_a_score(result) -> None:
    checks = (Exact("x"), Numeric(1), FitsSchema({"type": "integer"}))
    together = Weighted([(1.0, check) for check in checks])
    assert 0 <= value(together, result) <= 1


def test_several_count_for_their_shares() -> None:
    both = Weighted([(3, Exact("5")), (1, Numeric(5))])
    assert value(both, "5") == 1
    assert value(both, "It is 5") == 0.25
    assert "not '5'" in why(both, "It is 5")


@pytest.mark.parametrize("weights", [[], [0.0], [-1.0], [math.nan], [math.inf]])
def test_weights_that_are_none(weights) -> None:
    with pytest.raises(ValueError, match="positive weight"):
        Weighted([(weight, Exact("x")) for weight in weights])


@pytest.mark.parametrize("number", [-0.1, 1.1, math.nan])
def test_scores_that_are_none(number) -> None:
    with pytest.raises(ValueError, match="no score"):
        Score(number)


MARKS = st.integers(0, 10).map(lambda tenths: tenths / 10)


@given(st.lists(st.tuples(MARKS, MARKS), min_size=20, max_size=60))
def test_marks_mean_what_isotonic_regression_says(pairs) -> None:
    try:
        made = calibrated(pairs)
    except NotCalibratedError:
        return
    by_mark: dict[float, list[float]] = {}
    for mark, score in pairs:
        by_mark.setdefault(mark, []).append(score)
    marks = sorted(by_mark)
    means = [sum(by_mark[mark]) / len(by_mark[mark]) for mark in marks]
    expected = isotonic_regression(means, weights=[len(by_mark[mark]) for mark in marks]).x
    assert [made.score(mark) for mark in marks] == pytest.approx([*expected])
    assert [*made.scores] == sorted(made.scores)


LABELLED = [
    Labelled("Do it.", result, score) for result, score in (("good", 1.0), ("bad", 0.0)) * 10
]


def test_a_judge_is_held_against_people() -> None:
    async def judged() -> tuple[Judge, Score, Score]:
        # Lenient, but it tells good from bad.
        async with scripted_model(marks_of({"good": 0.9, "bad": 0.6})) as model:
            judge = await Judge.calibrate(model, "Whether it is good.", LABELLED)
            return judge, await judge.score("Do it.", "good"), await judge.score("Do it.", "bad")

    judge, good, bad = asyncio.run(judged())
    assert judge.calibration.kappa == 1
    assert (good.value, bad.value) == (1, 0)
    assert good.why == "So it is."


@pytest.mark.parametrize("marks", [{"good": 0.9, "bad": 0.9}, {"good": 0.1, "bad": 0.9}])
def test_a_judge_that_does_not_agree_with_people_is_none(marks) -> None:
    async def judged() -> None:
        async with scripted_model(marks_of(marks)) as model:
            await Judge.calibrate(model, "Whether it is good.", LABELLED)

    with pytest.raises(NotCalibratedError, match="kappa"):
        asyncio.run(judged())


def test_few_labels_do_not_tell() -> None:
    with pytest.raises(NotCalibratedError, match="19 labels"):
        calibrated([(1.0, 1.0), (0.0, 0.0)] * 9 + [(1.0, 1.0)])
