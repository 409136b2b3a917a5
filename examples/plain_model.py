"""A stand-in for a model, so that the examples need no server: it goes by what it is told.

It answers the requests that a real model would get, and reads nothing else. What it can do is a
function of the request: the instructions, lessons and examples in it, the functions that are
offered, and what they returned. So it becomes better only where it is told something better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from toolguild.agent.scripted import Calls, Turn, scripted_model
from toolguild.agent.stages.meta_tools import META_TOOLS
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.models import AsyncModel

__all__ = ["Function", "Result", "Seen", "finish", "next_call", "plain_model"]

_QUOTED = re.compile(r"<data>\n(.*?)\n</data>", re.DOTALL)
"""How a request quotes what others said."""


@dataclass(frozen=True, slots=True)
class Function:
    """What may be called."""

    description: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a function returned."""

    name: str
    arguments: dict[str, Any]
    text: str

    @property
    def value(self) -> Any:
        """The text as JSON, or the text itself where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return self.text


@dataclass(frozen=True, slots=True)
class Seen:
    """A request, as a model reads it."""

    told: str
    """The system message, with the house's instructions, lessons and examples as plain text."""
    data: dict[str, Any]
    """What stands in the first message as data, such as the task."""
    functions: dict[str, Function]
    """What may be called, by name."""
    results: list[Result]
    """What was called at this stage, in its order."""
    form: str
    """Name of what is to be written; empty where something is to be called."""

    @property
    def task(self) -> str:
        """What is to be done."""
        return str(self.data["task"])

    @property
    def found(self) -> dict[str, Any]:
        """What was returned at this stage, by the names that it was given there."""
        found: dict[str, Any] = {}
        for result in self.results:
            _collect(result.name, result.value, found)
        return found

    @classmethod
    def of(cls, body: Any) -> Seen:
        """Read a request in the format of chat completions."""
        system, opening, *said = body["messages"]
        calls = {call["id"]: call["function"] for one in said for call in one.get("tool_calls", ())}
        answered = [
            (calls[one["tool_call_id"]], one["content"]) for one in said if one["role"] == "tool"
        ]
        form = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        return cls(
            told=_QUOTED.sub(lambda block: "\n".join(json.loads(block[1])), system["content"]),
            data=json.loads(_QUOTED.sub(r"\1", opening["content"])),
            functions={
                one["function"]["name"]: Function(
                    one["function"]["description"],
                    tuple(one["function"]["parameters"]["properties"]),
                )
                for one in body.get("tools", ())
            },
            results=[
                Result(call["name"], json.loads(call["arguments"]), text) for call, text in answered
            ],
            form=form,
        )


def plain_model(
    act: Callable[[Seen], Turn],
    knows: Collection[str],
    write: Callable[[Seen], Turn] | None = None,
) -> AsyncModel:
    """Return a model.

    Args:
        act: Says what it calls next.
        knows: Names of the tools that it takes for its tasks, beside those that were learned.
        write: Says what it writes where it is asked for anything but a configuration.
    """

    def reply(body: JsonObject) -> Turn:
        seen = Seen.of(body)
        if seen.form == "Configuration":
            return _configuration(seen, knows)
        if seen.form and write is not None:
            return write(seen)
        return act(seen)

    return scripted_model(reply)


def next_call(seen: Seen, in_hand: Mapping[str, Any]) -> Calls | None:
    """Return the call that does the most with what is in hand; None where there is none to make.

    That is the one which does what most others do, as its description says, and then the one that
    takes the most. Nothing is called twice.
    """
    called = {result.name for result in seen.results}
    can = {
        name: function
        for name, function in seen.functions.items()
        if name not in {*called, *META_TOOLS} and in_hand.keys() >= {*function.parameters}
    }
    if not can:
        return None

    def does(name: str) -> tuple[int, int]:
        words = re.findall(r"\w+", can[name].description)
        return len({*words} & seen.functions.keys()), len(can[name].parameters)

    name = max(can, key=does)
    return Calls((name, {one: in_hand[one] for one in can[name].parameters}))


def finish(result: str) -> Calls:
    """Return the call that ends a task."""
    ends = {"status": "complete", "final_result": result, "summary": "It is done."}
    return Calls(("terminate", ends))


def _collect(name: str, value: Any, found: dict[str, Any]) -> None:
    """Add a value, and those inside it: tools that call others return what these returned."""
    found[name] = value
    if isinstance(value, dict):
        for inner, part in value.items():
            _collect(inner, part, found)


def _configuration(seen: Seen, knows: Collection[str]) -> dict[str, Json]:
    """Take the tools that were learned for such tasks, and those that it knows, in one stage."""
    fit: list[Json] = [
        one["name"]
        for one in seen.data["tools"]
        if "learned" in one["categories"] or one["name"] in knows
    ]
    return {
        "sub_goal": "Do the task.",
        "strategy": "Call what leads to the result, and hand that over.",
        "toolbox": fit,
        "knowledge": "",
        "context_mode": "basic",
    }
