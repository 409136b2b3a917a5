"""What was proven of versions after they were registered: the newest is their evidence."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, insert, select

from toolguild.registry import rows, schema
from toolguild.registry.canonical import canonical_json, digest
from toolguild.registry.journal import Journal
from toolguild.registry.model import ToolVersion
from toolguild.sandbox import JsonObject

__all__ = ["add", "is_wanted", "row_digests"]

_PROVEN, _REOPENED = "validate", "reopen"


def add(
    connection: Connection, journal: Journal, version: ToolVersion, evidence: JsonObject, why: str
) -> ToolVersion:
    """Write down what a validation found of a version; the transaction is the caller's.

    Tier, state and record stay as they are.
    """
    table = schema.validations
    number = (connection.scalar(select(func.max(table.c.id))) or 0) + 1
    values = {
        "id": number,
        "version": version.digest,
        "at": rows.time_text(journal.clock()),
        "evidence": canonical_json(evidence),
    }
    connection.execute(insert(table).values(values))
    told: JsonObject = {"number": number, "row": row_digests(connection, number)[str(number)]}
    journal.tell(connection, _PROVEN, version.digest, None, {}, why, validation=told)
    return replace(version, evidence=evidence)


def is_wanted(connection: Connection, version: ToolVersion) -> bool:
    """Say whether nothing that was proven here speaks for a version any longer.

    So it is for what was imported, and for what was re-opened since it was last proven.
    """
    if not version.evidence:
        return True
    table = schema.audit
    last = (
        select(table.c.action)
        .where(table.c.subject == version.digest, table.c.action.in_((_PROVEN, _REOPENED)))
        .order_by(table.c.seq.desc())
        .limit(1)
    )
    return connection.scalar(last) == _REOPENED


def row_digests(connection: Connection, number: int | None = None) -> dict[str, str]:
    """Return digests over all columns of every validation, or of one, by their numbers."""
    query = select(schema.validations)
    if number is not None:
        query = query.where(schema.validations.c.id == number)
    return {str(row.id): digest(dict(row._mapping)) for row in connection.execute(query)}
