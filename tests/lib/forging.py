"""What somebody can do who holds the file of a registry, and knows all about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

__all__ = ["forged"]


@contextmanager
def forged(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a registry's file without its guards; afterwards these and the heads look right."""
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        last = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        end = last.fetchone() or (0, "sha256:" + "0" * 64)
        connection.execute("UPDATE heads SET seq = ?, hash = ? WHERE chain = 'audit'", end)
        for _, sql in triggers:
            connection.execute(sql)
