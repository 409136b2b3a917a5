"""What chance alone would explain of choices among rows: counted, and checked by counting out."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

from hypothesis import assume, given
from hypothesis import strategies as st

from toolguild.synth.mining.chosen_rows import Choice
from toolguild.synth.mining.evidence import is_arbitrary


@st.composite
def choices_among_rows(draw: st.DrawFn) -> list[Choice]:
    sizes = draw(st.lists(st.integers(2, 8), min_size=1, max_size=7))
    return [Choice(rows, draw(st.integers(1, rows - 1))) for rows in sizes]


def chance_of_so_many(choices: list[Choice], explained: int) -> Fraction:
    """Add up all outcomes in which at least so many choices are the one that was foretold."""
    ways = [comb(choice.rows, choice.chosen) for choice in choices]
    total = Fraction(0)
    for hits in product((True, False), repeat=len(choices)):
        if sum(hits) >= explained:
            chance = Fraction(1)
            for hit, count in zip(hits, ways, strict=True):
                chance *= Fraction(1 if hit else count - 1, count)
            total += chance
    return total


@given(choices=choices_among_rows(), tried=st.integers(1, 30), data=st.data())
def test_what_chance_explains_as_well_in_more_than_one_of_a_hundred_cases_is_arbitrary(
    choices: list[Choice], tried: int, data: st.DataObject
) -> None:
    explained = data.draw(st.integers(0, len(choices)))
    chance = tried * chance_of_so_many(choices, explained)
    assume(abs(chance - Fraction(1, 100)) > Fraction(1, 10**9))
    if chance > Fraction(1, 100):
        assert is_arbitrary(choices, explained, tried)
    elif explained == len(choices):
        assert not is_arbitrary(choices, explained, tried)


def test_choices_among_very_many_rows_are_told_as_well() -> None:
    many = [Choice(20_000, 10_000)] * 3
    assert not is_arbitrary(many, 3, 1000)
    assert is_arbitrary([*many, *[Choice(2, 1)] * 4], 4, 1)
