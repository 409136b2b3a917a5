"""What a model can tell of learned tools by what it is told of them: description and schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolguild.cli.demo.case import SOURCES, Fact
from toolguild.cli.demo.planner import Offer
from toolguild.cli.demo.tools import DESK_TOOLS, READ_TOOLS
from toolguild.sandbox import JsonObject

__all__ = ["cover", "flags_for", "offers_in", "tools_named"]

_NAMED = re.compile(r"\b([a-z_]+)\b( with a fixed)?")
_READS_ENTRIES_OF = {"get_invoice": "list_invoices", "get_article": "search_articles"}
_LEAST = 2
"""Facts that a tool has to tell to be worth a place in the toolbox."""


def tools_named(text: str) -> list[str]:
    """Return the desk's tools that a text names, but for those that look for a fixed thing.

    What they find, and what reads that, is about whatever the tool was made for.
    """
    named = {name: fixed for name, fixed in _NAMED.findall(text) if name in DESK_TOOLS}
    return [
        name for name in named if not named[name] and not named.get(_READS_ENTRIES_OF.get(name, ""))
    ]


def offers_in(tools: Iterable[Mapping[str, Any]]) -> list[Offer]:
    """Return those among tools that are made of the desk's and only read.

    Args:
        tools: Each with `name` and `description`, and its `parameters` where they are told.
    """
    learned = [tool for tool in tools if tool["name"] not in DESK_TOOLS]
    named = [tools_named(tool["description"]) for tool in learned]
    return [
        Offer(tool["name"], _arguments(tool.get("parameters", {})), {one: one for one in inside})
        for tool, inside in zip(learned, named, strict=True)
        if inside and READ_TOOLS.issuperset(inside)
    ]


def cover(offers: Iterable[Offer], facts: Iterable[Fact]) -> tuple[list[Offer], list[Fact]]:
    """Choose tools, each for the most facts that are left; return them, and what none tells."""
    rest, left, chosen = [*offers], [*facts], []
    while rest:
        # Among equals the smaller tool: it reads less that nobody asked for.
        best = max(rest, key=lambda one: (len(_told(one, left)), -len(one.provides)))
        told = _told(best, left)
        if len(told) < _LEAST:
            break
        chosen.append(best)
        rest.remove(best)
        left = [fact for fact in left if fact not in told]
    return chosen, left


def flags_for(parameters: Mapping[str, Any], missing: Iterable[Fact]) -> JsonObject:
    """Return the switches of a tool: on where what they add to a call is still missing."""
    sources = {tool for fact in missing for tool in SOURCES[fact]}
    return {
        name: not sources.isdisjoint(tools_named(str(schema)))
        for name, schema in parameters.get("properties", {}).items()
        if _is_flag(schema)
    }


def _told(offer: Offer, facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if not SOURCES[fact].isdisjoint(offer.provides)]


def _arguments(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    properties = parameters.get("properties", {})
    return tuple(name for name, schema in properties.items() if not _is_flag(schema))


def _is_flag(schema: Mapping[str, Any]) -> bool:
    # Where it may be left out, the strict form of a schema has null as an alternative.
    return "boolean" in [one.get("type") for one in schema.get("anyOf", [schema])]
