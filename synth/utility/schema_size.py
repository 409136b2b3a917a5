"""How long a tool's definition is in a request to a model: its name, description and schema."""

from __future__ import annotations

from collections.abc import Iterable

from toolguild.registry import ToolSpec
from toolguild.registry.strict import openai_tool
from toolguild.sandbox import JsonObject
from toolguild.synth.drafting import Draft, object_schema
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.mining import Pattern, RepeatedSequence, canonical
from toolguild.synth.traces import ToolDefinition

__all__ = ["expected_schema_size", "known_schema_size", "schema_size", "used_schema_size"]

_TYPICAL: JsonObject = {"type": "integer", "description": "The first number, such as 12."}
_TYPICAL_DESCRIPTION = "Compute what the code computes that agents wrote again and again."


def schema_size(draft: Draft) -> int:
    """Return the characters of a tool's definition as a toolbox gives it to OpenAI's API."""
    return _size(draft.name, draft.description, draft.parameters)


def known_schema_size(tool: ToolDefinition) -> int:
    """Return the same for a tool that a log defines."""
    return _size(tool.name, tool.description, tool.parameters)


def used_schema_size(tool: str, arguments: Iterable[str]) -> int:
    """Return the same for the least definition that allows a call with these arguments."""
    anything: JsonObject = {"type": "string"}
    return _size(tool, "", object_schema(dict.fromkeys(arguments, anything), closed=True))


def expected_schema_size(opportunity: Pattern) -> int:
    """Return the same for the tool that would be made of an opportunity.

    For code it is an estimate: what type a parameter has shows only where the code is run.
    """
    if isinstance(opportunity, RepeatedSequence):
        return schema_size(draft_composite(opportunity))
    parameters = object_schema(dict.fromkeys(opportunity.parameters, _TYPICAL), closed=True)
    return _size(opportunity.name, _TYPICAL_DESCRIPTION, parameters)


def _size(name: str, description: str, parameters: JsonObject) -> int:
    return len(canonical(openai_tool(ToolSpec(name, description, "", parameters, {}))))
