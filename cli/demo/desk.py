"""A support desk at work: its database, its tools to call, and the tickets that wait."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from toolguild.cli.demo.database import DeskError, connect, state_digest
from toolguild.cli.demo.tools import DESK_TOOLS
from toolguild.sandbox import Json, JsonObject

__all__ = ["Assignment", "Desk", "DeskResult"]


@dataclass(frozen=True, slots=True)
class DeskResult:
    """What a call of a desk tool gave: a value, or the message of an error."""

    value: Json
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A ticket given to the agent, with the queue that its sender chose."""

    ticket_id: str
    queue: str

    @property
    def task(self) -> str:
        """What the agent is told to do."""
        return f"Work ticket {self.ticket_id} from the queue {self.queue!r}."


class Desk:
    """The desk's tools over one database; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def names(self) -> frozenset[str]:
        """Return the names of the tools that can be called."""
        return frozenset(DESK_TOOLS)

    def call(self, name: str, arguments: JsonObject) -> DeskResult:
        """Call one tool; what the desk turns down comes back as an error."""
        try:
            return DeskResult(self._run(name, **arguments))
        except DeskError as error:
            return DeskResult(None, str(error))

    def functions(self) -> dict[str, Callable[..., Json]]:
        """Return each tool as a function of its arguments by name, which raises `DeskError`."""
        return {name: partial(self._run, name) for name in DESK_TOOLS}

    def open_tickets(self) -> list[Assignment]:
        """Return the tickets that wait for the agent, in order of their numbers."""
        query = "SELECT ticket_id, queue FROM tickets WHERE status = 'open' ORDER BY ticket_id"
        with self._lock:
            return [Assignment(*row) for row in self._connection.execute(query)]

    def digest(self) -> str:
        """Return the digest of the database's state."""
        with self._lock:
            return state_digest(self._connection)

    def snapshot(self, path: Path) -> None:
        """Copy the database, as it stands, to a new file."""
        with self._lock, closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)

    def _run(self, name: str, /, **arguments: Json) -> Json:
        tool = DESK_TOOLS.get(name)
        if tool is None:
            msg = f"the desk has no tool {name!r}"
            raise DeskError(msg)
        tool.check(arguments)
        # The connection as context manager ends the transaction: commit, or roll back on an error.
        with self._lock, self._connection:
            return tool.function(self._connection, **arguments)
