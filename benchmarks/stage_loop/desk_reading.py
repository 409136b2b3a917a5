"""What a request tells a model that works at the support desk: the task, and what was found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolguild.cli.demo.case import SOURCES, Case
from toolguild.cli.demo.desk import Assignment
from toolguild.sandbox import Json

__all__ = ["Made", "assignment_of", "calls_in", "calls_told", "case_of", "data_of"]

_TASK = re.compile(r"Work ticket (\S+) from the queue '(\w+)'\.")
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("get_ticket", frozenset({"ticket_id", "sender_email"})),
    ("find_customer", frozenset({"customer_id", "email"})),
    ("get_subscription", frozenset({"subscription_id", "plan"})),
    ("list_invoices", frozenset({"customer_id", "invoices"})),
    ("get_invoice", frozenset({"invoice_id", "lines"})),
    ("list_tickets", frozenset({"customer_id", "tickets"})),
    ("search_articles", frozenset({"query", "articles"})),
    ("get_article", frozenset({"article_id", "body"})),
)
"""The fields by which a reader sees which of the desk's tools a record comes from."""
_NO_SUBSCRIPTION = frozenset({"customer_id", "status"})
_RANK = {tool: rank for rank, tools in enumerate(SOURCES.values()) for tool in tools}


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made, and what came of it."""

    tool: str
    arguments: dict[str, Json]
    ok: bool
    value: Json
    """None where it failed."""


def assignment_of(task: str) -> Assignment:
    """Return the ticket that a task is about, and its queue."""
    [(ticket_id, queue)] = _TASK.findall(task)
    return Assignment(ticket_id, queue)


def data_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a message that consists of it."""
    text = message["content"]
    data: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return data


def calls_in(messages: Iterable[Mapping[str, Any]]) -> list[Made]:
    """Return the calls of a conversation that were answered."""
    asked = {}
    made = []
    for message in messages:
        for call in message.get("tool_calls", ()):
            asked[call["id"]] = call["function"]
        if message["role"] == "tool":
            call = asked[message["tool_call_id"]]
            made.append(_made(call["name"], call["arguments"], message["content"]))
    return made


def calls_told(transcript: str) -> list[Made]:
    """Return the calls of which a transcript tells; they were answered in their order."""
    asked: list[tuple[str, str]] = []
    made = []
    for line in transcript.splitlines():
        if line.startswith("assistant calls "):
            name, _, arguments = line.removeprefix("assistant calls ").partition(" ")
            asked.append((name, arguments))
        elif line.startswith("tool: "):
            made.append(_made(*asked.pop(0), line.removeprefix("tool: ")))
    return made


def case_of(assignment: Assignment, made: Iterable[Made]) -> Case:
    """Return what is known about a ticket after some calls."""
    case = Case(assignment)
    for one in made:
        # Each fact follows from those before it.
        for tool, record in sorted(_records(one.value), key=lambda found: _RANK[found[0]]):
            case.accept(tool, record)
    return case


def _made(name: str, arguments: str, answer: str) -> Made:
    try:
        return Made(name, json.loads(arguments), ok=True, value=json.loads(answer))
    except ValueError:
        return Made(name, json.loads(arguments), ok=False, value=None)


def _records(value: Json) -> Iterator[tuple[str, Json]]:
    """Yield the desk's records in a result, and which tool each comes from."""
    if isinstance(value, list):
        for item in value:
            yield from _records(item)
    elif isinstance(value, dict):
        tool = next((tool for tool, fields in _SIGNS if fields <= value.keys()), None)
        if value.keys() == _NO_SUBSCRIPTION:
            tool = "get_subscription"
        if tool:
            yield tool, value
        else:
            yield from _records([*value.values()])
