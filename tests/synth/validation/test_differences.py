"""Where two JSON values differ, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.mining import canonical
from toolguild.synth.validation.differences import difference

scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.text("ab"))
jsons = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("expected", "observed", "told"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b is 2, not 1"),
        ({"a": 1}, {"b": 1}, "a is missing; b is there, as 1"),
        ([1, [2]], [1, [2, 3]], "[1] has 2 items, not 1"),
        ([1, 2], [2, 1], "[0] is 2, not 1; [1] is 1, not 2"),
        (1, 1.0, "it is 1.0, not 1"),
        (True, 1, "it is 1, not true"),
        ([], {}, "it is {}, not []"),
        ([0] * 5, [1] * 5, "[0] is 1, not 0; [1] is 1, not 0; [2] is 1, not 0; 2 more"),
    ],
)
def test_the_first_places_are_named(expected: Json, observed: Json, told: str) -> None:
    assert difference(expected, observed) == told


@given(jsons, jsons)
def test_it_is_empty_for_equal_values_only(one: Json, other: Json) -> None:
    assert (difference(one, other) == "") is (canonical(one) == canonical(other))
    assert difference(one, one) == ""


@given(st.text(min_size=200), st.text(min_size=200))
def test_it_stays_short(key: str, value: str) -> None:
    assert len(difference({key: 1, value: 2}, {key: value, value: key})) < 600
