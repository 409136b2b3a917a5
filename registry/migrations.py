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
        *schema.guards_of("reports", keys=["digest"]),
    ),
    3: (
        "ALTER TABLE versions ADD COLUMN since_use INTEGER DEFAULT '0' NOT NULL",
        "ALTER TABLE versions ADD COLUMN image VARCHAR DEFAULT '' NOT NULL",
        "CREATE TABLE parts (version VARCHAR NOT NULL, name VARCHAR NOT NULL, "
        "PRIMARY KEY (version, name), FOREIGN KEY(version) REFERENCES versions (digest))",
        "CREATE INDEX parts_by_name ON parts (name)",
        "INSERT INTO parts SELECT versions.digest, called.value "
        "FROM versions, json_each(versions.spec, '$.calls') AS called",
        *schema.guards_of("parts", keys=["version", "name"]),
        # None of the uses from before counts: nobody knows at which tier they were.
        "ALTER TABLE uses ADD COLUMN tier VARCHAR",
        "ALTER TABLE uses ADD COLUMN image VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE uses ADD COLUMN model VARCHAR",
        "ALTER TABLE uses ADD COLUMN live BOOLEAN DEFAULT 1 NOT NULL",
        "ALTER TABLE uses ADD COLUMN counts BOOLEAN DEFAULT 0 NOT NULL",
        "CREATE INDEX uses_by_input ON uses (version, input_digest)",
        "CREATE TABLE approvals (id INTEGER NOT NULL, version VARCHAR NOT NULL, "
        "target VARCHAR NOT NULL, since_use INTEGER NOT NULL, asked_by VARCHAR NOT NULL, "
        "asked_at VARCHAR NOT NULL, why TEXT NOT NULL, evidence TEXT NOT NULL, "
        "answer VARCHAR NOT NULL, answered_by VARCHAR, answered_at VARCHAR, "
        "reason TEXT NOT NULL, expires_at VARCHAR NOT NULL, PRIMARY KEY (id), "
        "FOREIGN KEY(version) REFERENCES versions (digest))",
        "CREATE INDEX approvals_by_version ON approvals (version)",
        "CREATE INDEX audit_by_action ON audit (action, at)",
        "CREATE INDEX audit_by_subject ON audit (subject, action)",
    ),
}
"""Statements by the number of the layout that they lead on from."""


def migrate(connection: Connection, layout: int) -> None:
    """Take every step from a layout to the present one; the transaction is the caller's."""
    for number in range(layout, schema.SCHEMA_VERSION):
        for statement in STEPS[number]:
            connection.exec_driver_sql(statement)
    connection.execute(update(schema.schema_version).values(version=schema.SCHEMA_VERSION))
