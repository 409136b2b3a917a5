"""The hash chain of the audit trail: how a row is written, and how its hash is made."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select

from toolguild.registry import heads, schema
from toolguild.registry.canonical import canonical_json, decode_json, digest
from toolguild.registry.heads import GENESIS, Chain, Head
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "GENESIS",
    "AuditHead",
    "AuditRow",
    "append",
    "last_rows",
    "read_head",
    "read_rows",
    "rows_of",
]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change of state: who did what to what, and the links of the chain."""

    seq: int
    """From 1, without gaps."""
    at: str
    """ISO 8601, UTC, to the microsecond."""
    actor: str
    action: str
    subject: str
    """Digest of the version or draft that was changed, or `agent:` and the name of an agent."""
    body: str
    """Canonical JSON of an object with `before`, `after` and `why`."""
    prev_hash: str
    hash: str
    uses: str | None = None
    """Hash of the last use that was recorded before; None in rows written before uses had one."""

    @property
    def content(self) -> Json:
        """The decoded body; raises `NotJsonError` where someone damaged it."""
        return decode_json(self.body)

    def computed_hash(self) -> str:
        """Return the hash that the row must have.

        The fields go in as one canonical JSON array, because in a plain concatenation a
        character could move from one field to the next without changing the hash.

        Raises:
            NotJsonError: a field holds what no toolguild writes.
        """
        fields = [self.seq, self.at, self.actor, self.action, self.subject, self.body]
        later = [] if self.uses is None else [self.uses]
        return digest([self.prev_hash, *fields, *later])


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the chain; kept elsewhere, it shows later that no row was cut off."""

    seq: int
    """0 where nothing happened yet."""
    hash: str
    uses: Head
    """The last use."""


def append(
    connection: Connection, *, at: str, actor: str, action: str, subject: str, body: JsonObject
) -> None:
    """Write the next row, in the transaction that makes the change itself."""
    head = read_head(connection)
    row = AuditRow(
        seq=head.seq + 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        body=canonical_json(body),
        prev_hash=head.hash,
        hash="",
        uses=head.uses.hash,
    )
    last = Head(row.seq, row.computed_hash())
    values = {column.name: getattr(row, column.name) for column in schema.audit.columns}
    connection.execute(insert(schema.audit).values(values | {"hash": last.hash}))
    heads.advance(connection, Chain.AUDIT, last)


def read_head(connection: Connection) -> AuditHead:
    """Return where the trail and the uses end."""
    last = heads.read(connection, Chain.AUDIT)
    return AuditHead(last.seq, last.hash, heads.read(connection, Chain.USES))


def last_rows(connection: Connection, count: int) -> list[AuditRow]:
    """Return the last rows, oldest first."""
    newest_first = select(schema.audit).order_by(schema.audit.c.seq.desc()).limit(count)
    return [_row(row) for row in connection.execute(newest_first)][::-1]


def rows_of(connection: Connection, subjects: Sequence[str]) -> list[AuditRow]:
    """Return the rows that tell of these versions or drafts, the oldest first."""
    table = schema.audit
    query = select(table).where(table.c.subject.in_(subjects)).order_by(table.c.seq)
    return [_row(row) for row in connection.execute(query)]


def read_rows(connection: Connection) -> Generator[AuditRow, None, None]:
    """Yield every row in the order of its number, without holding them all."""
    ordered = select(schema.audit).order_by(schema.audit.c.seq)
    with connection.execute(ordered, execution_options={"yield_per": 1000}) as found:
        for row in found:
            yield _row(row)


def _row(row: Row[tuple[int | str, ...]]) -> AuditRow:
    return AuditRow(**row._mapping)
