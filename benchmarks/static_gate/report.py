"""What was measured, as Markdown and as JSON, with the bounds that are kept or not."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.static_gate.speed import Times
from benchmarks.static_gate.verdicts import HARMLESS, Verdicts
from toolguild.policies import Profile

__all__ = ["Bound", "Measured"]

_MAX_MS = 15
_MAX_SECONDS = 1
_MAX_REFUSED = 1


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that must not be exceeded."""

    text: str
    measured: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        """Whether it is not."""
        return self.measured <= self.limit


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the benchmark."""

    profile: Profile
    tool: Mapping[str, Times]
    """Times for a tool of 40 lines."""
    hostile: Mapping[str, float]
    """Seconds for each hostile text."""
    gate: Verdicts
    peers: Sequence[Verdicts]

    @property
    def bounds(self) -> list[Bound]:
        """The figures that have to be kept."""
        unproven = [row for row in self.gate.passed if row not in HARMLESS]
        return [
            Bound("a tool of 40 lines, p50", self.tool["check"].p50, _MAX_MS, "ms"),
            Bound("the slowest hostile text", max(self.hostile.values()), _MAX_SECONDS, "s"),
            Bound("escapes passed without a proof of harmlessness", len(unproven), 0, "rows"),
            Bound("ordinary tools refused", len(self.gate.refused), _MAX_REFUSED, "rows"),
        ]

    @property
    def kept(self) -> bool:
        """Whether all bounds are kept."""
        return all(bound.kept for bound in self.bounds)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "python": platform.python_version(),
            "profile": {"name": self.profile.name, "digest": self.profile.digest},
            "tool_ms": {name: asdict(times) for name, times in self.tool.items()},
            "hostile_s": dict(self.hostile),
            "corpora": [asdict(verdicts) for verdicts in (self.gate, *self.peers)],
            "harmless": HARMLESS,
            "bounds": [{**asdict(bound), "kept": bound.kept} for bound in self.bounds],
            "kept": self.kept,
        }

    def to_markdown(self) -> str:
        """Return the tables for people."""
        slowest = sorted(self.hostile.items(), key=lambda item: -item[1])[:8]
        return "\n".join(
            [
                f"profile {self.profile.name} {self.profile.digest[:12]},"
                f" Python {platform.python_version()}",
                "",
                "| checker | escapes | passed | hard ones | ordinary tools | refused or wrong | |",
                "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
                *(_row(verdicts) for verdicts in (self.gate, *self.peers)),
                "",
                "| 40 lines | p50 | p99 |",
                "| --- | ---: | ---: |",
                *(f"| {n} | {t.p50:.2f} ms | {t.p99:.2f} ms |" for n, t in self.tool.items()),
                "",
                f"| slowest of {len(self.hostile)} hostile texts | |",
                "| --- | ---: |",
                *(f"| {name} | {seconds:.2f} s |" for name, seconds in slowest),
                "",
                "| bound | limit | measured | |",
                "| --- | ---: | ---: | --- |",
                *(_bound_row(bound) for bound in self.bounds),
            ]
        )


def _bound_row(bound: Bound) -> str:
    limit, measured = f"{bound.limit:g} {bound.unit}", f"{bound.measured:.3g} {bound.unit}"
    return f"| {bound.text} | {limit} | {measured} | {'kept' if bound.kept else 'BROKEN'} |"


def _row(verdicts: Verdicts) -> str:
    if not verdicts.escapes:
        return f"| {verdicts.name} | | | | | | not measured: {verdicts.note} |"
    figures = (
        verdicts.escapes,
        len(verdicts.passed),
        len(verdicts.hard),
        verdicts.ordinary,
        len(verdicts.refused),
    )
    return f"| {verdicts.name} | {' | '.join(map(str, figures))} | {verdicts.note} |"
