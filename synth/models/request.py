"""A request to a model: what it is told, what it is given, and the form of its reply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from toolguild.sandbox import Json
from toolguild.synth.models.prompts import Prompt
from toolguild.synth.models.quoting import as_data
from toolguild.synth.traces.redaction import redact

__all__ = ["Message", "Request"]

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: str
    """`system`, `user` or `assistant`."""
    text: str


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """What a model is asked."""

    prompt: Prompt
    data: Json
    """All that comes from traces, tools or other models; never a part of the instructions."""
    reply: type[T]
    context: object = None
    """What the form of the reply is checked against, beside its schema (pydantic's context)."""

    def messages(self, *, structured: bool) -> list[Message]:
        """Return the conversation so far, secrets replaced.

        Args:
            structured: Whether the endpoint is given the schema of the reply beside it.

        Raises:
            RedactionError: the data holds more secrets than can be followed.
        """
        instructions = self.prompt.text
        if not structured:
            schema = json.dumps(self.reply.model_json_schema())
            instructions += (
                "\n\nReply with one block of JSON, between a line ```json and a line ```, that fits"
                f" this JSON Schema, and with nothing else:\n{schema}"
            )
        return [
            Message("system", instructions),
            Message("user", as_data(redact(self.data))),
        ]
