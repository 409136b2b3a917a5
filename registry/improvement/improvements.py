"""Changing what agents are told and which tools they have, and taking it back.

A change is written, told of in the audit trail and, where it is about tools, made to the registry
in one transaction. Undoing is never gated; everything else is bounded by the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from toolguild.policies.improvement import ImprovementRules
from toolguild.registry import schema
from toolguild.registry.canonical import storable_text
from toolguild.registry.database import Database
from toolguild.registry.errors import ChangeRefusedError
from toolguild.registry.improvement import history, ownership, storage, tools
from toolguild.registry.improvement.model import (
    ArtefactKind,
    Change,
    ChangeKind,
    NewChange,
    ScoredRun,
    Standing,
)
from toolguild.registry.improvement.watching import MOST_WATCHED, begin_of_watch, dropped_cycle
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import find_version
from toolguild.registry.model import State, ToolVersion
from toolguild.sandbox import JsonObject

__all__ = ["Improvements"]

_DAY = timedelta(days=1)
_COUNTED: Final = frozenset(
    {ChangeKind.INSTRUCTIONS, ChangeKind.LESSONS, ChangeKind.EXAMPLES, ChangeKind.TOOLS}
)
"""Changes that the rate is bounded of; a person decides and undoes as often as need be."""


class Improvements:
    """What the agents of one registry are told, and how that came to be."""

    def __init__(self, database: Database, journal: Journal, rules: ImprovementRules) -> None:
        """Work on an open database, in the name of the journal's actor."""
        self._database, self._journal = database, journal
        self.rules = rules

    # -- what there is

    def standing(self, agent: str) -> Standing:
        """Return what an agent is told at present."""
        return history.standing_of(self.changes(agent))

    def changes(self, agent: str | None = None) -> list[Change]:
        """Return the changes of an agent, or of all, the oldest first, whether they hold or not.

        Raises:
            TamperedError: a row is not what was written.
        """
        with self._database.read() as connection:
            return storage.read_changes(connection, agent)

    def runs(self, agent: str, after: int = 0) -> list[ScoredRun]:
        """Return an agent's scored runs beyond a number, the oldest first.

        Raises:
            TamperedError: a row is not what was written.
        """
        with self._database.read() as connection:
            return storage.read_runs(connection, agent, after)

    def brought_tools(self, agent: str) -> list[tuple[Change, ToolVersion]]:
        """Return the tools' versions that an agent's changes brought and none took away.

        Returns:
            The change that brought it with each, the oldest first.
        """
        with self._database.read() as connection:
            return ownership.brought(connection, storage.read_changes(connection, agent))

    def unclaimed_tools(self, agent: str) -> list[tuple[ToolVersion, tuple[int, ...]]]:
        """Return the versions made for an agent, not retired, that no change speaks of.

        Returns:
            The oldest first, with the numbers of the scored runs that each comes from.
        """
        with self._database.read() as connection:
            return ownership.unclaimed(connection, agent, storage.read_changes(connection))

    def left_today(self, agent: str) -> int:
        """Return how many more changes of an agent the last 24 hours have room for."""
        with self._database.read() as connection:
            return self._left(storage.read_changes(connection, agent))

    def consequences(self, number: int) -> list[Change]:
        """Return a change and everything that it caused, as far as it holds, the oldest first.

        Raises:
            ChangeRefusedError: there is no such change.
        """
        with self._database.read() as connection:
            changes = self._changes_beside(connection, number)
        found = history.consequences(changes, number)
        return [change for change in changes if change.number in found]

    # -- what is done

    def record(self, run: ScoredRun) -> tuple[ScoredRun, Change | None]:
        """Add a scored run; where it shows that recent changes made things worse, undo these.

        Returns:
            The run with its number, and what was undone because of it.

        Raises:
            ChangeRefusedError: this very run of the agent is scored already.
        """
        with self._database.write() as connection:
            if storage.is_scored(connection, run.agent, run.run):
                msg = f"run {run.run} of {run.agent} is scored already"
                raise ChangeRefusedError(msg)
            number = storage.last_number(connection, schema.scored_runs) + 1
            numbered = replace(run, number=number)
            row = storage.insert_run(connection, numbered)
            told: JsonObject = {"number": number, "row": row}
            self._tell(connection, "score", run.agent, f"{run.score:.2f}", scored_run=told)
            undone = self._undo_where_worse(connection, run.agent)
        return numbered, undone

    def apply(self, new: NewChange, *, tried_after: int | None = None) -> Change:
        """Make a change that has passed its gates.

        Args:
            new: The change.
            tried_after: Number of the agent's newest change with effect when the gates looked, 0
                before the first: what they found holds of no other state of the agent.

        Raises:
            ChangeRefusedError: the day's changes are used up, a person has to decide on an alert
                first, it removes what is not there, it brings what is, or the agent was changed
                since its gates looked.
        """
        with self._database.write() as connection:
            return self._apply(connection, new, tried_after)

    def hold(self, new: NewChange) -> Change:
        """Keep a change of the instructions back until a person decides."""
        with self._database.write() as connection:
            changes = storage.read_changes(connection, new.agent)
            held = replace(new, kind=ChangeKind.ALERT)
            return self._write(connection, "alert", changes, held)

    def refuse(self, new: NewChange, *, why: str) -> Change:
        """Keep a change that did not pass its gates; nothing is different by it."""
        with self._database.write() as connection:
            changes = storage.read_changes(connection, new.agent)
            refused = replace(new, kind=ChangeKind.REFUSED, why=why, cycle="")
            return self._write(connection, "refuse", changes, refused)

    def end_cycle(self, agent: str, *, last_run: int, why: str) -> Change:
        """Note that an agent's runs were looked at, up to one of them."""
        new = NewChange(agent, ChangeKind.CYCLE, why, evidence={"last_run": last_run})
        with self._database.write() as connection:
            return self._write(
                connection, "end_cycle", storage.read_changes(connection, agent), new
            )

    def last_looked_at(self, agent: str) -> int:
        """Return the number of the last run that a cycle looked at; 0 before the first."""
        for change in reversed(self.changes(agent)):
            last = change.new.evidence.get("last_run")
            if change.new.kind is ChangeKind.CYCLE and isinstance(last, int):
                return last
        return 0

    def decide(self, alert: int, *, accept: bool, why: str) -> Change:
        """Let a person decide on a change that was held back.

        Raises:
            ChangeRefusedError: there is no such alert, or it is decided on or undone.
        """
        with self._database.write() as connection:
            changes = self._changes_beside(connection, alert)
            if alert not in history.standing_of(changes).open_alerts:
                msg = f"change {alert} is no alert that waits for a decision"
                raise ChangeRefusedError(msg)
            held = next(change.new for change in changes if change.number == alert)
            given = replace(held, kind=ChangeKind.DECISION, why=why)
            if not accept:
                given = replace(given, adds=(), removes=(), evidence={})
            return self._write(connection, "decide", changes, given, decides=alert, accepted=accept)

    def undo(self, number: int, *, why: str) -> Change:
        """Take a change back, with everything that it caused.

        Raises:
            ChangeRefusedError: there is no such change, or it is undone already.
        """
        with self._database.write() as connection:
            changes = self._changes_beside(connection, number)
            return self._undo(connection, changes, [number], why)

    def withdraw(self, new: NewChange, *, why: str) -> None:
        """Retire the versions that a change was to bring which is not made.

        Those are left as they are that changes speak of, or that are retired already; and those
        that were not made for the agent: a proposal is no reason to take away what others use.
        """
        with self._database.write() as connection:
            every = storage.read_changes(connection)
            claimed = {digest for change in every for digest in change.new.brings}
            for digest in new.brings:
                version = find_version(connection, schema.versions.c.digest == digest)
                if version is None or version.state is State.RETIRED or digest in claimed:
                    continue
                if not ownership.is_made_for(version, new.agent):
                    continue
                tools.retire(connection, self._journal, version, why)

    # -- inside a transaction

    def _apply(self, connection: Connection, new: NewChange, tried_after: int | None) -> Change:
        changes = storage.read_changes(connection, new.agent)
        last = history.last_with_effect(changes)
        if tried_after is not None and last != tried_after:
            msg = f"change {last} was made to {new.agent} while this one was tried"
            raise ChangeRefusedError(msg)
        standing = history.standing_of(changes)
        if new.kind is ChangeKind.INSTRUCTIONS and standing.open_alerts:
            alert = standing.open_alerts[0]
            msg = f"a person has to decide on alert {alert} of {new.agent} first"
            raise ChangeRefusedError(msg)
        missing = [digest for digest in new.removes if digest not in standing.artefacts]
        if missing:
            msg = f"{new.agent} is not told {missing[0]}, so that cannot be removed"
            raise ChangeRefusedError(msg)
        wanted = history.tools_in_use(changes)
        twice = [digest for digest in new.brings if wanted.get(digest)]
        if twice:
            msg = f"an earlier change brought {twice[0]} to {new.agent} already"
            raise ChangeRefusedError(msg)
        if new.kind in _COUNTED and not self._left(changes):
            msg = f"{new.agent} was changed {self.rules.changes_a_day} times in the last 24 hours"
            raise ChangeRefusedError(msg)
        return self._write(connection, "improve", changes, new)

    def _write(
        self,
        connection: Connection,
        action: str,
        changes: Sequence[Change],
        new: NewChange,
        *,
        undoes: tuple[int, ...] = (),
        decides: int | None = None,
        accepted: bool = False,
    ) -> Change:
        number = storage.last_number(connection, schema.changes) + 1
        runs = storage.read_runs(connection, new.agent, numbers=new.runs)
        causes = history.causes_of(
            changes,
            rests_on=(*new.removes, *new.retires, *tools.parts_of(connection, new.brings)),
            replaces_instructions=any(one.kind is ArtefactKind.INSTRUCTIONS for one in new.adds),
            runs=runs,
        )
        change = Change(number, self._journal.clock(), new, causes, undoes, decides, accepted)
        row = storage.insert_change(connection, change)
        told: JsonObject = {"number": number, "row": row}
        self._tell(connection, action, new.agent, new.why, change=told)
        tools.follow(connection, self._journal, changes, [*changes, change], new.why)
        return change

    def _undo(
        self, connection: Connection, changes: Sequence[Change], numbers: Iterable[int], why: str
    ) -> Change:
        caused = {one for number in numbers for one in history.consequences(changes, number)}
        undone = tuple(sorted(caused))
        if not undone:
            msg = f"change {', '.join(map(str, numbers))} is undone already"
            raise ChangeRefusedError(msg)
        agent = changes[0].new.agent
        new = NewChange(agent, ChangeKind.UNDO, why)
        return self._write(connection, "undo", changes, new, undoes=undone)

    def _undo_where_worse(self, connection: Connection, agent: str) -> Change | None:
        changes = storage.read_changes(connection, agent)
        runs = storage.read_runs(
            connection, agent, since=begin_of_watch(changes), latest=MOST_WATCHED
        )
        dropped = dropped_cycle(changes, runs, self.rules)
        if not dropped:
            return None
        why = "fewer runs succeed since it was made than did before"
        return self._undo(connection, changes, [one.number for one in dropped], why)

    def _changes_beside(self, connection: Connection, number: int) -> list[Change]:
        """Return all changes of the agent that one of them is about."""
        every = storage.read_changes(connection)
        agent = next((one.new.agent for one in every if one.number == number), None)
        if agent is None:
            msg = f"there is no change {number}; there are {len(every)}"
            raise ChangeRefusedError(msg)
        return [one for one in every if one.new.agent == agent]

    def _left(self, changes: Sequence[Change]) -> int:
        since = self._journal.clock() - _DAY
        made = sum(one.at > since and one.new.kind in _COUNTED for one in changes)
        return max(0, self.rules.changes_a_day - made)

    def _tell(
        self, connection: Connection, action: str, agent: str, why: str, **told: JsonObject
    ) -> None:
        subject = f"agent:{storable_text(agent)}"
        self._journal.tell(connection, action, subject, None, {}, why, **told)
