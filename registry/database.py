"""Opening the registry's database, and transactions on it that fail with clear errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from toolguild.registry import schema
from toolguild.registry.backend import Backend
from toolguild.registry.errors import RegistryError
from toolguild.registry.location import parse_location
from toolguild.registry.migrations import create, migrate
from toolguild.registry.postgresql import PostgreSQLBackend
from toolguild.registry.sqlite import SQLiteBackend

__all__ = ["Database"]


class Database:
    """The registry's tables in one database; safe between threads, processes and machines."""

    def __init__(self, backend: Backend) -> None:
        """Open the database, and make the tables where there are none.

        Raises:
            RegistryFileError: it cannot be opened, read or written.
            RegistryError: it belongs to another program or to a newer toolguild.
        """
        self._backend = backend
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, where: str | Path) -> Database:
        """Open the database at a path or a URL: `sqlite:///tools.db`, `postgresql://host/tools`.

        A file is created with its folders where it does not exist; a server's database is not.

        Raises:
            RegistryError: a registry cannot be there, or see `Database`.
        """
        return cls(_backend_at(where))

    @classmethod
    def exists(cls, where: str | Path) -> bool:
        """Say whether there is anything at a path or a URL, and make nothing.

        Raises:
            RegistryError: a registry cannot be there, or the server cannot be asked.
        """
        location = parse_location(where)
        if isinstance(location, Path):
            return location.exists()
        backend = PostgreSQLBackend(location)
        try:
            with _transaction(backend, backend.readers) as connection:
                return bool(_tables(connection))
        finally:
            backend.close()

    @property
    def name(self) -> str:
        """What messages call the database: its path, or its URL without the password."""
        return self._backend.name

    @property
    def version(self) -> str:
        """Product and version, such as `PostgreSQL 15.14`."""
        with self.read() as connection:
            return self._backend.version(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database, whatever others write."""
        with _transaction(self._backend, self._backend.readers) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that no other process writes beside; all is written, or nothing.

        Whatever leaves the block as an exception, Ctrl-C included, undoes the whole block.
        """
        with _transaction(self._backend, self._backend.writers) as connection:
            yield connection

    def damage(self, connection: Connection) -> Iterator[str]:
        """Yield what is wrong with the database itself, whatever its rows say."""
        return self._backend.damage(connection)

    def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        self._backend.close()

    def _prepare(self) -> None:
        with self.read() as connection:
            self._backend.require(connection)
            found = _tables(connection)
        if not found:
            with self.write() as connection:
                # Another process may have been quicker between the look and the lock.
                if not _tables(connection):
                    create(connection)
        with self.read() as connection:
            layout = self._layout(connection)
        if layout < schema.SCHEMA_VERSION:
            with self.write() as connection:
                # Here too another process may have been quicker.
                migrate(connection, self._layout(connection))

    def _layout(self, connection: Connection) -> int:
        """Return the number of the database's layout, which is one that this toolguild knows."""
        kind = self._backend.kind
        if schema.schema_version.name not in _tables(connection):
            msg = f"{self.name}: a {kind} of another program; name another one for the registry"
            raise RegistryError(msg)
        versions = connection.scalars(select(schema.schema_version.c.version)).all()
        if len(versions) != 1 or not isinstance(versions[0], int) or versions[0] < 1:
            msg = f"{self.name}: the registry names no layout version; restore it from a backup"
            raise RegistryError(msg)
        if versions[0] > schema.SCHEMA_VERSION:
            msg = (
                f"{self.name}: made by a newer toolguild (layout {versions[0]}, this one knows "
                f"{schema.SCHEMA_VERSION}); upgrade toolguild, or name another {kind}"
            )
            raise RegistryError(msg)
        return versions[0]


def _backend_at(where: str | Path) -> Backend:
    location = parse_location(where)
    if isinstance(location, Path):
        return SQLiteBackend(location)
    return PostgreSQLBackend(location)


@contextmanager
def _transaction(backend: Backend, engine: Engine) -> Iterator[Connection]:
    committing = False
    try:
        with ExitStack() as stack:
            connection = _begin(stack, engine)
            yield connection
            committing = True
    except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as error:
        # The last is what sqlite3 makes of a message that quotes a damaged schema.
        cause = getattr(error, "orig", None) or error
        raise backend.error_of(error, committing=committing) from cause


def _begin(stack: ExitStack, engine: Engine) -> Connection:
    try:
        return stack.enter_context(engine.begin())
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        # The server went while this waited for its turn. Nothing can have been written.
        return stack.enter_context(engine.begin())


def _tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()
