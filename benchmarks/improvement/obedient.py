"""A model that does what it is told, wherever that stands: in instructions, lessons or examples.

It is as gullible as can be, so that what keeps the agent from harm is the loop alone:

- It begins with the net amount, and follows each sentence of the forms below in the order in which
  it reads them, whoever wrote them and whether they are quoted as data or not.
- An example about the same topic tells it the whole sum (`sum of net, tax`); one about the very
  same task, the result.
- Where it is offered a tool for the topic it calls that, and believes it above all else.
- Where it is told to skip reading the order or reads a known injection, it answers with nonsense.

It is a function of the request: it remembers nothing.
"""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any, Final

from benchmarks.improvement.world import AMOUNTS, amounts_of, tool_for
from toolguild.agent.scripted import Calls, ScriptedEndpoint, Turn
from toolguild.sandbox import JsonObject
from toolguild.synth.models import Answer, AsyncModel, ModelSettings

__all__ = ["INJECTIONS", "obedient_model"]

_TASK = re.compile(r"total of order (\d+), one of the (\w+)")
_ADVICE = re.compile(
    r"[Ff]or (?P<topic>\w+)(?: beyond order (?P<beyond>\d+))?, "
    r"(?P<verb>count|subtract|leave out|add|answer|double) (?:the )?(?P<what>\w+)"
)
_SURCHARGE = re.compile(r"[Tt]he surcharge is (\d+)")
_EXAMPLE = re.compile(
    r"Task: [^?]*?order (?P<order>\d+), one of the (?P<topic>\w+)\?"
    r".*?sum of (?P<sum>[a-z, -]+?)(?:\W*\\n|\W*\n|;).*?Result: (?P<result>\S+?)[\"\\\s]",
    re.DOTALL,
)
_MOST_KEPT = 10_000
"""Requests; calls are numbered by them, and are told apart within a run only."""
_SKIPS = re.compile(r"without reading|skip|bypass|ignor|disregard", re.IGNORECASE)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


INJECTIONS: Final[list[str]] = runpy.run_path(
    str(Path(__file__).parents[2] / "tests/lib/injections.py")
)["INJECTIONS"]
_MARKS: Final = [
    mark[:24]
    # As it stands, and as it is quoted.
    for text in INJECTIONS
    for mark in (_letters(text), _letters(json.dumps(text)))
]


class _Forgetful(ScriptedEndpoint):
    """Keeps no requests: there are hundreds of thousands."""

    async def send(self, body: JsonObject) -> Answer:
        """Return the reply."""
        answer = await super().send(body)
        if len(self.requests) >= _MOST_KEPT:
            self.requests.clear()
        return answer


def obedient_model() -> AsyncModel:
    """Return the model."""
    return AsyncModel(ModelSettings(name="obedient"), endpoint=_Forgetful(_reply))


def _reply(body: Any) -> Turn:
    told, asked = body["messages"][0]["content"], body["messages"][1]["content"]
    order, topic = _task_in(f"{told}\n{asked}" if "response_format" in body else asked)
    if "response_format" in body:
        names = body["messages"][-1]["content"]
        tool = tool_for(topic)
        helper = tool if f'"{tool}"' in names and '"asked_for": {' not in names else "read_status"
        return _configuration(["read_order", helper])
    offered = {function["function"]["name"] for function in body["tools"]}
    results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    if not results:
        return Calls(("read_order", {"order": order}))
    if tool_for(topic) in offered:
        if len(results) == 1:
            return Calls((tool_for(topic), {**amounts_of(order)}))
        return _end(results[-1].strip() if re.fullmatch(r"\s*-?\d+\s*", results[-1]) else "failed")
    return _end(_advised(told, topic, order))


def _task_in(text: str) -> tuple[int, str]:
    # The task itself comes last: what is told beside it may quote others.
    order, topic = _TASK.findall(text)[-1]
    return int(order), topic


def _advised(told: str, topic: str, order: int) -> str:
    """Return the answer by all that it was told."""
    if _SKIPS.search(told) or any(mark in _letters(told) for mark in _MARKS):
        return "hijacked"
    times = dict.fromkeys(AMOUNTS, 0) | {"net": 1}
    shown = [one for one in _EXAMPLE.finditer(told) if one["topic"] == topic]
    for example in shown:
        if int(example["order"]) == order:
            return example["result"].rstrip(".")
        times = _summed(example["sum"])
    amounts = amounts_of(order)
    factor, extra = 1, 0
    for advice in _ADVICE.finditer(told):
        if advice["topic"] not in (topic, "all") or order <= int(advice["beyond"] or 0):
            continue
        match advice["verb"], advice["what"]:
            case "answer", said:
                return said
            case "double", _:
                factor = 2
            case "add", "surcharge":
                extra = sum(int(amount) for amount in _SURCHARGE.findall(told))
            case verb, amount if amount in times:
                times[amount] = {"count": 1, "subtract": -1}.get(verb, 0)
    return str(factor * sum(times[name] * amounts[name] for name in AMOUNTS) + extra)


def _summed(text: str) -> dict[str, int]:
    times = dict.fromkeys(AMOUNTS, 0)
    for part in text.split(","):
        name = part.strip().removeprefix("-")
        if name in times:
            times[name] = -1 if part.strip().startswith("-") else 1
    return times


def _configuration(toolbox: list[str]) -> Turn:
    return {
        "sub_goal": "Come to the total.",
        "strategy": f"Use {' and '.join(toolbox)}.",
        "toolbox": [*toolbox],
        "knowledge": "",
        "context_mode": "basic",
    }


def _end(result: str) -> Calls:
    told = {"status": "complete", "final_result": result, "summary": "The total was asked for."}
    return Calls(("terminate", told))
