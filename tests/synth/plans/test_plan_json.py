"""Plans as plain data and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.plans import (
    CallStep,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Parameter,
    Plan,
    plan_from_json,
    plan_to_json,
)

texts = st.text(max_size=5)
paths = st.lists(st.one_of(texts, st.integers(-1, 5)), max_size=3).map(tuple)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=2)
)
results = st.builds(FromResult, st.integers(0, 3), paths)
origins = st.one_of(
    st.builds(Parameter, texts), st.builds(Constant, values), results, st.builds(FromItem, paths)
)
arguments = st.lists(st.tuples(texts, origins), max_size=3).map(tuple)
plans = st.lists(
    st.one_of(
        st.builds(CallStep, texts, arguments),
        st.builds(LoopStep, texts, results | st.builds(Parameter, texts), arguments),
    ),
    max_size=3,
).map(tuple)


@given(plans)
def test_a_plan_comes_back_as_it_was(plan: Plan) -> None:
    assert plan_from_json(plan_to_json(plan)) == plan


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [1],
        [{"call": "a"}],
        [{"call": "a", "arguments": [["x"]]}],
        [{"call": "a", "arguments": [["x", {"path": []}]]}],
        [{"call": "a", "arguments": [["x", {"item": [None]}]]}],
        [{"for_each": {"constant": [1]}, "call": "a", "arguments": []}],
    ],
)
def test_what_is_no_plan_is_refused(data: Json) -> None:
    with pytest.raises(ValueError, match="plan"):
        plan_from_json(data)
