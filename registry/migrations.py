"""Bringing a database that an older toolguild made to the present layout.

Each step leads from one layout to the next, and leaves a table as `schema` would have made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy import Connection, update

from toolguild.registry import schema
from toolguild.registry.retrieval import documents, vectors

__all__ = ["STEPS", "migrate"]

Change: TypeAlias = str | Callable[[Connection], object]
"""A statement, or what a statement cannot do."""

STEPS: Final[Mapping[int, Sequence[Change]]] = {
    1: (
        "ALTER TABLE uses ADD COLUMN caller VARCHAR REFERENCES versions (digest)",
        "ALTER TABLE uses ADD COLUMN undeclared TEXT DEFAULT '[]' NOT NULL",
    ),
    2: (
        "CREATE TABLE reports (digest VARCHAR NOT NULL, text TEXT NOT NULL, PRIMARY KEY (digest))",
        *schema.guards_of("reports", key="digest"),
    ),
    # What is searched is derived from other tables, and may be made anew in any step.
    3: (vectors.vectors.create, documents.rebuild),
}
"""Changes by the number of the layout that they lead on from."""


def migrate(connection: Connection, layout: int) -> None:
    """Take every step from a layout to the present one; the transaction is the caller's."""
    for number in range(layout, schema.SCHEMA_VERSION):
        for change in STEPS[number]:
            if isinstance(change, str):
                connection.exec_driver_sql(change)
            else:
                change(connection)
    connection.execute(update(schema.schema_version).values(version=schema.SCHEMA_VERSION))
