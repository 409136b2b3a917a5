"""An agent's own tools, what a scripted model says, and what there is to see of a run."""

from __future__ import annotations

from typing import Any

from toolguild.agent.scripted import Calls, ScriptedEndpoint
from toolguild.agent.stages import Event, RunResult
from toolguild.registry import ExternalTool
from toolguild.sandbox import Json

CITIES = {"Ada": "Paris", "Bob": "Rome"}
WEATHER = {"Paris": "rain", "Rome": "sun"}


def text_schema(*names: str) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": [*names],
    }


def find_city(person: str) -> Json:
    """Say where somebody lives."""
    return CITIES[person]


def find_weather(city: str) -> Json:
    return {"city": city, "weather": WEATHER[city]}


OWN = {
    "find_city": ExternalTool(
        find_city, "read", "Say where a person lives.", text_schema("person")
    ),
    "find_weather": ExternalTool(
        find_weather, "read", "Say what the weather is in a city.", text_schema("city")
    ),
    "send_note": ExternalTool(
        lambda to, text: f"sent to {to}", "network", "Send a note.", text_schema("to", "text")
    ),
    "add": ExternalTool(
        lambda a, b: a + b,
        "read",
        "Add two numbers.",
        {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
    ),
}


def configuration(*toolbox: str, **fields: Any) -> dict[str, Json]:
    """Return a configuration as a model writes it."""
    usual: dict[str, Json] = {
        "sub_goal": "Find the city.",
        "strategy": "Ask the tool.",
        "toolbox": [*toolbox],
        "knowledge": "",
        "context_mode": "basic",
    }
    return usual | fields


def reconfigure(goal: str, **fields: str) -> Calls:
    """Return a call that asks for another configuration."""
    usual = {
        "execution_summary": "Something was done.",
        "update_reason": "It is reached.",
        "new_sub_goal": goal,
        "toolbox_requirements": "Whatever fits.",
        "knowledge_requirements": "What was found.",
        "strategy_requirements": "Step by step.",
        "context_requirements": "None.",
    }
    return Calls(("reconfigure", usual | fields))


def terminate(result: str = "done", status: str = "complete") -> Calls:
    """Return a call that ends the run."""
    told = {"status": status, "final_result": result, "summary": "It was done."}
    return Calls(("terminate", told))


class Played:
    """A run on a script, and all that there is to see of it."""

    def __init__(self, endpoint: ScriptedEndpoint, events: list[Event], result: RunResult) -> None:
        self.endpoint, self.events, self.result = endpoint, events, result

    def of(self, kind: type) -> list[Any]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def offered(self) -> list[list[str]]:
        """Return the names of the functions of each request that had any."""
        bodies: list[Any] = self.endpoint.requests
        return [
            [tool["function"]["name"] for tool in body["tools"]]
            for body in bodies
            if "tools" in body
        ]
