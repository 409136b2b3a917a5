"""The registry's tables, and the triggers that keep written rows as they are."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

__all__ = [
    "SCHEMA_VERSION",
    "audit",
    "guards_of",
    "metadata",
    "rejections",
    "reports",
    "schema_version",
    "tools",
    "uses",
    "versions",
]

SCHEMA_VERSION = 4
"""Number of this layout; a database with a higher one was made by a newer toolguild, one with a
lower one is brought to this one by `migrations`."""

metadata = MetaData()

# Times are ISO 8601 text in UTC with microseconds: they sort as text and take part in hashes, so
# that no database may round or reformat them. JSON is canonical text for the same reason.

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
    UniqueConstraint("name", "number"),
)

tools = Table(
    "tools",
    metadata,
    Column("name", String, primary_key=True),
    Column("active", ForeignKey("versions.digest"), nullable=False),
)

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
    Column("id", Integer, primary_key=True),
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
    Index("uses_by_version", "version", "id"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", String, nullable=False),
    Column("hash", String, nullable=False),
)

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)


def guards_of(table: str, *, key: str, columns: Sequence[str] = ()) -> list[str]:
    """Return triggers that refuse to delete rows, or to update them (in these columns)."""
    of = f"OF {', '.join(columns)}" if columns else ""
    same_key = f"SELECT 1 FROM {table} WHERE {key} = NEW.{key}"  # noqa: S608 - our own names
    guards = {
        "update": f"BEFORE UPDATE {of} ON {table}",
        "delete": f"BEFORE DELETE ON {table}",
        # INSERT OR REPLACE deletes the old row without firing a DELETE trigger.
        "replace": f"BEFORE INSERT ON {table} WHEN EXISTS ({same_key})",
    }
    return [
        f"CREATE TRIGGER {table}_no_{verb} {when} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are kept as written'); END"
        for verb, when in guards.items()
    ]


def _keep(table: Table, columns: Sequence[str] = ()) -> None:
    """Make SQLite refuse to delete rows of the table, or to update them (in these columns)."""
    key = table.primary_key.columns.keys()[0]
    for trigger in guards_of(table.name, key=key, columns=columns):
        event.listen(table, "after_create", DDL(trigger).execute_if(dialect="sqlite"))


_keep(audit)
_keep(rejections)
_keep(reports)
_keep(uses)
_keep(versions, ("digest", "name", "number", "spec", "provenance", "evidence", "registered_at"))
