"""A task of many hops: each record names the next one, and the last one holds the answer.

The agent is scripted, so that both ways of running it do the same: it looks up one record a step.
In stages it reconfigures after some hops, and takes along the name of the next record; otherwise
everything that was said stays part of each request.
"""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolguild.agent.conversation import Message, request_of
from toolguild.agent.scripted import Calls, ScriptedEndpoint, Turn
from toolguild.agent.stages import Limits, StageLoop
from toolguild.registry import ExternalTool, Registry, Toolbox, openai_function
from toolguild.sandbox import JsonObject
from toolguild.sandbox.scripted import ScriptedSandbox
from toolguild.synth.models import AsyncModel, ModelSettings

__all__ = ["Cost", "in_stages", "with_full_history"]

_HOPS_A_STAGE = 6
_CHARACTERS = 560
"""Of a record, beside what it says of the next one: about what a call of a real tool returns."""
_TASK = "Follow the records from R0 on, each of which names the next. What does the last one say?"
_KEY: JsonObject = {
    "type": "object",
    "properties": {"key": {"type": "string"}},
    "required": ["key"],
}
_SETTINGS = ModelSettings(name="scripted")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    most_input: int
    """Tokens of the largest request."""
    all_input: int
    """Tokens of all requests."""
    requests: int
    answer: str
    """What it came to, so that both ways can be seen to come to the same."""


def in_stages(hops: int) -> Cost:
    """Run the task by the stage loop."""
    records = _records(hops)
    tools = {
        "look_up": ExternalTool(lambda key: records[key], "read", "Read a record.", _KEY),
        "list_keys": ExternalTool(lambda: [*records], "read", "List the keys of all records."),
        "count": ExternalTool(lambda: len(records), "read", "Count the records."),
    }
    limits = Limits(stages=hops // _HOPS_A_STAGE + 1, steps=2 * hops, tokens=10**9)

    async def run(model: AsyncModel) -> str:
        with (
            tempfile.TemporaryDirectory() as folder,
            Registry.open(Path(folder) / "registry.db") as registry,
        ):
            toolbox = Toolbox(registry, ScriptedSandbox(), tools)
            return (await StageLoop(model, toolbox, limits=limits).run(_TASK)).result

    return _cost(run, _Walker(_HOPS_A_STAGE))


def with_full_history(hops: int) -> Cost:
    """Run the task as one conversation, which only grows (ReAct, arXiv 2210.03629)."""
    records = _records(hops)
    functions = [openai_function("look_up", "Read a record.", _KEY)]

    async def run(model: AsyncModel) -> str:
        messages = [Message("system", "Do the task by calling tools."), Message("user", _TASK)]
        while True:
            answer, _ = await model.answer(request_of(_SETTINGS, messages, functions))
            messages.append(Message("assistant", answer.text, answer.calls))
            [call] = answer.calls
            if call.name == "terminate":
                return _last(call.arguments)
            record = records[_last(call.arguments)]
            messages.append(Message("tool", record, answers=call.id))

    return _cost(run, _Walker(hops))


def _records(hops: int) -> dict[str, str]:
    """Return records by their keys, the same ones each time."""
    chance = random.Random(hops)  # noqa: S311 - nothing is secret in it
    records = {}
    for number in range(hops):
        words = "".join(chance.choices("abcdefghijklmno   ", k=_CHARACTERS))
        following = "END" if number == hops - 1 else f"R{number + 1}"
        records[f"R{number}"] = f"{words} {chance.randrange(10**6)} next: {following}"
    return records


def _last(text: str) -> str:
    """Return the last key or number of a text."""
    return re.findall(r"\bR?[0-9]+\b", text)[-1]


class _Walker:
    """The script: looks up a record a step, and begins another stage after so many."""

    def __init__(self, hops_a_stage: int) -> None:
        self._left = self._hops_a_stage = hops_a_stage
        self._key = "R0"

    def __call__(self, body: Any) -> Turn:
        """Return the reply to a request."""
        if "response_format" in body:
            self._left = self._hops_a_stage
            return self._configuration()
        last = body["messages"][-1]
        if last["role"] == "tool":
            record, _, self._key = last["content"].partition(" next: ")
            if self._key == "END":
                ending = {"status": "complete", "final_result": _last(record), "summary": "Done."}
                return Calls(("terminate", ending))
        if self._left == 0:
            return self._reconfigure()
        self._left -= 1
        return Calls(("look_up", {"key": self._key}))

    def _configuration(self) -> Turn:
        return {
            "sub_goal": f"Follow the records from {self._key} on.",
            "strategy": "Look up one record after the other; each ends with the key of the next.",
            "toolbox": ["look_up", "count"],
            "knowledge": f"The next record is {self._key}.",
            "context_mode": "basic",
        }

    def _reconfigure(self) -> Turn:
        wish = {
            "execution_summary": f"{self._hops_a_stage} records were followed, up to {self._key}. "
            "None of them was the last.",
            "update_reason": "What was read is not needed any more.",
            "new_sub_goal": f"Follow the records from {self._key} on.",
            "toolbox_requirements": "Reading a record.",
            "knowledge_requirements": "The key of the next record.",
            "strategy_requirements": "One record after the other.",
            "context_requirements": "None.",
        }
        return Calls(("reconfigure", wish))


def _cost(run: Callable[[AsyncModel], Awaitable[str]], script: _Walker) -> Cost:
    endpoint = ScriptedEndpoint(script)

    async def work() -> str:
        async with AsyncModel(_SETTINGS, endpoint=endpoint) as model:
            return await run(model)

    answer = asyncio.run(work())
    sizes = [endpoint.input_tokens(body) for body in endpoint.requests]
    return Cost(max(sizes), sum(sizes), len(sizes), answer)
