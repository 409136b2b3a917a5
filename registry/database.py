"""Opening the registry's SQLite database, and transactions on it that fail with clear errors."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from toolguild.registry import schema
from toolguild.registry.errors import RegistryError, RegistryFileError
from toolguild.registry.migrations import migrate

__all__ = ["Database"]

_BUSY_S = 30.0
"""How long a process waits for another one that is writing."""

_WRITES = "toolguild_writes"


class Database:
    """One SQLite file that holds the registry's tables; safe between threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, and create it with its folder and tables where it does not exist.

        Raises:
            RegistryFileError: the file cannot be created, is not writable, or is no SQLite file.
            RegistryError: the file belongs to another program or to a newer toolguild.
        """
        self.path = path
        _create_private(path)
        url = URL.create("sqlite", database=str(path))
        self._engine = create_engine(url, connect_args={"timeout": _BUSY_S})
        self._writer = self._engine.execution_options(**{_WRITES: True})
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, where: str | Path) -> Database:
        """Open the database at a path or at an SQLAlchemy URL such as `sqlite:///tools.db`.

        Raises:
            RegistryError: the URL is not one of a SQLite file, or see `Database`.
        """
        return cls(_path_of(where))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database, whatever others write."""
        with self._transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that no other process writes beside; all is written, or nothing.

        Whatever leaves the block as an exception, Ctrl-C included, undoes the whole block.
        """
        with self._transaction(self._writer) as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            cause = getattr(error, "orig", None) or error
            raise RegistryFileError(_explain(self.path, cause)) from cause

    def _prepare(self) -> None:
        with self.read() as connection:
            found = _tables(connection)
        if not found:
            with self.write() as connection:
                # Another process may have been quicker between the look and the lock.
                if not _tables(connection):
                    schema.metadata.create_all(connection)
                    row = {"version": schema.SCHEMA_VERSION}
                    connection.execute(insert(schema.schema_version).values(row))
        with self.read() as connection:
            layout = self._layout(connection)
        if layout < schema.SCHEMA_VERSION:
            with self.write() as connection:
                # Here too another process may have been quicker.
                migrate(connection, self._layout(connection))

    def _layout(self, connection: Connection) -> int:
        """Return the number of the database's layout, which is one that this toolguild knows."""
        if schema.schema_version.name not in _tables(connection):
            msg = f"{self.path}: a database of another program; name another file for the registry"
            raise RegistryError(msg)
        version = connection.scalar(select(schema.schema_version.c.version))
        if version is None or version < 1:
            msg = f"{self.path}: the registry names no layout version; restore it from a backup"
            raise RegistryError(msg)
        if version > schema.SCHEMA_VERSION:
            msg = (
                f"{self.path}: made by a newer toolguild (layout {version}, this one knows "
                f"{schema.SCHEMA_VERSION}); upgrade toolguild, or name another file"
            )
            raise RegistryError(msg)
        return int(version)


def _path_of(where: str | Path) -> Path:
    if isinstance(where, Path) or "://" not in where:
        if str(where) in ("", ":memory:"):
            msg = "a registry needs a file; give the path of one"
            raise RegistryError(msg)
        return Path(where).expanduser()
    try:
        url = make_url(where)
    except ArgumentError as error:
        msg = "not a database URL; write a path, or sqlite:///path/to/tools.db"
        raise RegistryError(msg) from error
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() != "sqlite":
        msg = f"{shown}: only SQLite is supported; write sqlite:///path/to/tools.db"
        raise RegistryError(msg)
    if url.query or url.database in (None, "", ":memory:"):
        msg = f"{shown}: a registry needs a plain file; write sqlite:///path/to/tools.db"
        raise RegistryError(msg)
    return Path(str(url.database))


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


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a new connection of the pool."""
    try:
        # Left to itself, sqlite3 begins transactions late and never as IMMEDIATE: see `_begin`.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        _use_write_ahead_log(connection)
    except BaseException:
        connection.close()
        raise


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers go on while one process writes; the mode stays with the file."""
    deadline = time.monotonic() + _BUSY_S
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


def _begin(connection: Connection) -> None:
    # A transaction that starts by reading and then writes fails at once where another process
    # wrote in between; IMMEDIATE takes the lock at the start and waits for it.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


def _explain(path: Path, cause: BaseException) -> str:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    advice = {
        sqlite3.SQLITE_NOTADB: "not a SQLite database; name another file, or restore a backup",
        sqlite3.SQLITE_CORRUPT: "the database is damaged; restore it from a backup",
        sqlite3.SQLITE_READONLY: "the database is read-only; change the mode of file and folder",
        sqlite3.SQLITE_CANTOPEN: "cannot open the database; check that its folder is writable",
        sqlite3.SQLITE_PERM: "no permission; change the mode of the file and its folder",
        sqlite3.SQLITE_FULL: "the disk is full; make room and run again",
        sqlite3.SQLITE_IOERR: "the disk failed; check it, and that it is not a network folder",
        sqlite3.SQLITE_BUSY: f"another process has been writing for {_BUSY_S:.0f} s; end it",
    }
    return f"{path}: {advice.get(code, 'the database refused')} ({cause})"
