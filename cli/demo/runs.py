"""What the agent did with one ticket, recorded for the logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from toolguild.sandbox import Json, JsonObject

__all__ = ["Clock", "RecordedCall", "Run"]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One tool call of a run."""

    tool: str
    arguments: JsonObject
    result: Json
    error: str | None
    turn: int
    """Number of the agent's turn, from 1; calls of one turn were made side by side."""
    thought: str
    """What the agent said before the calls of its turn."""
    started_at: str


@dataclass(frozen=True, slots=True)
class Run:
    """The agent's work on one ticket."""

    id: str
    ticket_id: str
    task: str
    """What the agent was told to do."""
    calls: tuple[RecordedCall, ...]
    status: str
    """The state in which the agent left the ticket."""
    reply: str
    """What the sender of the ticket was told."""
    summary: str
    """The agent's last words."""
    started_at: str
    ended_at: str

    def turns(self) -> Iterator[tuple[RecordedCall, ...]]:
        """Yield the calls of each turn."""
        return (tuple(calls) for _, calls in groupby(self.calls, key=lambda call: call.turn))


class Clock:
    """A clock that moves only when told, so that the same work gives the same log."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)

    def tick(self, seconds: int) -> str:
        """Move on and return the time, in ISO 8601."""
        self._now += timedelta(seconds=seconds)
        return self._now.isoformat()
