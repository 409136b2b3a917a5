"""SQLite: one file, which many processes on one machine share."""

from __future__ import annotations

import functools
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from toolguild.registry import schema
from toolguild.registry.backend import WRITES, Backend, one_line
from toolguild.registry.errors import RegistryError, RegistryFileError

__all__ = ["SQLiteBackend", "layout"]


class SQLiteBackend(Backend):
    """A file, created for its owner alone where there is none."""

    kind = "file"

    def __init__(self, path: Path) -> None:
        """Make sure that the file is there and can be written.

        Raises:
            RegistryFileError: it cannot be created, or is not writable.
        """
        _create_private(path)
        url = URL.create("sqlite", database=str(path))
        engine = create_engine(url, connect_args={"timeout": self.wait_s})
        event.listen(engine, "connect", self._configure)
        event.listen(engine, "begin", _begin)
        super().__init__(str(path), engine)

    def version(self, connection: Connection) -> str:
        """Return product and version; see `Backend`."""
        return f"SQLite {connection.exec_driver_sql('SELECT sqlite_version()').scalar()}"

    def require(self, connection: Connection) -> None:
        """Accept every file; see `Backend`."""

    def damage(self, connection: Connection) -> Iterator[str]:
        """Yield what SQLite finds, and where tables or guards are not ours; see `Backend`."""
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(1)"):
            if line != "ok":
                yield f"SQLite finds its file damaged: {line}"
        for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} names what is not in {parent}"
        found, ours = layout(connection), _own_layout()
        for name in sorted(found.keys() | ours.keys()):
            if found.get(name) != ours.get(name):
                yield f"{name} is not as toolguild makes it"

    def error_of(self, error: Exception, *, committing: bool) -> RegistryError:
        """Return what to tell of an error; see `Backend`."""
        cause = getattr(error, "orig", None) or error
        advice = {
            sqlite3.SQLITE_NOTADB: "not a SQLite database; name another file, or restore a backup",
            sqlite3.SQLITE_CORRUPT: "the database is damaged; restore it from a backup",
            sqlite3.SQLITE_READONLY: "the database is read-only; change the mode of file and "
            "folder",
            sqlite3.SQLITE_CANTOPEN: "cannot open the database; check that its folder is writable",
            sqlite3.SQLITE_PERM: "no permission; change the mode of the file and its folder",
            sqlite3.SQLITE_FULL: "the disk is full; make room and run again",
            sqlite3.SQLITE_IOERR: "the disk failed; check it, and that it is not a network folder",
            sqlite3.SQLITE_BUSY: f"another process has been writing for {self.wait_s:.0f} s; end "
            "it",
        }
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if isinstance(cause, UnicodeDecodeError):
            code = sqlite3.SQLITE_CORRUPT
        told = advice.get(code, "the database refused")
        return RegistryFileError(f"{self.name}: {told} ({one_line(cause)})")

    def _reading(self, engine: Engine) -> Engine:
        return engine

    def _writing(self, engine: Engine) -> Engine:
        return engine.execution_options(**{WRITES: True})

    def _configure(self, connection: sqlite3.Connection, _record: object) -> None:
        """Set up a new connection of the pool."""
        try:
            # Left to itself, sqlite3 begins transactions late and never as IMMEDIATE: see `_begin`.
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            self._use_write_ahead_log(connection)
            # The log is not forced to the disk with every change: a process that is killed loses
            # nothing, a machine that loses power at most the last changes, and each of them whole.
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Let readers go on while one process writes; the mode stays with the file."""
        deadline = time.monotonic() + self.wait_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                # SQLite does not wait for locks here, and another process may be opening the same
                # new file.
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def layout(connection: Connection) -> Mapping[str, object]:
    """Return what makes the tables what they are, but for how their statements are spelled."""
    objects = _rows(connection, "SELECT type, name, tbl_name, sql FROM sqlite_master", ())
    return {
        f"{kind} {name}": _of_table(connection, name, sql) if kind == "table" else (table, sql)
        for kind, name, table, sql in objects
        # Not what SQLite counts for itself.
        if not (kind == "table" and str(name).startswith("sqlite_"))
    }


def _of_table(connection: Connection, name: str, sql: str) -> object:
    columns = _rows(connection, "SELECT * FROM pragma_table_xinfo(?)", (name,))
    indices = _rows(connection, "SELECT * FROM pragma_index_list(?)", (name,), 1)
    keys = _rows(connection, "SELECT * FROM pragma_foreign_key_list(?)", (name,), 3)
    # Without the numbers of indices and keys: the order in which they were made.
    indexed = [
        (index[1:], _rows(connection, "SELECT * FROM pragma_index_xinfo(?)", (index[1],)))
        for index in indices
    ]
    # Of a virtual table nothing but its statement says what it is made of, and nothing alters it.
    made_of = sql if str(sql).startswith("CREATE VIRTUAL") else ""
    return columns, indexed, [key[2:] for key in keys], made_of


@functools.cache
def _own_layout() -> Mapping[str, object]:
    """Return the layout that a new registry gets."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            schema.metadata.create_all(connection)
            return layout(connection)
    finally:
        engine.dispose()


def _rows(
    connection: Connection, sql: str, parameters: tuple[Any, ...], by: int = 0
) -> list[tuple[Any, ...]]:
    """Return rows in the order of one of their columns."""
    found = connection.exec_driver_sql(sql, parameters).all()
    return sorted(map(tuple, found), key=lambda row: repr(row[by]))


def _create_private(path: Path) -> None:
    """Create the file, for its owner alone, unless it exists; make sure that it can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        msg = (
            f"{path}: cannot open or create the registry ({error.strerror}: {error.filename}); "
            "change the mode of file and folder, or name another file"
        )
        raise RegistryFileError(msg) from error


def _begin(connection: Connection) -> None:
    # A transaction that starts by reading and then writes fails at once where another process
    # wrote in between; IMMEDIATE takes the lock at the start and waits for it.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
