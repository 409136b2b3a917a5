"""Laws of choosing greedily, on worths of which more of the same adds less."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.measuring import choose_greedily

SETS = st.lists(st.frozensets(st.integers(0, 12), max_size=5), max_size=7)
MOST = st.integers(0, 8)


def covered(sets: Sequence[frozenset[int]], numbers: Sequence[int]) -> int:
    """Return how many values some of the sets hold together: each counts once."""
    return len(frozenset[int]().union(*(sets[number] for number in numbers)))


@given(SETS, MOST)
def test_gains_fall_add_up_and_are_never_zero(sets: list[frozenset[int]], most: int) -> None:
    picks = choose_greedily(len(sets), lambda numbers: covered(sets, numbers), most)
    gains = [pick.gain for pick in picks]
    numbers = [pick.number for pick in picks]
    assert len(picks) <= most
    assert len({*numbers}) == len(numbers)
    assert gains == sorted(gains, reverse=True)
    assert all(gain > 0 for gain in gains)
    assert sum(gains) == covered(sets, numbers)


@given(SETS, MOST)
def test_it_chooses_what_looking_at_all_each_time_would(
    sets: list[frozenset[int]], most: int
) -> None:
    gains: list[int] = []
    chosen: list[int] = []
    for _ in range(min(most, len(sets))):
        worths = {
            number: covered(sets, [*chosen, number]) - covered(sets, chosen)
            for number in range(len(sets))
            if number not in chosen
        }
        best = max(worths, key=lambda number: (worths[number], -number))
        if not worths[best]:
            break
        chosen.append(best)
        gains.append(worths[best])
    picks = choose_greedily(len(sets), lambda numbers: covered(sets, numbers), most)
    assert [pick.gain for pick in picks] == gains


@given(SETS, st.integers(1, 4))
def test_it_is_not_far_from_the_best_choice(sets: list[frozenset[int]], most: int) -> None:
    picks = choose_greedily(len(sets), lambda numbers: covered(sets, numbers), most)
    size = min(most, len(sets))
    best = max(covered(sets, numbers) for numbers in combinations(range(len(sets)), size))
    assert sum(pick.gain for pick in picks) >= (1 - 1 / 2.7182) * best


def test_with_place_for_all_only_what_adds_nothing_is_left_out() -> None:
    sets = [frozenset({1}), frozenset({1, 2}), frozenset({3}), frozenset[int]()]
    picks = choose_greedily(4, lambda numbers: covered(sets, numbers), 4)
    assert [pick.number for pick in picks] == [1, 2]
