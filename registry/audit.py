"""Reading the audit trail, and proving that it and the registry still say the same.

The chain shows a row that was changed, removed or moved. What it alone cannot show, rows cut off
at its end, and changes to the tables that no row tells of, shows when the trail is replayed and
compared with the tables. Someone who rewrites the tables and the whole chain is caught only by
a `head` that was kept elsewhere. Uses are no changes of state, and are not covered; nor are the
vectors that tools are found by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from toolguild.registry import schema
from toolguild.registry.canonical import decode_json, text_digest
from toolguild.registry.chain import (
    GENESIS,
    AuditHead,
    AuditRow,
    last_rows,
    read_head,
    read_rows,
)
from toolguild.registry.errors import NotJsonError
from toolguild.registry.model import State
from toolguild.registry.retrieval import documents
from toolguild.registry.rows import draft_of
from toolguild.registry.store import Registry
from toolguild.sandbox import JsonObject

__all__ = ["AuditHead", "AuditReport", "AuditRow", "head", "tail", "verify"]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What `verify` found."""

    rows: int
    """Rows that hold, counted from the first."""
    head: str
    """Hash of the last row that holds."""
    seq: int | None = None
    """Number of the first row that does not hold; None where the tables are at fault."""
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problem


def tail(registry: Registry, count: int = 10) -> list[AuditRow]:
    """Return the last rows of the trail, oldest first."""
    with registry.database.read() as connection:
        return last_rows(connection, count)


def head(registry: Registry) -> AuditHead:
    """Return the end of the chain, to be kept outside the database."""
    with registry.database.read() as connection:
        return read_head(connection)


def verify(registry: Registry) -> AuditReport:
    """Walk the chain, replay it, and compare the result with the tables."""
    replay = _Replay()
    last = AuditHead(0, GENESIS)
    with registry.database.read() as connection:
        for row in read_rows(connection):
            problem = _broken_link(row, last) or replay.apply(row)
            if problem:
                return AuditReport(last.seq, last.hash, last.seq + 1, problem)
            last = AuditHead(row.seq, row.hash)
        problem = next(replay.differences(connection), "")
    return AuditReport(last.seq, last.hash, None, problem)


def _broken_link(row: AuditRow, last: AuditHead) -> str:
    if row.seq != last.seq + 1:
        return f"row {last.seq + 1} is missing"
    if row.prev_hash != last.hash:
        return f"row {row.seq} does not follow the row before it"
    if row.hash != row.computed_hash():
        return f"row {row.seq} was changed after it was written"
    return ""


class _Replay:
    """What the tables must hold after the changes in the trail."""

    def __init__(self) -> None:
        self._subjects: dict[str, JsonObject] = {}
        self._active: dict[str, str] = {}

    def apply(self, row: AuditRow) -> str:
        """Make one change; return why it cannot be made, or an empty text."""
        try:
            body = row.content
        except NotJsonError as error:
            return f"row {row.seq} has no readable body: {error}"
        after = body.get("after") if isinstance(body, dict) else None
        if not isinstance(after, dict):
            return f"row {row.seq} does not say what it changed"
        known = self._subjects.setdefault(row.subject, {})
        if row.action == "register":
            known.clear()  # a draft that was rejected before starts anew
        known.update({field: value for field, value in after.items() if field != "active"})
        if "active" in after:
            self._active[str(known.get("name"))] = str(after["active"])
        return ""

    def differences(self, connection: Connection) -> Iterator[str]:
        """Yield what the tables hold that the trail does not tell, and the other way round."""
        yield from _foreign_contents(connection)
        yield from _missing_reports(connection)
        found = _subjects(connection)
        for subject in sorted(found.keys() | self._subjects.keys()):
            if found.get(subject) != self._subjects.get(subject):
                yield f"{subject} is not in the tables as the trail says"
        active = {row.name: row.active for row in connection.execute(select(schema.tools))}
        for name in sorted(active.keys() | self._active.keys()):
            if active.get(name) != self._active.get(name):
                yield f"the name {name} does not point at the version that the trail says"
        yield from documents.differences(connection)


def _foreign_contents(connection: Connection) -> Iterator[str]:
    for table in (schema.versions, schema.rejections):
        for row in connection.execute(select(table.c.digest, table.c.spec)):
            if text_digest(row.spec) != row.digest:
                yield f"the specification of {row.digest} was changed after it was written"
    for row in connection.execute(select(schema.reports)):
        if text_digest(row.text) != row.digest:
            yield f"the report {row.digest} was changed after it was written"


def _missing_reports(connection: Connection) -> Iterator[str]:
    kept = set(connection.scalars(select(schema.reports.c.digest)))
    for table in (schema.versions, schema.rejections):
        for row in connection.execute(select(table.c.digest, table.c.evidence)):
            evidence = decode_json(row.evidence)
            named = evidence.get("report") if isinstance(evidence, dict) else None
            if named is not None and named not in kept:
                yield f"the report {named} of {row.digest} is missing"


def _subjects(connection: Connection) -> dict[str, JsonObject]:
    """Return the state of every version and draft, in the words of the trail."""
    drafts = {
        row.digest: {
            "name": draft_of(row).spec.name,
            "state": State.REJECTED.value,
            "reasons": decode_json(row.reasons),
            "evidence": text_digest(row.evidence),
        }
        for row in connection.execute(select(schema.rejections))
    }
    versions = {
        row.digest: {
            "name": row.name,
            "number": row.number,
            "tier": row.tier,
            "state": row.state,
            "provenance": text_digest(row.provenance),
            "evidence": text_digest(row.evidence),
        }
        for row in connection.execute(select(schema.versions))
    }
    return drafts | versions
