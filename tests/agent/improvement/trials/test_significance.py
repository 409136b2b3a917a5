"""The sign-flip test: what scipy computes, and the laws of p-values."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from toolguild.agent.improvement.trials.significance import sign_flip_test

# What scores of real evaluators differ by: whole points, tenths, anything.
DIFFERENCES = st.one_of(
    st.sampled_from([-1.0, 0.0, 1.0]),
    st.integers(-10, 10).map(lambda tenths: tenths / 10),
    st.floats(-1, 1).map(lambda number: round(number, 6)),
)


@given(st.lists(DIFFERENCES, min_size=2, max_size=8))
def test_it_is_what_scipy_computes(differences) -> None:
    # In whole numbers: of sums that are equal in truth, scipy's floats differ in their last digits.
    millionths = [round(1e6 * one) for one in differences]
    for alternative, ours in (
        ("less", sign_flip_test(differences).lower),
        ("two-sided", sign_flip_test(differences).two_sided),
    ):
        theirs = permutation_test(
            (millionths,),
            numpy.sum,
            permutation_type="samples",
            alternative=alternative,
            n_resamples=math.inf,
        )
        assert ours == pytest.approx(theirs.pvalue)


@given(st.lists(DIFFERENCES, max_size=60))
def test_laws_of_p_values(differences) -> None:
    found = sign_flip_test(differences)
    mirrored = sign_flip_test([-one for one in differences])
    assert 0 < found.lower <= 1
    assert 0 < found.two_sided <= 1
    assert found.two_sided == mirrored.two_sided
    assert found == sign_flip_test(differences[::-1])
    assert found == sign_flip_test([*differences, 0.0])


@given(st.integers(1, 300))
def test_many_whole_points_are_counted_exactly(count) -> None:
    assert sign_flip_test([-1.0] * count).lower == 2.0**-count
    assert sign_flip_test([1.0] * count).lower == 1


def test_what_cannot_be_counted_is_drawn() -> None:
    # Powers of two: each choice of signs has a sum of its own, and the first decides which side.
    largest, *others = (2.0**-place for place in range(1, 31))
    lowest = sign_flip_test([-largest, *(-one for one in others)])
    assert 0 < lowest.lower == lowest.two_sided <= 1e-3
    middle = sign_flip_test([largest, *(-one for one in others)])
    assert middle.lower == pytest.approx(0.5, abs=0.02)
    assert middle.two_sided == 1
    assert middle == sign_flip_test([*(-one for one in others), largest])
