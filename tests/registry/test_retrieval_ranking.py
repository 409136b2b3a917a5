"""The laws that tools are ranked by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.registry.retrieval.full_text import Having
from toolguild.registry.retrieval.query import questions
from toolguild.registry.retrieval.ranking import Merits, best, fused, record, score, speed
from toolguild.registry.retrieval.relevance import (
    DESCRIPTION,
    NAME,
    PARAMETERS,
    coverage,
    name_match,
    weights_of,
)

shares = st.floats(0, 1)
seconds = st.none() | st.floats(0, 1e6)


@st.composite
def merits(draw: st.DrawFn) -> Merits:
    runs = draw(st.integers(0, 1000))
    return Merits(draw(shares), draw(st.integers(0, runs)), runs, draw(seconds))


tools = st.dictionaries(st.text(max_size=5), merits(), max_size=20)


@given(merits())
def test_a_score_is_a_share_and_no_more_than_the_relevance(one: Merits) -> None:
    assert 0 <= score(one) <= one.relevance


@given(merits(), st.integers(1, 50))
def test_more_successes_never_rank_lower(one: Merits, more: int) -> None:
    better = replace(one, successes=one.successes + more, runs=one.runs + more)
    assert score(better) >= score(one)
    luckier = replace(one, successes=min(one.runs, one.successes + more))
    assert score(luckier) >= score(one)


@given(merits(), st.integers(1, 50))
def test_more_failures_never_rank_higher(one: Merits, more: int) -> None:
    assert score(replace(one, runs=one.runs + more)) <= score(one)


@given(merits(), shares, shares)
def test_more_relevance_never_ranks_lower(one: Merits, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert score(replace(one, relevance=low)) <= score(replace(one, relevance=high))


@given(merits(), st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_time_never_ranks_higher(one: Merits, a: float, b: float) -> None:
    fast, slow = sorted((a, b))
    assert score(replace(one, median_s=slow)) <= score(replace(one, median_s=fast))


def test_an_unused_tool_is_unknown_and_not_bad() -> None:
    assert record(0, 10) < record(5, 10) < record(0, 0) < record(10, 10) < record(100, 100) < 1
    assert speed(60) < speed(None) < speed(0.01)


@given(tools, st.integers(-2, 25))
def test_the_best_are_k_in_a_total_order_that_is_always_the_same(
    found: dict[str, Merits], k: int
) -> None:
    names = best(found, k)
    assert len(names) == max(0, min(k, len(found)))
    scores = [score(found[name]) for name in names]
    assert scores == sorted(scores, reverse=True)
    assert set(names) == set(best(dict(reversed(found.items())), k))
    assert names == best(dict(reversed(found.items())), k) == best(found, len(found))[: len(names)]


orders = st.lists(st.permutations("abcdef").map(lambda order: order[:4]), min_size=1, max_size=3)


@given(orders)
def test_fusing_keeps_what_all_rankings_agree_on(rankings: list[list[str]]) -> None:
    points = fused(rankings)
    assert set(points) == {name for ranking in rankings for name in ranking}
    assert all(0 < share <= 1 for share in points.values())
    places = {
        name: [ranking.index(name) if name in ranking else 99 for ranking in rankings]
        for name in points
    }
    for one, of_one in places.items():
        for other, of_other in places.items():
            if all(a < b for a, b in zip(of_one, of_other, strict=True)):
                assert points[one] > points[other]


def test_first_in_every_ranking_is_fully_relevant() -> None:
    assert fused([["a", "b"], ["a", "c"]])["a"] == pytest.approx(1)
    assert fused([["a"], []])["a"] == pytest.approx(0.5)


words = st.sampled_from(["alpha", "beta", "gamma", "delta"])
texts = st.lists(words, max_size=8).map(" ".join)


@given(st.dictionaries(words, st.integers(0, 100), min_size=1), texts, texts, texts, words)
def test_coverage_is_a_share_that_grows_with_the_words_found(
    counts: dict[str, int], name: str, description: str, parameters: str, word: str
) -> None:
    weights = weights_of(counts, 100)
    assert all(weight > 0 for weight in weights.values())
    fields = {NAME: name, DESCRIPTION: description, PARAMETERS: parameters}
    share, found = coverage(weights, fields)
    assert 0 <= share < 1
    assert set(found) == weights.keys() & set(" ".join(fields.values()).split())
    if word in weights and not found:
        assert coverage(weights, {**fields, NAME: f"{name} {word}"})[0] > share


def test_rare_words_and_names_weigh_more() -> None:
    weights = weights_of({"rare": 1, "common": 90}, 100)
    assert weights["rare"] > weights["common"] > 0

    def share(**texts: str) -> float:
        fields = {"name": NAME, "description": DESCRIPTION, "parameters": PARAMETERS}
        return coverage(weights, {fields[field]: text for field, text in texts.items()})[0]

    assert share(name="rare") > share(name="common")
    assert share(name="rare") > share(description="rare") > share(parameters="rare")
    assert share(name="rare x") > share(name="rare x x x x x")


def test_a_name_matches_by_what_was_typed_of_it() -> None:
    assert name_match("get_user", "get_user") == 1
    assert 0 < name_match("get", "get_user") < name_match("get_us", "get_user") < 1
    assert name_match("user", "get_user") == name_match("", "get_user") == 0


def test_rare_words_say_which_tools_are_looked_at_and_common_ones_narrow_each_other() -> None:
    counts = {"rare": 10, "some": 1500, "many": 9000, "more": 15_000, "most": 60_000}
    weights = weights_of(counts, 100_000)
    telling = {word: weights[word] for word in ("rare", "some", "many", "more")}
    assert questions(counts, 100_000) == [
        Having(telling, any_of=("rare", "some")),
        Having(telling, all_of=("many", "more"), in_names=True),
    ]
    del telling["some"], counts["some"]
    assert questions(counts, 100_000) == [
        Having(telling, any_of=("rare",), all_of=("many", "more"))
    ]
    assert questions({"most": 60_000}, 100_000) == [
        Having({"most": weights["most"]}, all_of=("most",), in_names=True)
    ]
    assert questions({}, 100_000) == []


def test_of_a_long_text_the_rarest_words_are_asked_for() -> None:
    counts = {f"word{number:03}": number for number in range(1, 200)}
    [asked] = questions(counts, 100_000)
    assert asked.any_of == tuple(f"word{number:03}" for number in range(1, 17))
