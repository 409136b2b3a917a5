"""What the uses of a version add up to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, select

from toolguild.policies import Tier
from toolguild.registry import schema
from toolguild.registry.model import CallStatus, Record, ToolVersion, Use

__all__ = [
    "FAILURES",
    "TierRecord",
    "callers_of",
    "has_record",
    "image_of_record",
    "is_evidence",
    "is_known",
    "is_success",
    "last_use",
    "outcomes",
    "record_of",
    "tier_record",
    "used_at_least",
]

FAILURES = (
    CallStatus.ERROR,
    CallStatus.TIMEOUT,
    CallStatus.MEMORY,
    CallStatus.OUTPUT_LIMIT,
    CallStatus.KILLED,
)


@dataclass(frozen=True, slots=True)
class TierRecord:
    """What speaks for and against a version where it stands: distinct live uses in one image."""

    successes: int
    failures: int
    undeclared: int
    """Uses in any image, distinct or not, in which it was seen to do what it does not declare."""


def is_success(use: Use) -> bool:
    """Say whether a use went well."""
    return use.ran and use.status is CallStatus.OK


def is_evidence(use: Use) -> bool:
    """Say whether a use says something about the tool, and not about callers or the sandbox."""
    return use.ran and (use.status is CallStatus.OK or use.status in FAILURES)


def is_known(connection: Connection, since_use: int, use: Use) -> bool:
    """Say whether the record since some use has the same input, outcome and image."""
    given = {
        "version": use.version,
        "input": use.input_digest,
        "image": use.image,
        "since": since_use,
    }
    same = _SAME_SUCCESS if is_success(use) else _SAME_FAILURE
    return connection.execute(same, given).first() is not None


def _same_input(outcome: ColumnElement[bool]) -> Select[tuple[int]]:
    table = schema.uses
    return (
        select(table.c.id)
        .where(
            table.c.version == bindparam("version"),
            table.c.input_digest == bindparam("input"),
            table.c.image == bindparam("image"),
            table.c.id > bindparam("since"),
            table.c.counts.is_(True),
            outcome,
        )
        .limit(1)
    )


_WELL: Final = schema.uses.c.status == CallStatus.OK.value
# Made once: making a statement takes longer than carrying it out.
_SAME_SUCCESS: Final = _same_input(_WELL)
_SAME_FAILURE: Final = _same_input(~_WELL)


def used_at_least(count: int) -> Select[tuple[str]]:
    """Select the digests of the versions that have so many uses which count, ever."""
    table = schema.uses
    counted = select(table.c.version).where(table.c.counts.is_(True)).group_by(table.c.version)
    return counted.having(func.count() >= count)


def has_record(connection: Connection, version: ToolVersion) -> bool:
    """Say whether there is any use in the present record, in whatever image."""
    query = select(schema.uses.c.id).where(_counted(version))
    return connection.execute(query.limit(1)).first() is not None


def last_use(connection: Connection) -> int:
    """Return the number of the last use of any tool; 0 where there is none."""
    return connection.scalar(select(func.max(schema.uses.c.id))) or 0


def image_of_record(connection: Connection, version: ToolVersion) -> str:
    """Return the image that the record of a version is looked at in.

    Above `sandbox` it is the one that the tier was earned in. In `sandbox` each image has a record
    of its own: it is the one with the most uses, the one used last among equals.
    """
    if version.tier is not Tier.SANDBOX:
        return version.image
    table = schema.uses
    query = (
        select(table.c.image)
        .where(_counted(version), table.c.tier == Tier.SANDBOX.value)
        .group_by(table.c.image)
        .order_by(func.count().desc(), func.max(table.c.id).desc())
    )
    return connection.scalar(query.limit(1)) or ""


def outcomes(connection: Connection, version: ToolVersion, image: str, count: int) -> list[bool]:
    """Return whether the last uses of a record went well, at whatever tier, in order."""
    table = schema.uses
    in_record = _counted(version), table.c.image == image
    query = select(table.c.status).where(*in_record).order_by(table.c.id.desc()).limit(count)
    return [status == CallStatus.OK.value for status in connection.scalars(query)][::-1]


def tier_record(connection: Connection, version: ToolVersion, image: str) -> TierRecord:
    """Return what the present record in an image adds up to at the version's tier."""
    table = schema.uses
    at_tier = table.c.tier == version.tier.value, table.c.image == image
    counted = select(_count(_WELL), _count(~_WELL)).where(_counted(version), *at_tier)
    successes, failures = connection.execute(counted).one()
    undeclared = select(func.count()).where(
        table.c.version == version.digest,
        table.c.id > version.since_use,
        table.c.undeclared != "[]",
    )
    return TierRecord(successes, failures, connection.scalar(undeclared) or 0)


def _counted(version: ToolVersion) -> ColumnElement[bool]:
    table = schema.uses
    return and_(
        table.c.version == version.digest,
        table.c.id > version.since_use,
        table.c.counts.is_(True),
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
