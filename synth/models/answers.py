"""What comes back from an endpoint, and what an endpoint is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from toolguild.sandbox import JsonObject

__all__ = ["Answer", "Endpoint", "FunctionCall"]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A tool that a model wants to have called."""

    id: str
    """By which the tool's answer refers to it; unique within one answer."""
    name: str
    arguments: str
    """As the model wrote them: a JSON text, or what it took for one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, not yet looked into."""

    text: str
    ended: Literal["whole", "cut off", "refused"]
    input_tokens: int | None
    """None where the server does not tell."""
    output_tokens: int | None
    request_id: str
    calls: tuple[FunctionCall, ...] = ()


class Endpoint(Protocol):
    """Where requests go."""

    async def probe(self) -> bool:
        """Return whether the server lives, by a question that costs a living one nothing.

        False where something answers, and it may be no such server, or one in trouble.

        Raises:
            ModelDownError: nothing answers in time.
        """

    async def send(self, body: JsonObject) -> Answer:
        """Send a request, by `body_of`, and wait for the answer.

        Raises:
            ModelDownError: there is none.
            UnsupportedRequestError: the server does not take such requests.
        """

    async def close(self) -> None:
        """Give back connections."""
