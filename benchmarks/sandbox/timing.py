"""Timing calls, and what is told of the times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["Times", "measure", "per_second"]


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of one kind of call, in milliseconds, in ascending order."""

    ms: tuple[float, ...]

    @classmethod
    def of(cls, ms: Iterable[float]) -> Times:
        """Sort them."""
        return cls(tuple(sorted(ms)))

    def __add__(self, other: Times) -> Times:
        return Times.of((*self.ms, *other.ms))

    def quantile(self, share: float) -> float:
        """Return the smallest time that `share` of the calls did not exceed (nearest rank)."""
        return self.ms[max(0, math.ceil(share * len(self.ms)) - 1)]

    @property
    def p50(self) -> float:
        """The median."""
        return self.quantile(0.5)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return self.quantile(0.99)


def measure(call: Callable[[], object], count: int, *, pause_s: float = 0.0) -> Times:
    """Time calls one after the other, with a pause before each that is not counted."""
    taken = []
    for _ in range(count):
        if pause_s:
            time.sleep(pause_s)
        begin = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begin) * 1e3)
    return Times.of(taken)


def per_second(call: Callable[[], object], seconds: float) -> float:
    """Return how many calls a second one caller gets through."""
    begin = time.perf_counter()
    count = 0
    while time.perf_counter() - begin < seconds:
        call()
        count += 1
    return count / (time.perf_counter() - begin)
