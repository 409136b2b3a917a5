"""What the last uses of a tool say, read in a time that does not grow with the number of uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Connection, bindparam, func, select

from toolguild.registry import schema
from toolguild.registry.model import CallStatus
from toolguild.registry.usage import FAILURES

__all__ = ["RECENT_USES", "RecentUses", "recent_uses"]

RECENT_USES = 50
"""Uses of a version that are looked at, the newest."""


@dataclass(frozen=True, slots=True)
class RecentUses:
    """How the last uses of a version went."""

    successes: int = 0
    runs: int = 0
    """Successes and failures."""
    median_s: float | None = None
    """Of the successes."""


_uses, _older = schema.uses, schema.uses.alias("older")
_FIRST = (
    select(_older.c.id)
    .where(_older.c.version == schema.versions.c.digest)
    .order_by(_older.c.id.desc())
    .offset(RECENT_USES - 1)
    .limit(1)
    .correlate(schema.versions)
    .scalar_subquery()
)
_RECENT = (
    select(_uses.c.version, _uses.c.status, _uses.c.duration_s)
    .select_from(schema.versions.join(_uses, _uses.c.version == schema.versions.c.digest))
    .where(schema.versions.c.digest.in_(bindparam("versions", expanding=True)))
    .where(_uses.c.ran.is_(True), _uses.c.id >= func.coalesce(_FIRST, 0))
)


def recent_uses(connection: Connection, versions: Sequence[str]) -> dict[str, RecentUses]:
    """Return how the last uses of versions went, by their digests, without those never used."""
    found: dict[str, list[tuple[str, float]]] = {}
    for version, status, duration_s in connection.execute(_RECENT, {"versions": versions}):
        found.setdefault(version, []).append((status, duration_s))
    return {version: _summary(outcomes) for version, outcomes in found.items()}


def _summary(outcomes: Iterable[tuple[str, float]]) -> RecentUses:
    durations = [duration_s for status, duration_s in outcomes if status == CallStatus.OK]
    failures = sum(status in FAILURES for status, _ in outcomes)
    successes = len(durations)
    return RecentUses(successes, successes + failures, median(durations) if durations else None)
