"""Replies as OpenAI's protocol has them: chat completions, or Responses.

Formats: https://platform.openai.com/docs/api-reference/chat and .../responses. They are read field
by field, as servers that only resemble OpenAI's leave out what they like.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pydantic import BaseModel, Field

from toolguild.synth.models.answers import Answer, FunctionCall

__all__ = ["Chat", "Responses"]


class _ChatUsage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _ChatFunction(BaseModel):
    name: str
    arguments: str | None = None


class _ChatCall(BaseModel):
    id: str | None = None
    function: _ChatFunction | None = None
    """Custom tools have something else."""


class _ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ChatCall] | None = None

    def calls(self) -> tuple[FunctionCall, ...]:
        """Return the functions to be called."""
        return _distinct(
            FunctionCall(call.id or "", call.function.name, call.function.arguments or "")
            for call in self.tool_calls or ()
            if call.function is not None
        )


class _ChatChoice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None


class Chat(BaseModel):
    """A chat completion."""

    id: str = ""
    choices: list[_ChatChoice] = Field(min_length=1)
    usage: _ChatUsage | None = None

    def answer(self, request_id: str) -> Answer:
        """Return what it says, under the id that the server told in a header, if it did."""
        choice = self.choices[0]
        refused = choice.message.refusal or choice.finish_reason == "content_filter"
        cut_off = choice.finish_reason == "length"
        return Answer(
            text=choice.message.refusal or choice.message.content or "",
            ended="refused" if refused else "cut off" if cut_off else "whole",
            input_tokens=self.usage.prompt_tokens if self.usage else None,
            output_tokens=self.usage.completion_tokens if self.usage else None,
            request_id=request_id or self.id,
            calls=choice.message.calls(),
        )


class _ResponsesUsage(BaseModel):
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)


class _Part(BaseModel):
    type: str
    text: str = ""
    refusal: str = ""


class _Item(BaseModel):
    type: str
    content: list[_Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class Responses(BaseModel):
    """A response of OpenAI's newer protocol."""

    id: str = ""
    status: str | None = None
    output: list[_Item]
    usage: _ResponsesUsage | None = None

    def answer(self, request_id: str) -> Answer:
        """Return what it says, under the id that the server told in a header, if it did."""
        parts = [part for item in self._of("message") for part in item.content or ()]
        refusal = "".join(part.refusal for part in parts if part.type == "refusal")
        text = "".join(part.text for part in parts if part.type == "output_text")
        cut_off = self.status == "incomplete"
        return Answer(
            text=refusal or text,
            ended="refused" if refusal else "cut off" if cut_off else "whole",
            input_tokens=self.usage.input_tokens if self.usage else None,
            output_tokens=self.usage.output_tokens if self.usage else None,
            request_id=request_id or self.id,
            calls=self._calls(),
        )

    def _of(self, kind: str) -> list[_Item]:
        return [item for item in self.output if item.type == kind]

    def _calls(self) -> tuple[FunctionCall, ...]:
        return _distinct(
            FunctionCall(item.call_id or "", item.name or "", item.arguments or "")
            for item in self._of("function_call")
        )


def _distinct(calls: Iterable[FunctionCall]) -> tuple[FunctionCall, ...]:
    """Give calls ids of their own where a server left them out, or told one twice."""
    told: dict[str, FunctionCall] = {}
    for call in calls:
        id = call.id or "call"
        while id in told:
            id += "-next"
        told[id] = replace(call, id=id)
    return tuple(told.values())
