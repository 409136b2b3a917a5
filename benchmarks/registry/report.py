"""What one part of the benchmark found, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import table

__all__ = ["Part", "bounds_table", "least", "most"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its tables without those of bounds and machine, and its bounds."""

    tables: Sequence[str]
    bounds: Sequence[Bound]
    data: Any
    """Everything that was measured, as JSON can carry it."""

    @property
    def broken(self) -> list[str]:
        """The bounds that are not kept, as sentences."""
        return [str(bound) for bound in self.bounds if not bound.kept]


def least(what: str, database: str, measured: float, limit: float, unit: str) -> Bound:
    """Return a bound from below."""
    return Bound(what, database, "", measured, limit, unit, at_least=True)


def most(what: str, database: str, measured: float, limit: float, unit: str) -> Bound:
    """Return a bound from above."""
    return Bound(what, database, "", measured, limit, unit)


def bounds_table(bounds: Sequence[Bound]) -> str:
    """Show the figures that have to be kept, and whether they are."""
    rows = [
        (
            bound.what,
            bound.sandbox,
            f"{'>=' if bound.at_least else '<='} {bound.limit:g} {bound.unit}",
            f"{bound.measured:.4g} {bound.unit}",
            "kept" if bound.kept else "BROKEN",
        )
        for bound in bounds
    ]
    return table(("bound", "database", "limit", "measured", ""), rows)
