"""A model that says what it was told to say, for tests and examples of agents.

It stands where a server would: requests are made, replies are read and tokens are counted as they
are with a real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.models import Answer, AsyncModel, FunctionCall, ModelDownError, ModelSettings
from toolguild.synth.utility.tokens import tokens_in

__all__ = ["Calls", "Says", "Script", "ScriptedEndpoint", "Turn", "scripted_model"]


@dataclass(frozen=True, slots=True)
class Says:
    """A reply in words; or, where a form was asked for, what is to be read as it."""

    text: str


@dataclass(frozen=True, slots=True, init=False)
class Calls:
    """A reply that calls tools."""

    calls: tuple[tuple[str, Mapping[str, Json]], ...]

    def __init__(self, *calls: tuple[str, Mapping[str, Json]]) -> None:
        """Take name and arguments of each."""
        object.__setattr__(self, "calls", calls)


Turn: TypeAlias = Says | Calls | Mapping[str, Json]
"""What is said in reply to one request; a mapping is said as JSON."""
Script: TypeAlias = Iterable[Turn] | Callable[[JsonObject], Turn]
"""The replies in their order, or a function that makes each of the request."""


class ScriptedEndpoint:
    """Stands where a server would."""

    def __init__(self, script: Script) -> None:
        """Take what is to be said."""
        self._script = script if callable(script) else _in_turn(script)
        self.requests: list[JsonObject] = []
        """Those that came, in their order."""

    async def probe(self) -> bool:
        """Show life."""
        return True

    async def send(self, body: JsonObject) -> Answer:
        """Return the next reply.

        Raises:
            ModelDownError: the script is at its end.
        """
        self.requests.append(body)
        turn = self._script(body)
        number = len(self.requests)
        calls: tuple[FunctionCall, ...] = ()
        text = ""
        match turn:
            case Says():
                text = turn.text
            case Calls():
                calls = tuple(
                    FunctionCall(f"call-{number}-{place}", name, json.dumps(dict(arguments)))
                    for place, (name, arguments) in enumerate(turn.calls, start=1)
                )
            case _:
                text = json.dumps(dict(turn))
        said = len(text) + sum(len(call.name) + len(call.arguments) for call in calls)
        return Answer(
            text=text,
            ended="whole",
            input_tokens=self.input_tokens(body),
            output_tokens=int(tokens_in(said)),
            request_id=f"scripted-{number}",
            calls=calls,
        )

    @staticmethod
    def input_tokens(body: JsonObject) -> int:
        """Return about how many tokens a request has."""
        return int(tokens_in(len(json.dumps(body))))

    async def close(self) -> None:
        """Close nothing."""


def scripted_model(script: Script, name: str = "scripted") -> AsyncModel:
    """Return a model that follows a script."""
    return AsyncModel(ModelSettings(name=name), endpoint=ScriptedEndpoint(script))


def _in_turn(script: Iterable[Turn]) -> Callable[[JsonObject], Turn]:
    rest = iter(script)

    def following(_body: JsonObject) -> Turn:
        try:
            return next(rest)
        except StopIteration:
            msg = "the script is at its end"
            raise ModelDownError(msg) from None

    return following
