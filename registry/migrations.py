"""Bringing a database that an older toolguild made to the present layout.

Each step leads from one layout to the next, and leaves a table as `schema` would have made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, update

from toolguild.registry import schema

__all__ = ["STEPS", "migrate"]

STEPS: Final[Mapping[int, Sequence[str]]] = {
    1: (
        "ALTER TABLE uses ADD COLUMN caller VARCHAR REFERENCES versions (digest)",
        "ALTER TABLE uses ADD COLUMN undeclared TEXT DEFAULT '[]' NOT NULL",
    ),
    2: (
        "CREATE TABLE reports (digest VARCHAR NOT NULL, text TEXT NOT NULL, PRIMARY KEY (digest))",
        *schema.guards_of("reports", key="digest"),
    ),
}
"""Statements by the number of the layout that they lead on from."""


def migrate(connection: Connection, layout: int) -> None:
    """Take every step from a layout to the present one; the transaction is the caller's."""
    for number in range(layout, schema.SCHEMA_VERSION):
        for statement in STEPS[number]:
            connection.exec_driver_sql(statement)
    connection.execute(update(schema.schema_version).values(version=schema.SCHEMA_VERSION))
