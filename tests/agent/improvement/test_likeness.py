"""How alike texts are: what the measure promises for all texts, and what it says of some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.agent.improvement.likeness import likeness
from toolguild.registry.retrieval.words import words_of

_TEXTS = st.text() | st.lists(st.sampled_from(["refund", "order", "not", "the"])).map(" ".join)


@given(_TEXTS, _TEXTS)
def test_it_is_a_share_and_the_same_in_both_directions(one: str, other: str) -> None:
    found = likeness(one, other)
    assert 0 <= found <= 1
    assert found == likeness(other, one)


@given(_TEXTS)
def test_a_text_with_words_is_wholly_like_itself_and_one_without_is_like_nothing(text: str) -> None:
    assert likeness(text, text) == (1 if words_of(text) else 0)


def test_endings_case_and_order_make_no_difference() -> None:
    assert likeness("Refund the customer's orders.", "ordering refunds, CUSTOMER") == 1


def test_texts_of_other_matters_have_nothing_in_common() -> None:
    assert likeness("Refund the order.", "Dates are written day first.") == 0


def test_what_is_added_makes_it_less() -> None:
    assert likeness("cancel order", "cancel order twice, never thrice") == pytest.approx(4 / 7)


def test_a_negation_counts() -> None:
    assert likeness("retry the call", "do not retry the call") < 1
