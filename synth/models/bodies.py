"""Requests as OpenAI's protocol has them: chat completions, or Responses.

Formats: https://platform.openai.com/docs/api-reference/chat and .../responses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolguild.sandbox import JsonObject
from toolguild.synth.models.request import Message
from toolguild.synth.models.settings import ModelSettings

__all__ = ["body_of", "body_with"]


def body_of(
    settings: ModelSettings, messages: Sequence[Message], schema: JsonObject | None, name: str
) -> JsonObject:
    """Return a request as it is sent.

    Args:
        settings: Which model, by which protocol.
        messages: The conversation so far.
        schema: JSON Schema of the reply; None to ask for nothing in particular.
        name: What the schema is called.
    """
    conversation: list[Any] = [{"role": one.role, "content": one.text} for one in messages]
    form: JsonObject = {"name": name, "strict": True, "schema": schema}
    asked: JsonObject = {}
    if schema and settings.api == "responses":
        asked = {"text": {"format": {"type": "json_schema", **form}}}
    elif schema:
        asked = {"response_format": {"type": "json_schema", "json_schema": form}}
    return body_with(settings, conversation, asked)


def body_with(settings: ModelSettings, conversation: list[Any], asked: JsonObject) -> JsonObject:
    """Return a request as it is sent.

    Args:
        settings: Which model, by which protocol.
        conversation: What was said so far, as that protocol has it.
        asked: What else is asked for.
    """
    if settings.api == "responses":
        return {
            "model": settings.name,
            "input": conversation,
            "max_output_tokens": settings.most_output_tokens,
            "store": False,
            **asked,
        }
    # Others know the older name only, and OpenAI's newer models the newer one only.
    bound = "max_tokens" if settings.base_url else "max_completion_tokens"
    return {
        "model": settings.name,
        "messages": conversation,
        bound: settings.most_output_tokens,
        **asked,
    }
