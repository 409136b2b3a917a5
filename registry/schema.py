"""The registry's tables, and the triggers that keep written rows as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    event,
    false,
    true,
)
from sqlalchemy import String as AnyString
from sqlalchemy import Text as AnyText

from toolguild.registry.guards import REFUSE, ForDialect, guards_of

__all__ = [
    "KEPT",
    "SCHEMA_VERSION",
    "aliases",
    "approvals",
    "audit",
    "changes",
    "guards_of",
    "guards_on",
    "heads",
    "metadata",
    "parts",
    "rejections",
    "reports",
    "schema_version",
    "scored_runs",
    "tools",
    "uses",
    "validations",
    "versions",
]

SCHEMA_VERSION = 6
"""Number of this layout; a database with a higher one was made by a newer toolguild, one with a
lower one is brought to this one by `migrations`."""

metadata = MetaData()

# Times are ISO 8601 text in UTC with microseconds: they sort as text and take part in hashes, so
# that no database may round or reformat them. JSON is canonical text for the same reason.

# PostgreSQL sorts as SQLite does, by code point, whatever language its database was made for.
String = AnyString().with_variant(AnyString(collation="C"), "postgresql")
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")
# SQLite's INTEGER has 64 bits, and is the only type that makes a key the number of the row.
Count = Integer().with_variant(BigInteger(), "postgresql")

versions = Table(
    "versions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("provenance", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("registered_at", String, nullable=False),
    Column("tier", String, nullable=False),
    Column("state", String, nullable=False),
    Column("since_use", Integer, nullable=False, server_default="0"),
    Column("image", String, nullable=False, server_default=""),
    UniqueConstraint("name", "number"),
)

validations = Table(
    "validations",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=False),
    Column("version", ForeignKey("versions.digest"), nullable=False),
    Column("at", String, nullable=False),
    Column("evidence", Text, nullable=False),
    Index("validations_by_version", "version", "id"),
)
"""Evidence that versions got after they were registered; the newest is what speaks for them."""

parts = Table(
    "parts",
    metadata,
    Column("version", ForeignKey("versions.digest"), primary_key=True),
    Column("name", String, primary_key=True),
    Index("parts_by_name", "name"),
)
"""The tools that versions call, by name: what their specifications say, to be looked up by it."""

tools = Table(
    "tools",
    metadata,
    Column("name", String, primary_key=True),
    Column("active", ForeignKey("versions.digest"), nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String, primary_key=True),
    Column("alias", String, primary_key=True),
    Column("version", ForeignKey("versions.digest"), nullable=False),
)
"""What people call versions, beside the version that a name points at."""

rejections = Table(
    "rejections",
    metadata,
    Column("digest", String, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("rejected_at", String, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("digest", String, primary_key=True),
    Column("text", Text, nullable=False),
)
"""What evidence rests on, by the digest that the evidence names: too long to be read each time."""

uses = Table(
    "uses",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=False),
    Column("version", ForeignKey("versions.digest"), nullable=False),
    Column("input_digest", String, nullable=False),
    Column("status", String, nullable=False),
    Column("ran", Boolean, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("at", String, nullable=False),
    Column("task", String),
    Column("trace", String),
    Column("error", Text, nullable=False),
    Column("effects", Text, nullable=False),
    Column("caller", ForeignKey("versions.digest")),
    Column("undeclared", Text, nullable=False, server_default="[]"),
    Column("tier", String),
    Column("image", String, nullable=False, server_default=""),
    Column("model", String),
    Column("live", Boolean, nullable=False, server_default=true()),
    Column("counts", Boolean, nullable=False, server_default=false()),
    Column("hash", String),
    Index("uses_by_version", "version", "id"),
    Index("uses_by_input", "version", "input_digest"),
)
"""Written by `use_chain`, whose hash covers all columns: one that is added later has to be null, or
what its `server_default` says, in the rows that there are."""

approvals = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", ForeignKey("versions.digest"), nullable=False),
    Column("target", String, nullable=False),
    Column("since_use", Integer, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("answer", String, nullable=False),
    Column("answered_by", String),
    Column("answered_at", String),
    Column("reason", Text, nullable=False),
    Column("expires_at", String, nullable=False),
    Index("approvals_by_version", "version"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Count, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("uses", String),
    Index("audit_by_action", "action", "at"),
    Index("audit_by_subject", "subject", "action"),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("body", Text, nullable=False),
    Index("changes_by_agent", "agent", "id"),
)
"""Changes of what agents are told, and of the tools that came with them."""

scored_runs = Table(
    "scored_runs",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("run", String, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("agent", "run"),
    Index("scored_runs_by_agent", "agent", "id"),
)

heads = Table(
    "heads",
    metadata,
    Column("chain", String, primary_key=True),
    Column("seq", Count, nullable=False),
    Column("hash", String, nullable=False),
)
"""How far `audit` and `uses` have come, so that rows cut off at their ends are missed."""

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

KEPT: Final[dict[str, Sequence[str]]] = {}
"""Names of the tables whose rows stay as they are written; where only some columns do, which."""


def guards_on(table: str) -> list[ForDialect]:
    """Return the triggers of a table whose rows are kept."""
    keys = metadata.tables[table].primary_key.columns.keys()
    return guards_of(table, keys=keys, columns=KEPT[table])


def _run(statement: ForDialect, target: MetaData | Table, moment: str) -> None:
    """Let a statement be part of making the tables."""
    ddl = DDL(statement.sql).execute_if(dialect=statement.dialect)
    event.listen(target, moment, ddl)


def _keep(table: Table, columns: Sequence[str] = ()) -> None:
    """Make the database refuse to delete rows, or to update them (in these columns)."""
    KEPT[table.name] = columns
    for guard in guards_on(table.name):
        _run(guard, table, "after_create")


_run(REFUSE, metadata, "before_create")
_keep(audit)
_keep(changes)
_keep(parts)
_keep(rejections)
_keep(reports)
_keep(scored_runs)
_keep(uses)
_keep(validations)
_keep(versions, ("digest", "name", "number", "spec", "provenance", "evidence", "registered_at"))
