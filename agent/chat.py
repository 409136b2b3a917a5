"""Plugging a toolbox into an agent that talks to an OpenAI-compatible chat endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeGuard

from toolguild.registry import Toolbox
from toolguild.sandbox import JsonObject

__all__ = ["AssistantMessage", "answer_tool_calls"]


class Function(Protocol):
    """The function of a tool call, as the `openai` package has it."""

    @property
    def name(self) -> str:
        """Name of the tool."""

    @property
    def arguments(self) -> str:
        """The arguments as the model wrote them: a JSON text, or what it took for one."""


class FunctionToolCall(Protocol):
    """One tool call of an assistant's message."""

    @property
    def id(self) -> str:
        """What the answer refers to."""

    @property
    def function(self) -> Function:
        """What to call."""


class AssistantMessage(Protocol):
    """A reply of the model: `response.choices[0].message`."""

    @property
    def tool_calls(self) -> Sequence[object] | None:
        """The tools that the model wants to call."""


def _is_function_call(call: object) -> TypeGuard[FunctionToolCall]:
    """Say whether a tool call is one of a function; custom tools have free text instead."""
    return getattr(call, "type", "function") == "function"


def answer_tool_calls(toolbox: Toolbox, message: AssistantMessage) -> list[JsonObject]:
    """Call what a model asked for and return the messages that answer it, in the same order.

    Calls of the caller's own tools belong to the caller: only those that the toolbox offers are
    answered. A call that fails or is refused is answered with the reason, for the model to act on.

    Raises:
        SandboxUnavailableError: the toolbox cannot run anything.
    """
    offered = {spec.name for spec in toolbox.specs()}
    answers: list[JsonObject] = []
    for call in message.tool_calls or ():
        if _is_function_call(call) and call.function.name in offered:
            result = toolbox.call_json(call.function.name, call.function.arguments)
            answers.append({"role": "tool", "tool_call_id": call.id, "content": result.for_model()})
    return answers
