"""The step from layout 4 to layout 5: a function for each table that it brings."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from toolguild.registry.guards import POSTGRESQL, guards_of

__all__ = ["add_aliases", "add_validations"]

_COLLATED: Final = ' COLLATE "C"'


def add_validations(connection: Connection) -> None:
    """Make the table of evidence that comes after registration."""
    number, collated = _types(connection)
    connection.exec_driver_sql(
        f"CREATE TABLE validations (id {number} NOT NULL, version VARCHAR{collated} NOT NULL, "
        f"at VARCHAR{collated} NOT NULL, evidence TEXT{collated} NOT NULL, "
        "PRIMARY KEY (id), FOREIGN KEY(version) REFERENCES versions (digest))"
    )
    connection.exec_driver_sql("CREATE INDEX validations_by_version ON validations (version, id)")
    for guard in guards_of("validations", keys=["id"]):
        if guard.dialect == connection.dialect.name:
            connection.exec_driver_sql(guard.sql)


def add_aliases(connection: Connection) -> None:
    """Make the table of what people call versions."""
    _, collated = _types(connection)
    connection.exec_driver_sql(
        f"CREATE TABLE aliases (name VARCHAR{collated} NOT NULL, "
        f"alias VARCHAR{collated} NOT NULL, version VARCHAR{collated} NOT NULL, "
        "PRIMARY KEY (name, alias), FOREIGN KEY(version) REFERENCES versions (digest))"
    )


def _types(connection: Connection) -> tuple[str, str]:
    """Return the type of a number, and what makes texts sort by code point."""
    is_postgresql = connection.dialect.name == POSTGRESQL
    return ("BIGINT", _COLLATED) if is_postgresql else ("INTEGER", "")
