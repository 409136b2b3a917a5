"""Tool definitions as logs carry them: OpenAI's nested form and the flat ones."""

from __future__ import annotations

from toolguild.sandbox import Json
from toolguild.synth.traces.model import ToolDefinition

__all__ = ["tool_definitions"]


def tool_definitions(listed: Json) -> tuple[ToolDefinition, ...]:
    """Return the definitions in a list, leaving out what has no name.

    Takes `{"type": "function", "function": {"name", "description", "parameters"}}`, and the flat
    `{"name", "description", "parameters"}` with the schema also under `input_schema`.
    """
    if not isinstance(listed, list):
        return ()
    found = (_definition(item) for item in listed)
    return tuple(definition for definition in found if definition is not None)


def _definition(item: Json) -> ToolDefinition | None:
    if not isinstance(item, dict):
        return None
    nested = item.get("function")
    body = nested if isinstance(nested, dict) else item
    name, description = body.get("name"), body.get("description")
    if not isinstance(name, str) or not name:
        return None
    schema = body.get("parameters", body.get("input_schema"))
    return ToolDefinition(
        name=name,
        description=description if isinstance(description, str) else "",
        parameters=schema if isinstance(schema, dict) else {},
    )
