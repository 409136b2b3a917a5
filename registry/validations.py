"""What was proven of versions after they were registered: the newest is their evidence."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, insert, select

from toolguild.registry import rows, schema
from toolguild.registry.canonical import canonical_json, decode_json, digest
from toolguild.registry.journal import Journal
from toolguild.registry.model import ToolVersion
from toolguild.sandbox import JsonObject

__all__ = ["add", "changed_parts", "is_wanted", "part_changed", "row_digests"]

_PROVEN, _REOPENED, _PART_CHANGED = "validate", "reopen", "part_changed"


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

    So it is for what was imported, and for what was re-opened, or calls another version of a tool,
    since it was last proven.
    """
    if not version.evidence:
        return True
    return bool(_since_proven(connection, version, (_REOPENED, _PART_CHANGED)))


def part_changed(
    connection: Connection, journal: Journal, version: ToolVersion, part: ToolVersion, why: str
) -> None:
    """Tell that a version calls another version of a tool than what it was proven with."""
    told: JsonObject = {"name": part.spec.name, "version": part.digest}
    journal.tell(connection, _PART_CHANGED, version.digest, None, {}, why, part=told)


def changed_parts(connection: Connection, version: ToolVersion) -> list[str]:
    """Return the names of the tools that a version calls and was not proven with as they are."""
    bodies = map(decode_json, _since_proven(connection, version, (_PART_CHANGED,)))
    names = {
        str(part.get("name"))
        for body in bodies
        if isinstance(body, dict) and isinstance(part := body.get("part"), dict)
    }
    return sorted(names)


def _since_proven(
    connection: Connection, version: ToolVersion, actions: tuple[str, ...]
) -> list[str]:
    """Return what the trail tells of a version under these actions, since it was last proven."""
    table = schema.audit
    query = (
        select(table.c.action, table.c.body)
        .where(table.c.subject == version.digest, table.c.action.in_((_PROVEN, *actions)))
        .order_by(table.c.seq)
    )
    found: list[str] = []
    for action, body in connection.execute(query):
        found = [] if action == _PROVEN else [*found, body]
    return found


def row_digests(connection: Connection, number: int | None = None) -> dict[str, str]:
    """Return digests over all columns of every validation, or of one, by their numbers."""
    query = select(schema.validations)
    if number is not None:
        query = query.where(schema.validations.c.id == number)
    return {str(row.id): digest(dict(row._mapping)) for row in connection.execute(query)}
