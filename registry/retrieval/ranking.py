"""In which order tools are offered: by relevance, record and cost. Pure functions of numbers.

    score = relevance * record ** 0.5 * speed ** 0.1

Each factor lies between 0 and 1. A product keeps what the factors mean apart from the scale of
relevance, which depends on the question: a record can make up for a difference in relevance of
some per cent, and for no more.

- **Record** is the share of uses that worked, shrunken towards 0.9 by five uses that nobody made.
  A tool that was never used is taken for one that usually works, so it is neither ranked as bad
  nor as proven; a few failures already tell.
- **Speed** is `1 / (1 + seconds / 10)` of the median use that worked; one second where there was
  none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Merits", "best", "fused", "record", "score", "speed"]

_RECORD_EXPONENT = 0.5
_SPEED_EXPONENT = 0.1

_PRIOR = 0.9
"""Share of uses that work, of a tool of which nothing is known."""
_PRIOR_USES = 5
"""Uses after which what is seen weighs as much as that."""
_HALVING_S = 10.0
_USUAL_S = 1.0

_RANK_OFFSET = 60
"""The constant of reciprocal rank fusion, as its authors give it."""


@dataclass(frozen=True, slots=True)
class Merits:
    """What speaks for a tool."""

    relevance: float
    """From 0 to 1."""
    successes: int = 0
    runs: int = 0
    """Uses that say something about the tool: successes and failures."""
    median_s: float | None = None
    """Of the uses that worked; None where there are none."""


def record(successes: int, runs: int) -> float:
    """Return the share of uses that worked, shrunken towards what is usual."""
    return (successes + _PRIOR * _PRIOR_USES) / (runs + _PRIOR_USES)


def speed(median_s: float | None) -> float:
    """Return 1 for a tool that takes no time, and less the longer it takes."""
    return 1 / (1 + (_USUAL_S if median_s is None else max(0.0, median_s)) / _HALVING_S)


def score(merits: Merits) -> float:
    """Return the number that tools are ranked by, from 0 to 1."""
    proven = pow(record(merits.successes, merits.runs), _RECORD_EXPONENT)
    return float(merits.relevance * proven * pow(speed(merits.median_s), _SPEED_EXPONENT))


def best(tools: Mapping[str, Merits], k: int) -> list[str]:
    """Return the names of the k tools with the highest scores, the highest first.

    Names decide between equal scores, so that the order is always the same.
    """
    ordered = sorted(tools, key=lambda name: (-score(tools[name]), name))
    return ordered[: max(0, k)]


def fused(rankings: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return one relevance for what several rankings rank, as a share of the highest possible.

    Reciprocal rank fusion: each ranking gives `1 / (60 + rank)`, as in Cormack, Clarke and
    Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods"
    (SIGIR 2009). It needs no common scale of the scores, which texts and vectors do not have.
    """
    points: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            points[name] = points.get(name, 0.0) + 1 / (_RANK_OFFSET + rank)
    most = len(rankings) / (_RANK_OFFSET + 1)
    return {name: reached / most for name, reached in points.items()}
