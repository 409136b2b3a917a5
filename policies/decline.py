"""Noticing that a tool has become worse than its tier asks, soon and seldom for nothing.

An e-detector (Shin, Ramdas, Rinaldo: E-detectors, New England J. Statist. Data Sci. 2, 2023): for
each of some worse rates, the likelihood of the uses since the best moment to have begun with, over
their likelihood at the rate that the tier asks for, as in Page's CUSUM (Biometrika 41, 1954). Of a
tool that keeps to the rate, the average of these stays below a threshold for that number of uses on
average, at least; so the threshold is the number of uses between two false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Decline", "has_declined"]

_WORSE = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""The share of failures that is looked for, in times of the one that is asked for."""
_MOST_FAILURES = 0.9
"""More is as easily seen."""


@dataclass(slots=True)
class Decline:
    """Watches uses one after another."""

    rate: float
    """The success rate that is asked for, between 0 and 1, both excluded."""
    _steps: list[tuple[float, float]] = field(init=False, repr=False)
    """For each worse rate, what a success and what a failure add to its logarithm."""
    _logs: list[float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin anew.

        Raises:
            ValueError: the rate is out of range.
        """
        if not 0 < self.rate < 1:
            msg = f"no rate between 0 and 1: {self.rate}"
            raise ValueError(msg)
        asked = 1 - self.rate
        worse = sorted({min(asked * times, _most_failures(asked)) for times in _WORSE})
        self._steps = [
            (math.log1p(-share) - math.log(self.rate), math.log(share / asked)) for share in worse
        ]
        self._logs = [0.0] * len(worse)

    def see(self, *, success: bool) -> float:
        """Take one use; return the evidence for a decline, to be held against a threshold."""
        self._logs = [
            max(log, 0.0) + step[0 if success else 1]
            for log, step in zip(self._logs, self._steps, strict=True)
        ]
        return sum(map(math.exp, self._logs)) / len(self._logs)

    def see_successes(self, count: int) -> None:
        """Take so many successes, which are no evidence for a decline, at once."""
        if count:
            self._logs = [
                # The best moment to have begun with is long ago, or the last use.
                max(max(log, 0.0) + count * success, success)
                for log, (success, _) in zip(self._logs, self._steps, strict=True)
            ]


def has_declined(uses: Iterable[bool], rate: float, threshold: float) -> bool:
    """Say whether uses, the oldest first, ever showed that the tool is worse than a rate.

    Args:
        uses: Whether each went well.
        rate: What is asked for.
        threshold: Uses between two false alarms, on average at least.
    """
    watched = Decline(rate)
    return any(watched.see(success=success) > threshold for success in uses)


def _most_failures(asked: float) -> float:
    """Return the largest share of failures that is looked for."""
    return max(_MOST_FAILURES, (1 + asked) / 2)
