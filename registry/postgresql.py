"""PostgreSQL: one database, which processes on many machines share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from toolguild.registry import postgresql_catalog
from toolguild.registry.backend import WRITES, Backend, one_line
from toolguild.registry.errors import RegistryError, RegistryFileError
from toolguild.registry.location import shown

__all__ = ["PostgreSQLBackend"]

_PSYCOPG = "pip install 'toolguild[postgres]'"
_DEFAULTS: Final = {"connect_timeout": "10", "application_name": "toolguild"}
"""What is asked of a connection where the URL does not say otherwise; seconds, and a name for
`pg_stat_activity`."""
_TURN = int.from_bytes(b"toolgild")
"""Number of the lock that a writer holds until it commits; any would do."""
_SILENCE_S = 60
"""After so long without a word from a writer, the server takes its lock away: its machine may be
gone, which TCP alone would notice hours later."""

_ADVICE: Final = {
    "28000": "the server does not let you in; check user and password",
    "28P01": "the server does not let you in; check user and password",
    "3D000": "there is no such database; make it with createdb",
    "3F000": "there is no such schema; make it with CREATE SCHEMA",
    "42501": "no permission; let the user create and change tables there",
    "25006": "the server is read-only, as a standby is; name the one that it follows",
    "53100": "the server's disk is full; make room and run again",
    "53300": "the server has no connection left; end some, or raise max_connections",
    "40001": "another program was in the way, and nothing was written; run again",
    "40P01": "another program was in the way, and nothing was written; run again",
}
"""What to do, by SQLSTATE."""
_LOCK_TIMEOUT = "55P03"


class PostgreSQLBackend(Backend):
    """A database, or a schema that the URL's `options` put first on the search path."""

    kind = "database"

    def __init__(self, url: URL) -> None:
        """Set up connections; none is opened yet.

        Args:
            url: With the driver psycopg.

        Raises:
            RegistryError: psycopg is not installed.
        """
        missing = {key: value for key, value in _DEFAULTS.items() if key not in url.query}
        name = shown(url)
        try:
            # A connection that broke while nobody used it is replaced before it is used again.
            engine = create_engine(url.update_query_dict(missing), pool_pre_ping=True)
        except ImportError as error:
            msg = f"{name}: PostgreSQL needs psycopg ({error}); run: {_PSYCOPG}"
            raise RegistryError(msg) from error
        event.listen(engine, "begin", self._take_turn)
        super().__init__(name, engine)

    def version(self, connection: Connection) -> str:
        """Return product and version; see `Backend`."""
        found = connection.exec_driver_sql("SHOW server_version").scalar()
        return f"PostgreSQL {str(found).split(' ')[0]}"

    def require(self, connection: Connection) -> None:
        """Refuse a database that cannot hold every text; see `Backend`."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            msg = (
                f"{self.name}: the database's encoding is {encoding}, and not every text fits; "
                "make one with createdb --encoding=UTF8 --template=template0"
            )
            raise RegistryError(msg)

    def damage(self, connection: Connection) -> Iterator[str]:
        """Yield where tables, guards or what these call are not ours; see `Backend`."""
        yield from postgresql_catalog.differences(connection, self.engine)

    def error_of(self, error: Exception, *, committing: bool) -> RegistryError:
        """Return what to tell of an error; see `Backend`."""
        cause = getattr(error, "orig", None) or error
        told = self._advice(error, getattr(cause, "sqlstate", None), committing)
        primary = getattr(getattr(cause, "diag", None), "message_primary", None)
        return RegistryFileError(f"{self.name}: {told} ({primary or one_line(cause)})")

    def _advice(self, error: Exception, state: str | None, committing: bool) -> str:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            if committing:
                return (
                    "the connection was lost while a change was being committed; look whether it "
                    "is there before you make it again"
                )
            return "the connection was lost, and nothing was written; run again"
        if state == _LOCK_TIMEOUT:
            return f"another process has been writing for {self.wait_s:.0f} s; end it"
        if state is None and isinstance(error, DBAPIError):
            return "cannot connect; check that the server runs, and lets you in"
        return _ADVICE.get(state or "", "the database refused")

    def _reading(self, engine: Engine) -> Engine:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def _writing(self, engine: Engine) -> Engine:
        # Each statement sees what was committed before it: those after the lock, all that the
        # writers before this one did. In a higher level they would see the state before the wait.
        return engine.execution_options(isolation_level="READ COMMITTED", **{WRITES: True})

    def _take_turn(self, connection: Connection) -> None:
        """Let a writer wait until no other one is left, as SQLite does: chains must not fork."""
        if not connection.get_execution_options().get(WRITES, False):
            return
        limits = {
            "lock_timeout": round(self.wait_s * 1000),
            "idle_in_transaction_session_timeout": round(_SILENCE_S * 1000),
        }
        settings = ", ".join(f"set_config('{name}', '{ms}', true)" for name, ms in limits.items())
        connection.exec_driver_sql(f"SELECT {settings}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")
