"""What a model can tell of a learned tool by what it is told of it: its description and schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolguild.cli.demo.case import SOURCES, Fact
from toolguild.cli.demo.planner import Offer
from toolguild.cli.demo.tools import DESK_TOOLS
from toolguild.sandbox import JsonObject

__all__ = ["cover", "facts_of", "flags_for", "offers_in", "tools_named"]

_NAMED = re.compile(r"\b([a-z_]+)\b(?! with a fixed)")
_LEAST = 2
"""Facts that a tool has to tell to be worth a place in the toolbox."""


def tools_named(text: str) -> list[str]:
    """Return the desk's tools that a text names, but for calls that do not depend on the task."""
    return [name for name in dict.fromkeys(_NAMED.findall(text)) if name in DESK_TOOLS]


def offers_in(tools: Iterable[Mapping[str, Any]]) -> list[Offer]:
    """Return the learned ones among tools, as the desk's planner knows them.

    Args:
        tools: Each with `name` and `description`, and its `parameters` where they are told.
    """
    return [
        Offer(
            tool["name"],
            _parameters(tool.get("parameters", {})),
            {name: name for name in tools_named(tool["description"])},
        )
        for tool in tools
        if tool["name"] not in DESK_TOOLS and tools_named(tool["description"])
    ]


def facts_of(offer: Offer) -> set[Fact]:
    """Return what a tool tells."""
    return {fact for fact, tools in SOURCES.items() if not tools.isdisjoint(offer.provides)}


def cover(offers: Iterable[Offer], facts: Iterable[Fact]) -> tuple[list[Offer], list[Fact]]:
    """Choose tools, each for the most facts that are left; return them, and what none tells."""
    rest, left, chosen = [*offers], [*facts], []
    while rest:
        best = max(rest, key=lambda one: (len(facts_of(one).intersection(left)), -len(one.provides)))
        if len(facts_of(best).intersection(left)) < _LEAST:
            break
        chosen.append(best)
        rest.remove(best)
        left = [fact for fact in left if fact not in facts_of(best)]
    return chosen, left


def flags_for(parameters: Mapping[str, Any], missing: Iterable[Fact]) -> JsonObject:
    """Return the switches of a tool: on where what they add to a call is still missing."""
    sources = {tool for fact in missing for tool in SOURCES[fact]}
    return {
        name: not sources.isdisjoint(tools_named(str(schema)))
        for name, schema in parameters.get("properties", {}).items()
        if _is_flag(schema)
    }


def _parameters(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    properties = parameters.get("properties", {})
    return tuple(name for name, schema in properties.items() if not _is_flag(schema))


def _is_flag(schema: Mapping[str, Any]) -> bool:
    # Where it may be left out, the strict form of a schema has null as an alternative.
    kinds = [one.get("type") for one in schema.get("anyOf", [schema])]
    return "boolean" in kinds
