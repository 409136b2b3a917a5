"""A scripted agent that works tickets with the desk's tools, and with better ones where offered.

It stands in for a model: what it looks up and writes is decided by rules over real data, so that a
run needs no key and no network. It shows how many calls a tool saves, not how clever an agent is.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable
from typing import Protocol

from toolguild.cli.demo.case import Case, Fact, Lookup
from toolguild.cli.demo.decisions import TURNED_DOWN, Decision, decide, wanted_facts
from toolguild.cli.demo.desk import Assignment
from toolguild.cli.demo.planner import Planner
from toolguild.cli.demo.runs import Clock, RecordedCall, Run
from toolguild.sandbox import Json, JsonObject

__all__ = ["CallResult", "ScriptedAgent", "Tools"]

_SECONDS_A_CALL = 4
_SECONDS_BETWEEN_TICKETS = 600

_FACTS_IN_ONE_TURN = frozenset({Fact.INVOICE_DETAILS, Fact.ARTICLE_TEXTS})
"""Facts that take one call for each entry of a list: those calls do not wait for each other."""

_ONE_IN = 4
"""One ticket in so many is worked in another order, as agents do not always keep to one."""


class CallResult(Protocol):
    """What a tool call gave; an error that is empty or None means success."""

    @property
    def value(self) -> Json:
        """The decoded result."""

    @property
    def error(self) -> str | None:
        """What went wrong, in words."""


class Tools(Protocol):
    """The tools that the agent may call."""

    def names(self) -> Collection[str]:
        """Return the names of the tools."""

    def call(self, name: str, arguments: JsonObject) -> CallResult:
        """Call a tool."""


class ScriptedAgent:
    """Works one ticket after another.

    Args:
        tools: The desk's own tools, and those that the planner knows of.
        planner: Knows the offered tools; without any the agent uses the desk's alone.
        label: Start of the ids of the runs.
    """

    def __init__(self, tools: Tools, planner: Planner | None = None, *, label: str = "run") -> None:
        self._tools = tools
        self._planner = planner or Planner()
        self._label = label
        self._clock = Clock()

    def work(self, assignments: Iterable[Assignment]) -> list[Run]:
        """Work the tickets in order and return what was done."""
        return [self._work(assignment) for assignment in assignments]

    def _work(self, assignment: Assignment) -> Run:
        started_at = self._clock.tick(_SECONDS_BETWEEN_TICKETS)
        session = _Session(self._tools, self._clock)
        case = Case(assignment)
        self._gather(case, session)
        decision = _act(decide(case), assignment.ticket_id, session)
        return Run(
            id=f"{self._label}-{assignment.ticket_id}",
            ticket_id=assignment.ticket_id,
            task=assignment.task,
            calls=tuple(session.calls),
            status=decision.status,
            reply=decision.reply,
            summary=f"Ticket {assignment.ticket_id} is {decision.status}.",
            started_at=started_at,
            ended_at=self._clock.tick(_SECONDS_A_CALL),
        )

    def _gather(self, case: Case, session: _Session) -> None:
        while missing := [fact for fact in wanted_facts(case) if not case.has(fact)]:
            if self._gather_by_offer(case, missing, session):
                continue
            if not _gather_by_desk(case, missing, session):
                return

    def _gather_by_offer(self, case: Case, missing: list[Fact], session: _Session) -> bool:
        """Call the best offer not yet tried and return whether there was one."""
        for offer, lookup in self._planner.offers_for(case, missing):
            inside = set(offer.provides.values())
            if (
                offer.name in self._tools.names()
                and not session.tried(lookup)
                and session.doubtful.isdisjoint(inside)
            ):
                [made] = session.call([lookup], "One tool tells several things that I need.")
                if made.error:
                    session.doubtful |= inside
                else:
                    for tool, value in offer.results(made.result):
                        case.accept(tool, value)
                return True
        return False


class _Session:
    """Makes the calls of one run and keeps the record."""

    def __init__(self, tools: Tools, clock: Clock) -> None:
        self._tools = tools
        self._clock = clock
        self._turn = 0
        self._tried: set[str] = set()
        self.calls: list[RecordedCall] = []
        self.doubtful: set[str] = set()
        """Tools of the desk that would fail inside an offered tool: all those inside one that
        failed, until the desk's own tools show which of them it was."""

    def tried(self, lookup: Lookup) -> bool:
        """Whether the very call was made before: facts do not change while a ticket is worked."""
        return _key(lookup) in self._tried

    def call(self, lookups: Iterable[Lookup], thought: str) -> list[RecordedCall]:
        """Make the calls of one turn."""
        self._turn += 1
        made = [self._call(lookup, thought) for lookup in lookups]
        self.calls += made
        return made

    def _call(self, lookup: Lookup, thought: str) -> RecordedCall:
        self._tried.add(_key(lookup))
        result = self._tools.call(lookup.tool, lookup.arguments)
        return RecordedCall(
            tool=lookup.tool,
            arguments=lookup.arguments,
            result=None if result.error else result.value,
            error=result.error or None,
            turn=self._turn,
            thought=thought,
            started_at=self._clock.tick(_SECONDS_A_CALL),
        )


def _gather_by_desk(case: Case, missing: list[Fact], session: _Session) -> bool:
    """Look up one missing fact with the desk's own tools and return whether any could be."""
    for fact in reversed(missing) if _in_other_order(case.assignment) else missing:
        lookups = [lookup for lookup in case.lookups(fact) if not session.tried(lookup)]
        if lookups:
            due = lookups if fact in _FACTS_IN_ONE_TURN else lookups[:1]
            for call in session.call(due, f"I need to know: {fact}."):
                if call.error:
                    session.doubtful = {call.tool}
                else:
                    session.doubtful.discard(call.tool)
                    case.accept(call.tool, call.result)
            return True
    return False


def _act(decision: Decision, ticket_id: str, session: _Session) -> Decision:
    """Make the writes of a decision, answer the ticket, and return how it ended."""
    for write in decision.writes:
        [done] = session.call([write], f"The facts call for {write.tool}.")
        if done.error:
            decision = TURNED_DOWN
            break
    answer: JsonObject = {
        "ticket_id": ticket_id,
        "status": decision.status,
        "reply": decision.reply,
    }
    session.call([Lookup("update_ticket", answer)], "Now I can answer.")
    return decision


def _in_other_order(assignment: Assignment) -> bool:
    return zlib.crc32(assignment.ticket_id.encode()) % _ONE_IN == 0


def _key(lookup: Lookup) -> str:
    return json.dumps([lookup.tool, lookup.arguments], sort_keys=True)
