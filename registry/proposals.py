"""What waits to come into use, and how much may come at all: the budget of new tools.

A version is new once: when it is registered or imported, or when it is let in after it waited. Not
when a name is pointed at it, as a rollback does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from toolguild.policies.trust import Budget
from toolguild.registry import rows, schema
from toolguild.registry.canonical import decode_json
from toolguild.registry.model import State, ToolVersion
from toolguild.registry.parts import parts_first

__all__ = ["Intake", "Proposal", "Waiting", "left_today", "never_let_in", "waiting"]

_DAY = timedelta(days=1)
_PROPOSED, _LET_IN = "propose", "admit"
_NEW = ("register", "import", _LET_IN)
"""Actions by which a version comes into use."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version that waits to come into use."""

    version: ToolVersion
    wants_name: bool
    """Whether its name shall mean it then."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a version waits for."""

    place: int
    """In the line, from 1."""
    ahead: tuple[str, ...]
    """`name@number` of the tools that it calls and that wait as well."""
    left_today: int
    """New tools that may still come into use today."""
    a_cycle: int
    """New tools that may come into use in one cycle."""


class Intake:
    """One cycle of new tools. What exceeds its budget waits, and whatever comes while some wait."""

    def __init__(self, budget: Budget, clock: Callable[[], datetime]) -> None:
        """Begin a cycle; `Governance.intake` is the usual way."""
        self._budget, self._clock = budget, clock
        self._taken = 0

    def room(self, connection: Connection) -> int:
        """Return how many new tools may come into use now."""
        if connection.execute(_queue().limit(1)).first() is not None:
            return 0
        left = self._budget.new_tools_a_cycle - self._taken
        return max(0, min(left, left_today(connection, self._budget, self._clock())))

    def takes(self, connection: Connection) -> bool:
        """Take a new tool in, if there is room; the transaction is the one that writes it."""
        if not self.room(connection):
            return False
        self._taken += 1
        return True


def waiting(connection: Connection) -> list[Proposal]:
    """Return what waits, in the order in which it comes into use.

    That is the order in which it came, but for tools that are called by others: those go first.
    """
    found = [
        Proposal(rows.version_of(row), _wants_name(row.body))
        for row in connection.execute(_queue())
    ]
    return parts_first(found, lambda proposal: proposal.version.spec)


def _queue() -> Select[Any]:
    trail, versions = schema.audit, schema.versions
    return (
        rows.VERSIONS.join(trail, trail.c.subject == versions.c.digest)
        .where(trail.c.action == _PROPOSED, versions.c.state == State.PROPOSED.value)
        .order_by(trail.c.seq)
        .add_columns(trail.c.body)
    )


def never_let_in(connection: Connection, version: ToolVersion) -> Proposal | None:
    """Return the proposal of a version that was proposed and never let in."""
    trail = schema.audit
    about = trail.c.subject == version.digest
    query = select(trail).where(about, trail.c.action.in_((_PROPOSED, _LET_IN)))
    last = connection.execute(query.order_by(trail.c.seq.desc()).limit(1)).one_or_none()
    if last is None or last.action != _PROPOSED:
        return None
    return Proposal(version, _wants_name(last.body))


def left_today(connection: Connection, budget: Budget, now: datetime) -> int:
    """Return how many more new tools the last 24 hours have room for."""
    table = schema.audit
    query = select(func.count()).where(
        table.c.action.in_(_NEW), table.c.at > rows.time_text(now - _DAY)
    )
    return max(0, budget.new_tools_a_day - (connection.scalar(query) or 0))


def _wants_name(body: str) -> bool:
    match decode_json(body):
        case {"proposal": {"wants_name": bool(wants)}}:
            return wants
    return False
