"""A scripted model that works a ticket of the support desk in stages.

What it says follows from the request alone: the task, the functions that it is offered, and what
came of its calls so far. It reads what learned tools say of themselves, and takes one that tells it
several things which it wants to know now; otherwise it calls the desk's own tools. Nothing in it
knows whether there are learned tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.stage_loop.desk_offers import cover, flags_for, offers_in
from benchmarks.stage_loop.desk_reading import (
    Made,
    assignment_of,
    calls_in,
    calls_told,
    case_of,
    data_of,
)
from toolguild.agent.scripted import Calls, Turn
from toolguild.agent.stages import ALL, Status
from toolguild.cli.demo.case import SOURCES, Case, Fact, Lookup
from toolguild.cli.demo.decisions import TURNED_DOWN, Decision, decide, wanted_facts
from toolguild.cli.demo.planner import Offer, Planner
from toolguild.sandbox import JsonObject

__all__ = ["desk_model"]

_AT_ONCE = (Fact.INVOICE_DETAILS, Fact.ARTICLE_TEXTS)
"""Facts that take a call for each entry of a list: those calls do not wait for each other."""
_WRITES = {
    "duplicate_charge": "issue_refund",
    "login": "unlock_account",
    "cancellation": "cancel_subscription",
    "address_change": "update_address",
}
"""What a ticket of a queue may come to, beside its reply."""
_MAY_TAKE_HISTORY = frozenset({"duplicate_charge", "login"})
"""Queues of which some tickets take a look at earlier ones, as turns out on the way."""


def desk_model(body: Any) -> Turn:
    """Return the reply to a request."""
    if "response_format" in body:
        return _configuration(data_of(body["messages"][1]))
    return _step(body)


def _configuration(data: Mapping[str, Any]) -> Turn:
    assignment, made = assignment_of(data["task"]), calls_told(data["said_at_this_stage"])
    case = case_of(assignment, made)
    toolbox = _toolbox(case, made, data["tools"])[: data["most_tools"]]
    wish = data["asked_for"] or {"new_sub_goal": f"Answer ticket {assignment.ticket_id}."}
    return {
        "sub_goal": wish["new_sub_goal"],
        "strategy": f"Look up what the reply depends on, act, reply; with {', '.join(toolbox)}.",
        "toolbox": toolbox,
        "knowledge": ALL if made else "",
        "context_mode": "basic",
    }


def _toolbox(case: Case, made: Sequence[Made], tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the tools for what is missing and is to be done, the most needed first."""
    learned, rest = cover(_undoubted(offers_in(tools), made), _missing(case))
    queue = case.assignment.queue
    own = [tool for fact in rest for tool in sorted(SOURCES[fact])]
    write = [_WRITES[queue]] if queue in _WRITES else []
    may_look = queue in _MAY_TAKE_HISTORY and not case.has(Fact.HISTORY)
    perhaps = sorted(SOURCES[Fact.HISTORY]) if may_look else []
    names = [*(offer.name for offer in learned), *own, "update_ticket", *write, *perhaps]
    return [*dict.fromkeys(names)]


def _step(body: Mapping[str, Any]) -> Turn:
    opening = data_of(body["messages"][1])
    made = calls_told(opening["knowledge"]) + calls_in(body["messages"])
    case = case_of(assignment_of(opening["task"]), made)
    offered = {tool["function"]["name"]: tool["function"] for tool in body["tools"]}
    if not offered.keys() - {"reconfigure", "terminate"}:
        return _other_tools(case, ["other tools"])
    wanted = _calls(case, made, offered)
    if not wanted:
        return _end(case, made)
    if lacking := [one.tool for one in wanted if one.tool not in offered]:
        return _other_tools(case, lacking)
    return Calls(*((one.tool, one.arguments) for one in wanted))


def _calls(
    case: Case, made: Sequence[Made], offered: Mapping[str, Mapping[str, Any]]
) -> list[Lookup]:
    """Return the calls that are due now; none where all is done."""
    missing = _missing(case)
    offers = _undoubted(offers_in(offered.values()), made)
    for offer, lookup in Planner(offers).offers_for(case, missing):
        flags = flags_for(offered[offer.name]["parameters"], missing)
        call = Lookup(offer.name, lookup.arguments | flags)
        if not _was_made(call, made):
            return [call]
    for fact in missing:
        due = [one for one in case.lookups(fact) if not _was_made(one, made)]
        if due:
            return due if fact in _AT_ONCE else due[:1]
    return [one for one in _writes(case, made) if not _was_made(one, made)][:1]


def _writes(case: Case, made: Sequence[Made]) -> list[Lookup]:
    """Return all that is to be written for a ticket, the reply last."""
    decision = decide(case)
    failed = {one.tool for one in made if not one.ok}
    if failed.intersection(write.tool for write in decision.writes):
        decision = TURNED_DOWN
    return [*decision.writes, _reply(case, decision)]


def _reply(case: Case, decision: Decision) -> Lookup:
    answer: JsonObject = {
        "ticket_id": case.assignment.ticket_id,
        "status": decision.status,
        "reply": decision.reply,
    }
    return Lookup("update_ticket", answer)


def _missing(case: Case) -> list[Fact]:
    return [fact for fact in wanted_facts(case) if not case.has(fact)]


def _undoubted(offers: Iterable[Offer], made: Iterable[Made]) -> list[Offer]:
    """Leave out tools that share a call with one that failed: it may be that call."""
    known = [*offers]
    failed = {one.tool for one in made if not one.ok}
    doubtful = {tool for one in known if one.name in failed for tool in one.provides}
    return [one for one in known if doubtful.isdisjoint(one.provides)]


def _was_made(call: Lookup, made: Iterable[Made]) -> bool:
    return any(one.tool == call.tool and one.arguments == call.arguments for one in made)


def _other_tools(case: Case, tools: Sequence[str]) -> Turn:
    ticket, named = case.assignment.ticket_id, ", ".join(dict.fromkeys(tools))
    wish = {
        "execution_summary": f"Looked into ticket {ticket}. It has no reply yet.",
        "update_reason": f"It takes {named}, which this stage does not have.",
        "new_sub_goal": f"Finish ticket {ticket} with {named}.",
        "toolbox_requirements": f"{named}, and to reply.",
        "knowledge_requirements": "All that was found.",
        "strategy_requirements": "What is left of looking up, acting and replying.",
        "context_requirements": "None.",
    }
    return Calls(("reconfigure", wish))


def _end(case: Case, made: Iterable[Made]) -> Turn:
    replied = any(one.ok and one.tool == "update_ticket" for one in made)
    told = f"Ticket {case.assignment.ticket_id} has {'its' if replied else 'no'} reply."
    status = Status.COMPLETE if replied else Status.INCOMPLETE
    return Calls(("terminate", {"status": status, "final_result": told, "summary": told}))
