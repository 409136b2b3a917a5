"""The always-valid bound: as scipy computes it, monotone, and seldom wrong at any look."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from toolguild.policies.success_rate import log_e_value, lower_bound

COUNTS = st.integers(0, 3000)
BARS = st.floats(0.01, 0.999)


@given(COUNTS, COUNTS, BARS)
def test_it_is_what_scipy_computes(successes: int, failures: int, bar: float) -> None:
    above = special.betaincc(successes + 1, failures + 1, bar)
    if above < 1e-290:
        return  # scipy's own figure is out of range there
    expected = (
        special.betaln(successes + 1, failures + 1)
        + math.log(above)
        - math.log1p(-bar)
        - successes * math.log(bar)
        - failures * math.log1p(-bar)
    )
    assert log_e_value(successes, failures, bar) == pytest.approx(expected, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize(
    ("bar", "failures", "uses"),
    [(0.95, 0, 88), (0.95, 1, 134), (0.95, 2, 174), (0.99, 0, 449), (0.9, 0, 43), (0.8, 0, 20)],
)
def test_so_many_uses_are_needed(bar: float, failures: int, uses: int) -> None:
    needed = math.log(20)
    assert log_e_value(uses - failures, failures, bar) >= needed
    assert log_e_value(uses - failures - 1, failures, bar) < needed


@given(st.integers(1, 400), st.integers(0, 400), st.floats(0.001, 0.5))
def test_the_bound_is_where_the_e_value_is_reached(
    successes: int, failures: int, alpha: float
) -> None:
    bound = lower_bound(successes, failures, alpha)
    rate = successes / (successes + failures)
    assert 0 < bound < rate or failures == 0
    needed = -math.log(alpha)
    for share in (0.25, 0.5, 0.999):
        assert log_e_value(successes, failures, bound * share) >= needed - 1e-6
    if failures:
        assert log_e_value(successes, failures, min(bound * 1.001, rate)) < needed + 1e-6


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_success_raises_the_bound_and_a_failure_lowers_it(successes: int, failures: int) -> None:
    bound = lower_bound(successes, failures)
    assert lower_bound(successes + 1, failures) >= bound
    assert lower_bound(successes, failures + 1) <= bound


def test_nothing_is_known_without_success() -> None:
    assert lower_bound(0, 0) == lower_bound(0, 50) == 0


@pytest.mark.parametrize(("successes", "failures", "bar"), [(-1, 0, 0.5), (0, -1, 0.5), (1, 1, 1)])
def test_what_is_no_record_is_refused(successes: int, failures: int, bar: float) -> None:
    with pytest.raises(ValueError, match="no record and bar"):
        log_e_value(successes, failures, bar)


def test_looking_after_each_use_is_seldom_wrong() -> None:
    chance = random.Random(5)  # noqa: S311 - repeatable
    wrong = 0
    for _ in range(400):
        successes = failures = 0
        for _ in range(300):
            good = chance.random() < 0.9
            successes, failures = successes + good, failures + (not good)
            # Only a success can bring it above.
            if good and log_e_value(successes, failures, 0.9) >= math.log(20):
                wrong += 1
                break
    # At most 5 %; of 400 lives, 34 or more would be a chance of one in a thousand then.
    assert wrong < 34
