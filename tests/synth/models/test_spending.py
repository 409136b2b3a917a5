"""What a run may take is kept to, whatever many threads ask for at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.models import Budget, ModelSettings, OverBudgetError, Usage
from toolguild.synth.models.spending import price_of

amounts = st.integers(0, 2_000)


def test_prices_are_those_of_the_list() -> None:
    known = ModelSettings(name="gpt-4o")
    price = price_of(known, 1_000_000, 100_000)
    assert price == pytest.approx(2.5 + 1.0)
    assert price_of(ModelSettings(name="of-nobody"), 1000, 1000) is None
    elsewhere = ModelSettings(name="gpt-4o", base_url="http://127.0.0.1:8000/v1")
    assert price_of(elsewhere, 1000, 1000) is None


@given(st.lists(st.tuples(amounts, amounts, amounts), max_size=20), st.integers(0, 5_000))
def test_no_more_tokens_than_allowed(asked: list[tuple[int, int, int]], most: int) -> None:
    budget = Budget(ModelSettings(name="m", most_tokens=most, most_output_tokens=100))
    for characters, read, written in asked:
        try:
            with budget.reserve(characters) as told:
                # A server tells no more than it was sent, and than it was let write.
                told.append(Usage(1, min(read, characters // 3), min(written, 100)))
        except OverBudgetError:
            continue
    assert budget.spent.tokens <= most


def test_what_is_under_way_counts() -> None:
    budget = Budget(ModelSettings(name="m", most_tokens=250, most_output_tokens=100))
    with budget.reserve(30), pytest.raises(OverBudgetError), budget.reserve(300):
        pass
    # Nobody told what it took, so that is as much as it may have been.
    assert budget.spent == Usage(1, 10, 100, None)


def test_dollars_are_kept_to() -> None:
    budget = Budget(ModelSettings(name="gpt-4o", most_usd=0.005, most_output_tokens=100))
    with budget.reserve(3_000) as told:
        told.append(Usage(1, 1_000, 100, 0.0035))
    with pytest.raises(OverBudgetError, match=r"0\.005 dollars"), budget.reserve(3_000):
        pass


def test_a_cost_that_nobody_knows_is_not_run_up() -> None:
    budget = Budget(ModelSettings(name="of-nobody", most_usd=1.0))
    with pytest.raises(OverBudgetError, match="genai-prices"), budget.reserve(30):
        pass
