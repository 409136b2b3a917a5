"""The step from layout 5 to layout 6: what agents are told, and how their runs went."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from toolguild.registry.guards import POSTGRESQL, guards_of

__all__ = ["add_changes", "add_scored_runs"]

_COLLATED: Final = ' COLLATE "C"'


def add_changes(connection: Connection) -> None:
    """Make the table of changes."""
    _add(connection, "changes", "")


def add_scored_runs(connection: Connection) -> None:
    """Make the table of scored runs."""
    _add(connection, "scored_runs", "run VARCHAR{collated} NOT NULL, ", ", UNIQUE (agent, run)")


def _add(connection: Connection, table: str, column: str, constraint: str = "") -> None:
    is_postgresql = connection.dialect.name == POSTGRESQL
    number, collated = ("BIGINT", _COLLATED) if is_postgresql else ("INTEGER", "")
    connection.exec_driver_sql(
        f"CREATE TABLE {table} (id {number} NOT NULL, at VARCHAR{collated} NOT NULL, "
        f"agent VARCHAR{collated} NOT NULL, {column.format(collated=collated)}"
        f"body TEXT{collated} NOT NULL, PRIMARY KEY (id){constraint})"
    )
    connection.exec_driver_sql(f"CREATE INDEX {table}_by_agent ON {table} (agent, id)")
    for guard in guards_of(table, keys=["id"]):
        if guard.dialect == connection.dialect.name:
            connection.exec_driver_sql(guard.sql)
