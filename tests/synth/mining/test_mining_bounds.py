"""Bounds that tell chosen rows from others: what is found separates, and is as round as can be."""

from __future__ import annotations

from itertools import product
from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining.bounds import (
    Gap,
    Value,
    deepest,
    gap_between,
    is_narrow,
    roundest,
    roundness,
)
from toolguild.synth.mining.chosen_rows import Choice
from toolguild.synth.mining.evidence import is_arbitrary, is_one_bound_by_accident

NUMBERS = st.one_of(
    st.integers(-50, 50),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-1000, 1000, places=2).map(float),
)
DAYS = st.dates().map(lambda day: day.isoformat())
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z")
TIMES = st.times().map(lambda moment: moment.isoformat(timespec="minutes"))
PAIRS = st.one_of(*(st.tuples(kind, kind) for kind in (NUMBERS, DAYS, MOMENTS, TIMES)))


@given(pair=PAIRS, low=st.booleans())
def test_the_roundest_bound_of_a_gap_lies_in_it(pair: tuple[Value, Value], low: bool) -> None:
    gap = gap_between([pair[0]], [pair[1]])
    if gap is None:
        assert not pair[0] < pair[1]  # type: ignore[operator]
        return
    bound = roundest(gap, low=low)
    assert bound is not None
    assert gap.holds(bound, low=low)
    assert roundness(bound) <= min(roundness(end) for end in pair if gap.holds(end, low=low))


@pytest.mark.parametrize(
    ("gap", "low", "bound"),
    [
        (Gap(290, 310), True, 300),
        (Gap(299, 300), True, 299),
        (Gap(299, 300), False, 300),
        (Gap(152.5, 160), True, 155),
        (Gap(0.121, 0.128), True, 0.125),
        (Gap(-3, 5), True, 0),
        (Gap(0, 1), True, 0),
        (Gap(-260, -230), True, -250),
        (Gap(100, 900), True, 500),
        (Gap("2030-11-17", "2031-05-30"), True, "2031-01-01"),
        (Gap("2031-04-17", "2031-05-30"), True, "2031-05-01"),
        (Gap("2031-04-17", "2031-04-30"), False, "2031-04-30"),
        (Gap("2031-04-17T09:15:00Z", "2031-04-17T11:40:00Z"), True, "2031-04-17T11:00:00Z"),
        (Gap("09:15", "11:40"), True, "11:00"),
    ],
)
def test_a_bound_is_what_a_person_would_say(gap: Gap, low: bool, bound: Value) -> None:
    assert roundest(gap, low=low) == bound


ENDS = st.integers(0, 12)
GAPS = st.lists(
    st.tuples(st.none() | ENDS, st.none() | ENDS)
    .filter(lambda ends: None in ends or ends[0] < ends[1])  # type: ignore[operator]
    .map(lambda ends: Gap(*ends)),
    max_size=8,
)


@given(gaps=GAPS)
def test_no_bound_lies_in_more_gaps_than_those_in_the_deepest(gaps: list[Gap]) -> None:
    def depth(bound: float) -> int:
        return sum(gap.holds(bound, low=True) for gap in gaps)

    found = deepest(gaps)
    everywhere = [number + part for number, part in product(range(-1, 14), (0, 0.5))]
    between = [
        one
        for one in everywhere
        if any(gap.low is not None and gap.low < one for gap in gaps)  # type: ignore[operator]
        if any(gap.high is not None and gap.high > one for gap in gaps)  # type: ignore[operator]
    ]
    assert (found is None) == (not between)
    if found is not None:
        inside = [one for one in between if found.holds(one, low=False) and one != found.high]
        assert {depth(one) for one in inside} == {max(map(depth, between))}


@given(gaps=GAPS, order=st.randoms(use_true_random=False))
def test_the_order_of_places_does_not_matter_to_a_bound(gaps: list[Gap], order: object) -> None:
    shuffled = [*gaps]
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert deepest(shuffled) == deepest(gaps)


def test_a_bound_needs_values_near_to_it_on_both_sides() -> None:
    values = (100, 150, 200, 900, 950, 1000)
    assert is_narrow(Gap(150, 200), values)
    assert not is_narrow(Gap(200, 900), values)
    assert not is_narrow(Gap(200, 900), (*values * 4, 10**6))
    # What is more than nothing is more than nothing, however much it is.
    assert is_narrow(Gap(0, 900), (0, 900))
    assert is_narrow(Gap("2031-04-17", "2031-05-01"), ("2031-01-01", "2031-04-17", "2031-05-01"))
    assert not is_narrow(Gap("2031-01-02", "2031-09-01"), ("2031-01-01", "2031-09-01"))


def test_numbers_beyond_all_floats_bear_nothing_out() -> None:
    assert not is_narrow(Gap(5, 10**400), (5, 10**400))
    assert roundest(Gap(5, 10**400), low=False) == 10**400


def test_a_day_that_is_in_no_calendar_bears_nothing_out() -> None:
    assert not is_narrow(Gap("2031-02-31", "2031-03-01"), ("2031-01-01", "2031-12-31"))


@given(
    choices=st.lists(
        st.integers(2, 4).flatmap(
            lambda rows: st.builds(Choice, st.just(rows), st.integers(1, rows - 1))
        ),
        min_size=1,
        max_size=9,
    ),
    data=st.data(),
)
def test_what_counts_as_arbitrary_is_no_less_likely_than_it_is_said(
    choices: list[Choice], data: st.DataObject
) -> None:
    explained = data.draw(st.integers(0, len(choices)))
    # The exact chance that a random choice fits in so many places or more.
    chances = [1.0]
    for choice in choices:
        fits = 1 / comb(choice.rows, choice.chosen)
        chances = [
            (chances[number] if number < len(chances) else 0.0) * (1 - fits)
            + (chances[number - 1] * fits if number else 0.0)
            for number in range(len(chances) + 1)
        ]
    if not is_arbitrary(choices, explained, 1):
        assert sum(chances[explained:]) <= 0.01 * (1 + 1e-9)


def test_always_taking_the_least_is_no_bound_until_many_values_say_so() -> None:
    least_of_two = Choice(2, 1)
    assert exp(5 * least_of_two.ways - log(comb(10, 5))) > 0.05
    assert is_one_bound_by_accident([least_of_two] * 5, of=5)
    assert not is_one_bound_by_accident([least_of_two] * 8, of=8)
    # One place that it does not fit makes it likelier that it fits the others by accident.
    assert is_one_bound_by_accident([least_of_two] * 8, of=9)
