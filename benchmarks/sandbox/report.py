"""What a run of the benchmark found, as plain data that goes into a JSON file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.sandbox.timing import Times

__all__ = ["Bound", "CallsReport", "Compared", "Rate", "Timed"]


@dataclass(frozen=True, slots=True)
class Timed:
    """One kind of call of ours, or what it is measured against."""

    call: str
    sandbox: str
    """`local` or `docker`; empty for a baseline."""
    tier: str
    """`restricted` (the isolation alone) or `sandbox` (with the wall in it); empty likewise."""
    n: int
    p50_ms: float
    p99_ms: float
    min_ms: float
    max_ms: float

    @classmethod
    def of(cls, call: str, times: Times, *, sandbox: str = "", tier: str = "") -> Timed:
        """Keep what is told of the times."""
        figures = (times.p50, times.p99, times.ms[0], times.ms[-1])
        return cls(call, sandbox, tier, len(times.ms), *(round(figure, 4) for figure in figures))


@dataclass(frozen=True, slots=True)
class Rate:
    """How many calls a second some callers got through together."""

    sandbox: str
    tier: str
    callers: int
    calls_per_s: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The same call in what others offer."""

    peer: str
    version: str
    isolation: str
    """What stands between the program and the machine, as it was set up here."""
    state: str
    """What a program finds of those that ran before it."""
    times: Timed | None
    why_not: str = ""
    """Why there are no times."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that has to be kept."""

    what: str
    sandbox: str
    tier: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False
    """Whether it is a lower bound."""

    @property
    def kept(self) -> bool:
        """Whether what was measured is within it."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        where = " ".join(part for part in (self.sandbox, self.tier) if part)
        return (
            f"{where}: {self.what} is {self.measured:.3g} {self.unit}, "
            f"and has to be {sign} {self.limit:g}"
        )


@dataclass(frozen=True, slots=True)
class CallsReport:
    """Everything that one run measured."""

    about: Mapping[str, str]
    """When, where, with which versions and by which command."""
    times: Sequence[Timed]
    rates: Sequence[Rate]
    peers: Sequence[Compared]
    bounds: Sequence[Bound]

    @property
    def broken(self) -> list[str]:
        """The bounds that are not kept, as sentences."""
        return [str(bound) for bound in self.bounds if not bound.kept]

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can carry, each bound with its verdict."""
        bounds = [{**asdict(bound), "kept": bound.kept} for bound in self.bounds]
        return {**asdict(self), "bounds": bounds}
