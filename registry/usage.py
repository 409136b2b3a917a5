"""What the uses of a version add up to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from toolguild.registry import schema
from toolguild.registry.model import CallStatus, Record

__all__ = ["FAILURES", "callers_of", "record_of"]

FAILURES = (
    CallStatus.ERROR,
    CallStatus.TIMEOUT,
    CallStatus.MEMORY,
    CallStatus.OUTPUT_LIMIT,
    CallStatus.KILLED,
)


def record_of(connection: Connection, version: str) -> Record:
    """Return how often the version with this digest was used, and with what success."""
    table = schema.uses
    ran, status = table.c.ran.is_(True), table.c.status
    unavailable = status == CallStatus.UNAVAILABLE.value
    query = select(
        _count(ran, status == CallStatus.OK.value).label("successes"),
        _count(ran, status.in_([failure.value for failure in FAILURES])).label("failures"),
        _count(ran, status == CallStatus.REFUSED.value).label("refused"),
        _count(~ran, ~unavailable).label("turned_away"),
        _count(ran, status == CallStatus.CUT_OFF.value).label("cut_off"),
        _count(unavailable).label("unavailable"),
        _count(table.c.undeclared != "[]").label("undeclared"),
        func.max(table.c.at).label("last_used_at"),
    ).where(table.c.version == version)
    fields = dict(connection.execute(query).one()._mapping)
    last = fields.pop("last_used_at")
    return Record(**fields, last_used_at=None if last is None else datetime.fromisoformat(last))


def callers_of(connection: Connection, version: str) -> dict[str, int]:
    """Return how many uses of the version each composite made, by its `name@number`."""
    uses, composites = schema.uses, schema.versions
    count = func.count()
    query = (
        select(composites.c.name, composites.c.number, count)
        .select_from(uses.join(composites, uses.c.caller == composites.c.digest))
        .where(uses.c.version == version)
        .group_by(composites.c.digest)
        .order_by(count.desc(), composites.c.name, composites.c.number)
    )
    return {f"{name}@{number}": calls for name, number, calls in connection.execute(query)}


def _count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """Count the rows that meet all the conditions."""
    return func.count().filter(*conditions)
