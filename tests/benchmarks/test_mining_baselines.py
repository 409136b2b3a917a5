"""The miners that the benchmark of mining sets ours beside."""

from __future__ import annotations

import sys

import pytest

baselines = pytest.importorskip("benchmarks.mining.baselines", reason="run in the repository only")


def test_three_grams_count_a_run_once() -> None:
    train = ["xxxxxx", "abc", "abc"]
    assert baselines.three_grams(train, 1) == [("a", "b", "c")]


def test_three_grams_come_by_support_then_by_name() -> None:
    train = ["bcd", "abc", "zyx", "zyx", "no"]
    assert baselines.three_grams(train, 10) == [tuple("zyx"), tuple("abc"), tuple("bcd")]
    assert baselines.three_grams(train, 2) == [tuple("zyx"), tuple("abc")]


def test_greedy_n_grams_are_chosen_for_what_the_others_leave() -> None:
    # Alone, `bc` would save 4 calls and `de` 3; beside `abc` it saves nothing.
    train = ["abc", "abc", "abc", "abc", "de", "de", "de"]
    assert baselines.greedy_n_grams(train, 2) == [tuple("abc"), tuple("de")]


def test_greedy_n_grams_end_when_nothing_is_left_to_save() -> None:
    assert baselines.greedy_n_grams(["abc"], 10) == [tuple("abc")]
    assert baselines.greedy_n_grams(["a", ""], 10) == []


def test_greedy_n_grams_are_no_longer_than_told() -> None:
    assert baselines.greedy_n_grams(["abcd"], 1, longest=2) == [tuple("ab")]


def test_greedy_n_grams_do_not_depend_on_the_order_of_runs() -> None:
    train = ["abcab", "bcabd", "dabc", "abd", "cab"]
    assert baselines.greedy_n_grams(train, 4) == baselines.greedy_n_grams(train[::-1], 4)


@pytest.mark.parametrize(
    ("patterns", "run", "saved"),
    [
        ([], "abc", 0),
        (["ab"], "", 0),
        (["ab"], "abxab", 2),
        (["ab"], "axb", 0),
        (["aa"], "aaaaa", 2),
        (["ab", "abc"], "abcab", 3),
        (["ab", "bcd"], "abcd", 1),
        (["a", ""], "aaa", 0),
    ],
    ids=repr,
)
def test_each_occurrence_becomes_one_call(patterns: list[str], run: str, saved: int) -> None:
    mined = [tuple(pattern) for pattern in patterns]
    assert baselines.unverified_saving(mined, run) == saved
    assert baselines.unverified_saving(mined[::-1], list(run)) == saved


def test_a_missing_prefix_span_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefixspan", None)
    with pytest.raises(ModuleNotFoundError, match="pip install prefixspan"):
        baselines.prefix_span(["ab"], 1)
