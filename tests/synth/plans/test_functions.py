"""What plans compute: the meaning of each function, and the text that a tool says it by."""

from __future__ import annotations

import builtins
import warnings
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.plans import (
    EVALUATION_ERRORS,
    FUNCTIONS,
    Computed,
    Constant,
    Parameter,
    Scope,
    evaluate,
    form_of,
    helpers,
    plan_from_json,
    plan_to_json,
    written,
)
from toolguild.synth.plans.plan import CallStep, Leaf

KEYS = st.sampled_from(["id", "price", "it's", 'a "b"', "{x}", "back\\slash"])
SCALARS: st.SearchStrategy[Json] = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-1000, 1000),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(["A b-c", "12", "3.5", "x@y.z", "2031-04-17", "2031-4-17", "09:30"]),
    KEYS,
)
ROWS = st.lists(st.fixed_dictionaries({"id": SCALARS, "price": st.integers(0, 9)}), max_size=4)
VALUES: st.SearchStrategy[Json] = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=4), ROWS, st.dictionaries(KEYS, SCALARS, max_size=3)
)
TAKES = {
    "split": 3, "rows_where": 3, "row_where": 3, "rounded": 2, "sum_of": 2, "difference": 2,
    "product": 2, "quotient": 2, "head": 2, "tail": 2, "column": 2, "rows_with": 2, "fixed": 2,
    "row_with_least": 2, "row_with_most": 2, "joined": 2, "joined_as_text": 2, "part": 2,
    "flattened": 2, "rows_without": 2, "concatenated": 3, "listed": 2, "rows_where_not": 3,
    "rows_at_most": 3, "rows_at_least": 3, "rows_below": 3, "rows_above": 3,
}  # fmt: skip
"""How many inputs a function takes, where it is not one."""


def ended(compute: Any) -> tuple[str, object]:
    try:
        return "gives", compute()
    except EVALUATION_ERRORS as error:
        return "raises", type(error).__name__


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
@settings(max_examples=60)
def test_the_text_of_a_function_does_what_the_function_means(
    name: str, data: st.DataObject
) -> None:
    values = [data.draw(VALUES) for _ in range(TAKES.get(name, 1))]
    as_constants = [data.draw(st.booleans()) for _ in values]
    how = Computed(
        name,
        tuple(
            Constant(value) if fixed else Parameter(f"p{number}")
            for number, (value, fixed) in enumerate(zip(values, as_constants, strict=True))
        ),
    )
    bindings = {f"p{number}": value for number, value in enumerate(values)}

    def run() -> object:
        text = written(how, lambda leaf: leaf.name if isinstance(leaf, Parameter) else "")
        with warnings.catch_warnings():
            # Python wonders about such things as `1[0]` where they stand in a text.
            warnings.simplefilter("ignore", SyntaxWarning)
            names: dict[str, Any] = {"__builtins__": builtins, **bindings}
            exec(helpers([how]), names)  # noqa: S102 - ours
            return eval(text, names)  # noqa: S307 - ours

    assert ended(run) == ended(lambda: evaluate(how, Scope(bindings)))


COMPARISONS = ("rows_at_most", "rows_at_least", "rows_below", "rows_above", "rows_where_not")
COMPARED = st.one_of(
    st.integers(-5, 5),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([True, None, "5", "2031-04-17", "2031-04-18", "2031-4-17", "09:30", "10:00Z"]),
)


@pytest.mark.parametrize("name", COMPARISONS)
@given(values=st.lists(COMPARED, max_size=4), bound=COMPARED, has_keys=st.booleans())
def test_the_text_of_a_comparison_does_what_it_means(
    name: str, values: list[Json], bound: Json, has_keys: bool
) -> None:
    rows: Json = [{"key" if has_keys else "other": value} for value in values]
    how = Computed(name, (Parameter("rows"), Constant("key"), Parameter("bound")))
    names: dict[str, Any] = {"rows": rows, "bound": bound}
    exec(helpers([how]), names)  # noqa: S102 - ours
    text = written(how, name_of)
    assert repr(ended(lambda: eval(text, names))) == repr(  # noqa: S307 - ours
        ended(lambda: evaluate(how, Scope({"rows": rows, "bound": bound})))
    )


@given(
    one=st.datetimes(),
    other=st.datetimes(),
    how=st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
    between=st.sampled_from("T "),
    end=st.sampled_from(["", "Z"]),
)
def test_of_one_form_the_earlier_moment_is_the_lesser_text(
    one: datetime, other: datetime, how: str, between: str, end: str
) -> None:
    texts = [moment.isoformat(between, how) + end for moment in (one, other)]
    assert form_of(texts[0]) == form_of(texts[1]) != ""
    moments = [datetime.fromisoformat(text) for text in texts]
    assert (texts[0] < texts[1]) == (moments[0] < moments[1])


@pytest.mark.parametrize(
    "value",
    [
        None, True, float("nan"), float("inf"), "", "Z", "12", "17.4.2031", "2031-4-17",
        "2031-04-17T09:30+02:00", "2031-04-17T", "2031-04-17\n", "203\u0661-04-17",
        [1], {},
    ],
)  # fmt: skip
def test_what_has_no_known_form_is_compared_with_nothing(value: Json) -> None:
    assert form_of(value) == ""
    with pytest.raises(TypeError, match="cannot be compared with"):
        evaluate(
            Computed("rows_at_most", (Constant([{"at": value}]), Constant("at"), Constant(value))),
            Scope(),
        )


def name_of(leaf: Leaf) -> str:
    assert isinstance(leaf, Parameter)
    return leaf.name


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (
            Computed("concatenated", (Parameter("a"), Constant(" + "), Parameter("b"))),
            'f"{a} + {b}"',
        ),
        (
            Computed(
                "product", (Computed("sum_of", (Parameter("a"), Parameter("b"))), Constant(2))
            ),
            "(a + b) * 2",
        ),
        (
            Computed(
                "part",
                (
                    Computed("row_where", (Parameter("rows"), Constant("id"), Parameter("wanted"))),
                    Constant("price"),
                ),
            ),
            '_find_row(rows, "id", wanted)["price"]',
        ),
        (Computed("joined", (Constant(", "), Parameter("names"))), '", ".join(names)'),
    ],
)
def test_what_is_computed_reads_as_a_person_would_write_it(how: Computed, text: str) -> None:
    assert written(how, name_of) == text


def test_a_plan_that_would_repeat_a_text_a_million_times_is_not_carried_out() -> None:
    how = Computed("product", (Constant("x" * 1000), Constant(10**9)))
    with pytest.raises(OverflowError):
        evaluate(how, Scope())


@given(
    st.recursive(
        st.builds(Parameter, st.text()),
        lambda inner: st.builds(
            Computed, st.sampled_from([*FUNCTIONS]), st.lists(inner, max_size=3).map(tuple)
        ),
        max_leaves=6,
    )
)
@example(Computed("lower", (Parameter("name"),)))
def test_what_is_computed_survives_as_data(how: Computed) -> None:
    plan = (CallStep("tool", (("argument", how),)),)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_a_function_outside_the_catalogue_is_no_part_of_a_plan() -> None:
    step: Json = {"call": "t", "arguments": [["a", {"compute": "eval", "of": []}]]}
    with pytest.raises(ValueError, match="no part of a plan"):
        plan_from_json([step])
