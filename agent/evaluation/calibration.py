"""Holding a model's judgement against people's, before it counts for anything.

What a model gives is mapped to what people gave for the like, by isotonic regression (pool adjacent
violators; Barlow et al., "Statistical Inference under Order Restrictions", 1972): a higher mark
never comes to a lower score. Whether the two agree at all is told by Cohen's kappa on success and
failure ("A coefficient of agreement for nominal scales", 1960), which takes out what agrees by
chance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from toolguild.policies import ToolguildError

__all__ = ["FEWEST_LABELS", "Calibration", "NotCalibratedError", "calibrated"]

FEWEST_LABELS = 20
_LEAST_KAPPA = 0.4
"""Agreement that Landis and Koch (1977) call moderate; below, a judge is as good as none."""
_FOLDS = 5
"""Parts of the labels, of which each is judged by what the others say that marks mean."""
_SUCCESS = 0.7
"""Score that separates success from failure."""


class NotCalibratedError(ToolguildError, ValueError):
    """A judge does not agree with people, or there are too few labels to tell."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a judge's marks mean."""

    marks: tuple[float, ...]
    """Rising; from each on, a mark means the score at the same place."""
    scores: tuple[float, ...]
    """Rising, from 0 to 1."""
    kappa: float
    """Agreement with people on success and failure, at most 1; 0 for that of chance. Measured on
    labels that the scores were not made from."""
    labels: int

    def score(self, mark: float) -> float:
        """Return the score that a mark means."""
        place = bisect_right(self.marks, mark) - 1
        return self.scores[max(place, 0)]


def calibrated(pairs: Sequence[tuple[float, float]]) -> Calibration:
    """Return what a judge's marks mean, by people's scores for the same.

    Args:
        pairs: The judge's mark and a person's score for it, both from 0 to 1.

    Raises:
        NotCalibratedError: there are fewer than 20, or the two hardly agree.
    """
    if len(pairs) < FEWEST_LABELS:
        msg = f"{len(pairs)} labels do not tell whether a judge can be trusted; {FEWEST_LABELS} do"
        raise NotCalibratedError(msg)
    kappa = _kappa([verdicts for fold in range(_FOLDS) for verdicts in _held_out(pairs, fold)])
    if kappa < _LEAST_KAPPA:
        msg = (
            f"the judge agrees with people no more than kappa = {kappa:.2f}, and {_LEAST_KAPPA} is"
            " asked for: tell it more of what counts, or take another model"
        )
        raise NotCalibratedError(msg)
    return Calibration(*_isotonic(pairs), kappa, len(pairs))


def _held_out(pairs: Sequence[tuple[float, float]], fold: int) -> list[tuple[bool, bool]]:
    """Return the verdicts on one part of the pairs, with what marks mean by the others alone."""
    known = [pair for place, pair in enumerate(pairs) if place % _FOLDS != fold]
    made = Calibration(*_isotonic(known), 0.0, len(known))
    return [
        (made.score(mark) >= _SUCCESS, score >= _SUCCESS) for mark, score in pairs[fold::_FOLDS]
    ]


def _isotonic(pairs: Sequence[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the step function that rises and is nearest to the pairs, in squares."""
    blocks: list[tuple[float, float, int]] = []
    for mark, same in groupby(sorted(pairs), key=lambda pair: pair[0]):
        scores = [score for _, score in same]
        block = (mark, sum(scores), len(scores))
        while blocks and blocks[-1][1] * block[2] >= block[1] * blocks[-1][2]:
            before = blocks.pop()
            block = (before[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    return tuple(mark for mark, _, _ in blocks), tuple(total / n for _, total, n in blocks)


def _kappa(verdicts: Sequence[tuple[bool, bool]]) -> float:
    count = len(verdicts)
    agreed = sum(one is other for one, other in verdicts) / count
    judges, peoples = (sum(column) / count for column in zip(*verdicts, strict=True))
    by_chance = judges * peoples + (1 - judges) * (1 - peoples)
    # Where all is one verdict, nothing was told apart.
    return 0.0 if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
