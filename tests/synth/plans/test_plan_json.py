"""Plans as plain data and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.plans import (
    FUNCTIONS,
    CallStep,
    Code,
    Computed,
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
leaves = st.one_of(
    st.builds(Parameter, texts), st.builds(Constant, values), results, st.builds(FromItem, paths)
)
computed = st.builds(
    Computed, st.sampled_from([*FUNCTIONS]), st.lists(leaves, max_size=3).map(tuple)
)
arguments = st.lists(st.tuples(texts, leaves | computed), max_size=3).map(tuple)
code = st.none() | st.builds(Code, texts, texts)
calls = st.recursive(
    st.builds(CallStep, texts, arguments, wanted=texts, code=code),
    lambda instead: st.builds(CallStep, texts, arguments, instead, texts),
    max_leaves=3,
)
loops = st.builds(
    LoopStep, texts, results | st.builds(Parameter, texts) | computed, arguments, texts, code
)
plans = st.lists(calls | loops, max_size=3).map(tuple)


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
        [{"call": "a", "arguments": [], "otherwise": 1}],
        [{"if": "wanted", "call": "a"}],
        [{"call": "a", "arguments": [], "code": "print(1)"}],
    ],
)
def test_what_is_no_plan_is_refused(data: Json) -> None:
    with pytest.raises(ValueError, match="plan"):
        plan_from_json(data)
