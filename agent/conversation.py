"""What is said between a model and whoever runs it, and the requests that carry it.

Formats: https://platform.openai.com/docs/api-reference/chat and .../responses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from toolguild.sandbox import JsonObject
from toolguild.synth.models import FunctionCall, ModelSettings
from toolguild.synth.models.bodies import body_with

__all__ = ["Message", "Role", "request_of", "size_of"]

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    role: Role
    text: str
    calls: tuple[FunctionCall, ...] = ()
    """What an assistant wants to have called."""
    answers: str = ""
    """The id of the call that a tool's message answers."""


def request_of(
    settings: ModelSettings, messages: Sequence[Message], functions: Sequence[JsonObject]
) -> JsonObject:
    """Return the request for a model's next message.

    Args:
        settings: Which model, by which protocol.
        messages: The conversation so far.
        functions: What it may call, as `openai_function` gives it for that protocol.
    """
    offered: JsonObject = {"tools": [*functions]} if functions else {}
    if settings.api == "responses":
        items = [item for message in messages for item in _items(message)]
        return body_with(settings, items, offered)
    return body_with(settings, [_chat_message(message) for message in messages], offered)


def size_of(message: Message) -> int:
    """Return the characters of a message, those of its calls included."""
    return len(message.text) + sum(len(call.name) + len(call.arguments) for call in message.calls)


def _chat_message(message: Message) -> JsonObject:
    told: JsonObject = {"role": message.role, "content": message.text}
    if message.calls:
        told["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        told["tool_call_id"] = message.answers
    return told


def _items(message: Message) -> list[Any]:
    if message.role == "tool":
        return [
            {"type": "function_call_output", "call_id": message.answers, "output": message.text}
        ]
    said = [{"role": message.role, "content": message.text}] if message.text else []
    calls = [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in message.calls
    ]
    return [*said, *calls]
