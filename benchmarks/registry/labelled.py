"""Real tasks with the real tools that they take, from the traces in ../shared.

- tau-bench, airline: what the user first says in a run, and as another set the whole instruction
  that the simulated user was given. The tools are those of the actions by which tau-bench's authors
  solve the task: only tools that write, as reading is not judged there.
- BFCL, multi-turn: what the user says in a turn. The tools are those that the authors' script calls
  in that turn. Of these tools the traces have names and arguments, and no descriptions.

Nothing was labelled for this benchmark, and no task was left out but those that take no tool.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolguild.registry import ToolSpec
from toolguild.sandbox import JsonObject

__all__ = ["Task", "labelled_tasks", "real_tools"]

SHARED = Path(os.environ.get("TOOLGUILD_SHARED", Path(__file__).parents[3] / "shared"))
_AIRLINE = SHARED / "traces/tau-bench-airline"
_BFCL = SHARED / "traces/bfcl-multi-turn/trajectories.json"


@dataclass(frozen=True, slots=True)
class Task:
    """A text, and the tools that it takes."""

    source: str
    text: str
    tools: frozenset[str]


def real_tools() -> list[ToolSpec]:
    """Return the tools of both benchmarks, with what the traces tell of them."""
    functions = [tool["function"] for tool in _read(_AIRLINE / "tools.json")]
    specs = {
        one["name"]: _spec(one["name"], one["description"], one["parameters"]) for one in functions
    }
    arguments: dict[str, set[str]] = {}
    for run in _read(_BFCL):
        for name, given in _calls(run["traj"]):
            arguments.setdefault(name, set()).update(given)
    for name, names in sorted(arguments.items()):
        properties: JsonObject = {argument: {} for argument in sorted(names)}
        specs.setdefault(name, _spec(name, "", {"type": "object", "properties": properties}))
    return [*specs.values()]


def labelled_tasks() -> list[Task]:
    """Return the tasks, each text once."""
    tasks = {(task.source, task.text): task for task in (*_airline(), *_bfcl()) if task.tools}
    return [*tasks.values()]


def _airline() -> Iterator[Task]:
    for run in _read(_AIRLINE / "trajectories.json"):
        task = run["info"]["task"]
        tools = frozenset(action["name"] for action in task["actions"])
        first = next(one["content"] for one in run["traj"] if one["role"] == "user")
        yield Task("tau-bench, first message", first, tools)
        yield Task("tau-bench, instruction", task["instruction"], tools)


def _bfcl() -> Iterator[Task]:
    for run in _read(_BFCL):
        turns: list[list[Any]] = []
        for message in run["traj"]:
            if message["role"] == "user":
                turns.append([])
            turns[-1].append(message)
        for turn in turns:
            tools = frozenset(name for name, _ in _calls(turn))
            yield Task("BFCL, turn", turn[0]["content"], tools)


def _calls(messages: list[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for message in messages:
        for call in message.get("tool_calls") or ():
            yield call["function"]["name"], json.loads(call["function"]["arguments"])


def _spec(name: str, description: str, parameters: JsonObject) -> ToolSpec:
    return ToolSpec(name, description, f"def {name}(**given): ...\n", parameters, {})


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
