"""What the last uses of a tool say, read in a time that does not grow with the number of uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Connection, bindparam, func, literal_column, select, true

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


_VERSION, _uses = schema.versions.c.digest, schema.uses
_ASKED_FOR = _VERSION.in_(bindparam("versions", expanding=True))

_older = _uses.alias("older")
_first = (
    select(_older.c.id)
    .where(_older.c.version == _VERSION)
    .order_by(_older.c.id.desc())
    .offset(RECENT_USES - 1)
    .limit(1)
    .correlate(schema.versions)
    .scalar_subquery()
)
_FROM_SQLITE = (
    select(_VERSION, _uses.c.status, _uses.c.duration_s)
    .join(_uses, _uses.c.version == _VERSION)
    .where(_ASKED_FOR, _uses.c.ran.is_(True), _uses.c.id >= func.coalesce(_first, 0))
)

# Where PostgreSQL takes the uses of a version for few, it reads them all and sorts them, and
# without statistics it reads those of all versions for a join. Kept from either, it goes by the
# index `uses_by_version`.
_BY_INDEX = "SET LOCAL enable_sort = off"
_newest = (
    select(_uses.c.status, _uses.c.duration_s, _uses.c.ran)
    .where(_uses.c.version == _VERSION)
    .order_by(_uses.c.id.desc())
    # Written out: with a number that it does not know, each search would be planned anew.
    .limit(literal_column(str(RECENT_USES)))
    .lateral()
)
_FROM_POSTGRESQL = (
    select(_VERSION, _newest.c.status, _newest.c.duration_s)
    .join(_newest, true())
    .where(_ASKED_FOR, _newest.c.ran.is_(True))
)


def recent_uses(connection: Connection, versions: Sequence[str]) -> dict[str, RecentUses]:
    """Return how the last uses of versions went, by their digests, without those never used."""
    query = _FROM_SQLITE
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_BY_INDEX)
        query = _FROM_POSTGRESQL
    found: dict[str, list[tuple[str, float]]] = {}
    for version, status, duration_s in connection.execute(query, {"versions": versions}):
        found.setdefault(version, []).append((status, duration_s))
    return {version: _summary(outcomes) for version, outcomes in found.items()}


def _summary(outcomes: Iterable[tuple[str, float]]) -> RecentUses:
    durations = [duration_s for status, duration_s in outcomes if status == CallStatus.OK]
    failures = sum(status in FAILURES for status, _ in outcomes)
    successes = len(durations)
    return RecentUses(successes, successes + failures, median(durations) if durations else None)
