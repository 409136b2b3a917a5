"""How far instructions have drifted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.agent.improvement.instructions.similarity import (
    Similarity,
    drift_reason,
    is_drift,
    similarity,
)
from toolguild.policies import load_profile
from toolguild.registry.retrieval import EmbeddingError, Vector

RULES = load_profile("balanced").improvement
TEXT = (
    "Look up the order first. Then answer with its number. Never guess an id, ask for it. Round"
    " amounts to cents. Write in the language of the customer. Hand over to a person what is out"
    " of scope."
)
WORDS = st.lists(st.sampled_from("do not never always ask look order answer".split()), max_size=12)  # noqa: SIM905


@dataclass
class Vectors:
    """Gives the vectors that it was given."""

    vectors: Sequence[Vector] = ()
    model: str = "some-model"
    asked: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.asked += texts
        if not self.vectors:
            msg = "the endpoint is down"
            raise EmbeddingError(msg)
        return [*self.vectors]


def lexical(one: str, other: str) -> float:
    return similarity(one, other).value


@given(st.text())
def test_a_text_is_wholly_similar_to_itself(text: str) -> None:
    assert similarity(text, text) == Similarity(1.0, "lexical")


@given(st.text(), st.text())
def test_either_text_may_be_the_original(one: str, other: str) -> None:
    assert 0 <= lexical(one, other) <= 1
    assert lexical(one, other) == lexical(other, one)


@given(WORDS, WORDS)
def test_only_the_same_neighbours_are_wholly_similar(one, other) -> None:
    pairs = [sorted(zip(["", *words], [*words, ""], strict=True)) for words in (one, other)]
    assert (lexical(" ".join(one), " ".join(other)) == 1) is (pairs[0] == pairs[1])


@given(WORDS.filter(bool), WORDS.filter(bool))
def test_what_is_added_makes_a_text_less_similar(words, added) -> None:
    once = lexical(" ".join(words), " ".join([*words, *added]))
    twice = lexical(" ".join(words), " ".join([*words, *added, "word"]))
    assert 1 > once > twice


def test_it_falls_with_each_edit() -> None:
    edits = [
        ("Never guess an id, ask for it.", "Guess an id where there is none."),
        ("Round amounts to cents.", "Leave amounts as they are."),
        ("Then answer with its number.", ""),
        ("Look up the order first.", "Answer at once."),
    ]
    text, values = TEXT, [1.0]
    for before, after in edits:
        text = text.replace(before, after)
        values.append(lexical(TEXT, text))
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)
    assert not is_drift(Similarity(values[0], "lexical"), RULES)
    assert is_drift(Similarity(values[-1], "lexical"), RULES)


def test_steps_that_change_places_are_seen_and_moved_sections_are_kept() -> None:
    assert lexical("Ask before you book.", "Book before you ask.") < 0.7
    first, second = TEXT[:90], TEXT[90:]
    assert lexical(f"{first} {second}", f"{second} {first}") > 0.9


def test_signs_of_scripts_without_spaces_are_words() -> None:
    assert 0.5 < lexical("请先查询订单再回答客户问题", "请先查询订单再回复客户问题") < 1


def test_meaning_is_gone_by_where_there_is_a_model() -> None:
    embedder = Vectors([[3.0, 0.0], [4.0, 3.0]])
    assert similarity("one", "other", embedder) == Similarity(0.8, "some-model")
    assert embedder.asked == ["one", "other"]


@pytest.mark.parametrize(
    ("vectors", "value"),
    [([[1.0, 0.0], [-1.0, 0.0]], 0), ([[0.1] * 7, [0.3] * 7], 1), ([[1.0, 0.0], [0.0, 1.0]], 0)],
)
def test_cosines_become_shares(vectors, value) -> None:
    found = similarity("one", "other", Vectors(vectors)).value
    assert 0 <= found <= 1
    assert found == pytest.approx(value)


@pytest.mark.parametrize(
    "vectors",
    [
        [],
        [[1.0]],
        [[1.0], [1.0, 2.0]],
        [[0.0, 0.0], [1.0, 0.0]],
        [[math.nan], [1.0]],
        [[math.inf], [1.0]],
    ],
)
def test_words_are_gone_by_where_a_model_cannot_answer_and_that_is_told(vectors) -> None:
    found = similarity(TEXT, TEXT + " Bye.", Vectors(vectors))
    assert found.value == lexical(TEXT, TEXT + " Bye.")
    assert found.measure == "lexical"
    assert found.note.startswith("not by meaning: ")


def test_a_text_that_a_model_would_not_read_to_its_end_is_compared_by_words() -> None:
    embedder = Vectors([[1.0], [1.0]])
    long = "A rule. " * 2000
    found = similarity(long, long + "Forget all that. " * 200, embedder)
    assert found.measure == "lexical"
    assert found.value < 1
    assert embedder.asked == []


def test_a_person_decides_below_the_bound_and_is_told_why() -> None:
    bound = Similarity(RULES.similarity, "lexical")
    assert drift_reason(bound, RULES) == ""
    below = replace(bound, value=RULES.similarity - 0.0001)
    assert drift_reason(below, RULES) == (
        "the instructions would be 0.849 similar to the original ones (lexical), less than 0.85:"
        " a person has to decide"
    )
    assert is_drift(Similarity(math.nan, "lexical"), RULES)
