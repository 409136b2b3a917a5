"""Miners that count names of tools only, and what their patterns would save on unseen runs.

They ignore arguments, so nothing says that one call could do what a pattern's calls did: what they
save is *unverified*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeAlias

__all__ = [
    "BASELINES",
    "Miner",
    "Pattern",
    "Run",
    "greedy_n_grams",
    "prefix_span",
    "three_grams",
    "unverified_saving",
]

Run: TypeAlias = Sequence[str]
"""The names of the tools that a run called, in order."""
Pattern: TypeAlias = tuple[str, ...]
"""The names of tools that one tool would stand for."""
Miner: TypeAlias = Callable[[Sequence[Run], int], list[Pattern]]

_SHORTEST = 2  # a call replaced by a call saves nothing
_LONGEST = 5


def three_grams(train: Sequence[Run], k: int) -> list[Pattern]:
    """Return the contiguous 3-grams that most runs hold, the best first.

    Args:
        train: the runs to mine.
        k: how many to return at most.
    """
    support: Counter[Pattern] = Counter()
    for run in train:
        support.update(set(_n_grams(run, 3)))
    # Not `most_common`: it leaves ties in the order of a set, which differs between processes.
    return sorted(support, key=lambda pattern: (-support[pattern], pattern))[:k]


def prefix_span(train: Sequence[Run], k: int, *, closed: bool = False) -> list[Pattern]:
    """Return the sequential patterns of two calls or more that most runs hold, the best first.

    A run holds a pattern if its calls occur in that order, with others between them or not. To
    count towards `unverified_saving` they have to be next to each other all the same.

    Args:
        train: the runs to mine.
        k: how many to return at most.
        closed: leave out patterns that a longer one with the same support contains.

    Raises:
        ModuleNotFoundError: the package `prefixspan` is not installed.
    """
    miner = _prefix_span_class()([list(run) for run in train])
    miner.minlen = _SHORTEST
    return [tuple(pattern) for _, pattern in miner.topk(k, closed=closed)]


def greedy_n_grams(train: Sequence[Run], k: int, *, longest: int = _LONGEST) -> list[Pattern]:
    """Choose contiguous n-grams one by one, each for what it saves beside those before it.

    Args:
        train: the runs to mine.
        k: how many to return at most; fewer if no other saves anything.
        longest: the calls of the longest n-gram to be considered.
    """
    runs = Counter(tuple(run) for run in train)
    holders: dict[Pattern, list[Pattern]] = {}
    for run in runs:
        for gram in {g for n in range(_SHORTEST, longest + 1) for g in _n_grams(run, n)}:
            holders.setdefault(gram, []).append(run)
    chosen: list[Pattern] = []
    saved = dict.fromkeys(runs, 0)
    while len(chosen) < k and holders:
        # Runs without the n-gram are replaced as before, so only its holders are tried again.
        gains = {
            gram: sum(
                runs[run] * (unverified_saving([*chosen, gram], run) - saved[run]) for run in own
            )
            for gram, own in holders.items()
        }
        best = min(gains, key=lambda gram: (-gains[gram], -len(gram), gram))
        if gains[best] <= 0:
            break
        chosen.append(best)
        for run in holders.pop(best):
            saved[run] = unverified_saving(chosen, run)
    return chosen


BASELINES: dict[str, Miner] = {
    "3-grams by support": three_grams,
    "PrefixSpan top k": prefix_span,
    "greedy n-grams by saving": greedy_n_grams,
}
"""Each miner by the name that tables give it."""


def unverified_saving(patterns: Iterable[Pattern], run: Run) -> int:
    """Return how many calls are saved if each occurrence of a pattern becomes one call.

    Occurrences are contiguous and do not overlap: from left to right, the longest pattern that
    fits is taken. Whether one call could do it is not asked.

    Args:
        patterns: what is replaced, in any order.
        run: the run to replace it in.
    """
    by_length = sorted({pattern for pattern in patterns if pattern}, key=len, reverse=True)
    calls = tuple(run)
    saved = at = 0
    while at < len(calls):
        fits = (pattern for pattern in by_length if calls[at : at + len(pattern)] == pattern)
        length = len(next(fits, calls[at : at + 1]))
        saved += length - 1
        at += length
    return saved


def _n_grams(run: Run, n: int) -> Iterator[Pattern]:
    return (tuple(run[at : at + n]) for at in range(len(run) - n + 1))


def _prefix_span_class() -> Any:
    try:
        # By name: it has no types, and is needed here only, so it is no dependency.
        return import_module("prefixspan").PrefixSpan
    except ModuleNotFoundError as error:
        msg = f"PrefixSpan needs another package ({error}): pip install prefixspan"
        raise ModuleNotFoundError(msg, name=error.name) from error
