"""Triggers by which a database itself refuses to change or remove rows that are kept as written.

Someone who owns the database can drop them. That, and what was done then, is for `audit.verify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "POSTGRESQL",
    "REFUSE",
    "REFUSE_NAME",
    "SQLITE",
    "ForDialect",
    "guards_of",
]

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"


@dataclass(frozen=True, slots=True)
class ForDialect:
    """A statement for one kind of database only."""

    dialect: str
    """SQLAlchemy's name of it."""
    sql: str
    name: str = ""
    """What it makes."""


REFUSE_NAME: Final = "toolguild_refuse"
_REFUSE_BODY: Final = (
    "BEGIN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
    "MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are kept as written'; END"
)
REFUSE: Final = ForDialect(
    POSTGRESQL,
    f"CREATE OR REPLACE FUNCTION {REFUSE_NAME}() RETURNS trigger LANGUAGE plpgsql "
    f"AS $${_REFUSE_BODY}$$",
)
"""What PostgreSQL's triggers call; there before the first of them."""


def guards_of(table: str, *, keys: Sequence[str], columns: Sequence[str] = ()) -> list[ForDialect]:
    """Return triggers that refuse to delete rows, or to update them (in these columns).

    Args:
        table: Name of the table.
        keys: The columns of its primary key.
        columns: What may not be updated; all columns unless given.
    """
    of = f"OF {', '.join(columns)}" if columns else ""
    return [*_for_sqlite(table, keys, of), *_for_postgresql(table, of)]


def _for_sqlite(table: str, keys: Sequence[str], of: str) -> list[ForDialect]:
    same = " AND ".join(f"{key} = NEW.{key}" for key in keys)
    same_key = f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608 - our own names
    guards = {
        "update": f"BEFORE UPDATE {of} ON {table}",
        "delete": f"BEFORE DELETE ON {table}",
        # INSERT OR REPLACE deletes the old row without firing a DELETE trigger.
        "replace": f"BEFORE INSERT ON {table} WHEN EXISTS ({same_key})",
    }
    return [
        ForDialect(
            SQLITE,
            f"CREATE TRIGGER {table}_no_{verb} {when} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are kept as written'); END",
            f"{table}_no_{verb}",
        )
        for verb, when in guards.items()
    ]


def _for_postgresql(table: str, of: str) -> list[ForDialect]:
    # INSERT ... ON CONFLICT DO UPDATE is an update here.
    guards = {
        "update": f"BEFORE UPDATE {of} ON {table} FOR EACH ROW",
        "delete": f"BEFORE DELETE ON {table} FOR EACH ROW",
        "truncate": f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
    }
    return [
        ForDialect(
            POSTGRESQL,
            f"CREATE TRIGGER {table}_no_{verb} {when} EXECUTE FUNCTION {REFUSE_NAME}()",
            f"{table}_no_{verb}",
        )
        for verb, when in guards.items()
    ]
