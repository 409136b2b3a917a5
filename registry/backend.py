"""What `database` needs of a database engine; `sqlite` and `postgresql` have the two that are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from sqlalchemy import Connection, Engine

from toolguild.registry.errors import RegistryError

__all__ = ["WRITES", "Backend", "one_line"]

WRITES = "toolguild_writes"
"""Option of a connection that is going to write, for the `begin` events of the engines."""


class Backend(ABC):
    """One kind of database, opened at one place."""

    wait_s: ClassVar[float] = 30.0
    """How long a process waits for another one that is writing."""
    kind: ClassVar[str]
    """What a registry of its own needs: a file, or a database."""

    def __init__(self, name: str, engine: Engine) -> None:
        """Take an engine that the subclass has set up; `name` goes into messages."""
        self.name = name
        self.engine = engine
        self.readers = self._reading(engine)
        """For transactions that see one state, and write nothing."""
        self.writers = self._writing(engine)
        """For transactions that no other one writes beside."""

    def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        self.engine.dispose()

    @abstractmethod
    def version(self, connection: Connection) -> str:
        """Return product and version, such as `SQLite 3.45.1`."""

    @abstractmethod
    def require(self, connection: Connection) -> None:
        """Refuse a database that cannot hold what is written to it.

        Raises:
            RegistryError: the message says what to do.
        """

    @abstractmethod
    def damage(self, connection: Connection) -> Iterator[str]:
        """Yield what the engine knows to be wrong: pages, keys, and guards that are not there."""

    @abstractmethod
    def error_of(self, error: Exception, *, committing: bool) -> RegistryError:
        """Return what to tell of an error in a transaction.

        Args:
            error: What was raised.
            committing: Whether all was done but the commit, so that it may have been written.
        """

    @abstractmethod
    def _reading(self, engine: Engine) -> Engine:
        """Return the engine with the options of readers."""

    @abstractmethod
    def _writing(self, engine: Engine) -> Engine:
        """Return the engine with the options of writers."""


def one_line(cause: BaseException) -> str:
    """Return an error's text on one line."""
    return " ".join(str(cause).split())
