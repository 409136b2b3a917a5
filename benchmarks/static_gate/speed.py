"""How long the gate takes."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benchmarks.static_gate.texts import MEGABYTE, TOOL, hostile_texts
from toolguild.policies import Profile, Tier
from toolguild.synth.validation.static import check_source, examine

__all__ = ["Times", "hostile_seconds", "tool_times"]

_TRIES = 3
"""Runs of a hostile text, of which the fastest counts: other work on the machine is not the
gate's."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds that the checks of one text took."""

    count: int
    p50: float
    p99: float

    @classmethod
    def of(cls, ms: list[float]) -> Times:
        """Take the quantiles of single times."""
        shares = statistics.quantiles(ms, n=100, method="inclusive")
        return cls(len(ms), shares[49], shares[98])


def tool_times(count: int, profile: Profile) -> dict[str, Times]:
    """Time the gate on a tool of 40 lines: a check, and a check with effects and tools called."""
    for _ in range(3):
        examine(TOOL, Tier.SANDBOX, profile=profile)
    checked, examined = [], []
    for _ in range(count):
        begin = time.perf_counter()
        check_source(TOOL, Tier.SANDBOX, profile=profile)
        middle = time.perf_counter()
        examine(TOOL, Tier.SANDBOX, profile=profile)
        checked.append((middle - begin) * 1e3)
        examined.append((time.perf_counter() - middle) * 1e3)
    return {"check": Times.of(checked), "check, with needs": Times.of(examined)}


def hostile_seconds(profile: Profile) -> dict[str, float]:
    """Time the gate on hostile texts, from a quarter of what it reads to a megabyte."""
    biggest = profile.code.limits.max_bytes
    # Smaller ones, too: the biggest have more syntax in them than is looked at.
    sizes = [biggest, biggest * 3 // 4, biggest // 2, biggest // 4, MEGABYTE]
    return {
        f"{name}, {size:,} bytes": _fastest(text, profile)
        for size in sizes
        for name, text in hostile_texts(size).items()
    }


def _fastest(text: str, profile: Profile) -> float:
    taken = []
    for _ in range(_TRIES):
        begin = time.perf_counter()
        examine(text, Tier.SANDBOX, profile=profile)
        taken.append(time.perf_counter() - begin)
    return min(taken)
