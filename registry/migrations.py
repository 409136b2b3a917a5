"""Making the registry's tables, and bringing those of an older toolguild to the present layout.

Each step leads from one layout to the next, and leaves a table as `schema` would have made it.
PostgreSQL came with layout 4: the steps before it are SQLite's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy import Connection, insert, text, update

from toolguild.registry import heads, layout_5, layout_6, schema
from toolguild.registry.guards import POSTGRESQL, ForDialect
from toolguild.registry.heads import GENESIS, Chain, Head
from toolguild.registry.retrieval import documents, vectors
from toolguild.registry.use_chain import use_hash

__all__ = ["STEPS", "Action", "create", "migrate"]

Action: TypeAlias = str | ForDialect | Callable[[Connection], object]
"""A statement for every database or for one kind, or what no statement can do."""


def create(connection: Connection) -> None:
    """Make the tables in an empty database; the transaction is the caller's."""
    schema.metadata.create_all(connection)
    connection.execute(insert(schema.schema_version).values(version=schema.SCHEMA_VERSION))
    for chain in Chain:
        heads.start(connection, chain)


def migrate(connection: Connection, layout: int) -> None:
    """Take every step from a layout to the present one; the transaction is the caller's."""
    for number in range(layout, schema.SCHEMA_VERSION):
        for action in STEPS[number]:
            _take(connection, action)
    connection.execute(update(schema.schema_version).values(version=schema.SCHEMA_VERSION))


def _take(connection: Connection, action: Action) -> None:
    if callable(action):
        action(connection)
    elif isinstance(action, str):
        connection.exec_driver_sql(action)
    elif action.dialect == connection.dialect.name:
        connection.exec_driver_sql(action.sql)


def _start_chains(connection: Connection) -> None:
    """Give the uses that there are their hashes, and note the heads of both chains.

    In SQL of its own: `schema` may have columns by now that this layout has not.
    """
    last = Head(0, GENESIS)
    change = text("UPDATE uses SET hash = :hash WHERE id = :id")
    for use in connection.execute(text("SELECT * FROM uses ORDER BY id")).all():
        last = Head(use.id, use_hash(last.hash, use._asdict()))
        connection.execute(change, {"id": last.seq, "hash": last.hash})
    heads.start(connection, Chain.USES, last)
    row = connection.execute(text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")).first()
    heads.start(connection, Chain.AUDIT, Head(row.seq, row.hash) if row else None)


STEPS: Final[Mapping[int, Sequence[Action]]] = {
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
        "ALTER TABLE uses ADD COLUMN hash VARCHAR",
        "ALTER TABLE audit ADD COLUMN uses VARCHAR",
        "CREATE TABLE heads (chain VARCHAR NOT NULL, seq INTEGER NOT NULL, "
        "hash VARCHAR NOT NULL, PRIMARY KEY (chain))",
        "DROP TRIGGER uses_no_update",
        _start_chains,
        schema.guards_of("uses", keys=["id"])[0],
        # What is searched is derived from other tables, and may be made anew in any step.
        documents.rebuild,
    ),
    4: (
        layout_5.add_validations,
        layout_5.add_aliases,
        # The trail tells nothing of the vectors that there are.
        vectors.make_anew,
        ForDialect(POSTGRESQL, "ALTER INDEX search_documents_names SET (fastupdate = off)"),
        ForDialect(POSTGRESQL, "ALTER INDEX search_documents_texts SET (fastupdate = off)"),
    ),
    5: (layout_6.add_changes, layout_6.add_scored_runs),
}
"""What to do, by the number of the layout that it leads on from."""
