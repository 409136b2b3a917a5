"""Writes recorded runs as two kinds of trace log: OpenAI chat messages and ATIF trajectories.

The formats: https://platform.openai.com/docs/api-reference/chat and
https://harborframework.com/docs/trajectory-format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from toolguild.cli.demo.runs import RecordedCall, Run
from toolguild.sandbox import Json, JsonObject

__all__ = ["ToolSpec", "write_atif_log", "write_chat_log"]

_INSTRUCTIONS = (
    "You answer the tickets of a support desk. Look up what you need, decide by the data, and"
    " leave no ticket without a reply."
)


class ToolSpec(Protocol):
    """A tool as the agent is offered it."""

    @property
    def name(self) -> str:
        """The tool's name."""

    @property
    def description(self) -> str:
        """What the tool does."""

    @property
    def parameters(self) -> JsonObject:
        """JSON Schema of the arguments object."""


def write_chat_log(path: Path, runs: Iterable[Run], tools: Sequence[ToolSpec]) -> None:
    """Write a JSON line a run: its `id`, the `messages`, and the `tools` offered.

    The format has no place for errors: a failed call's result is a text that starts with `Error:`.
    """
    definitions = _definitions(tools)
    with path.open("w", encoding="utf-8") as file:
        for run in runs:
            record = {"id": run.id, "messages": list(_messages(run)), "tools": definitions}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_atif_log(directory: Path, runs: Iterable[Run], tools: Sequence[ToolSpec]) -> list[Path]:
    """Write each run as an ATIF 1.7 trajectory, a file each, and return the files.

    The format has no field for errors either: a failed call has its error in the `extra` of its
    result, under `error`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    definitions = _definitions(tools)
    written = []
    for run in runs:
        path = directory / f"{run.id}.json"
        trajectory = _trajectory(run, definitions)
        path.write_text(json.dumps(trajectory, ensure_ascii=False, indent=1) + "\n", "utf-8")
        written.append(path)
    return written


def _definitions(tools: Sequence[ToolSpec]) -> list[Json]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


def _messages(run: Run) -> Iterator[Json]:
    yield {"role": "system", "content": _INSTRUCTIONS}
    yield {"role": "user", "content": run.task}
    number = 0
    for turn in run.turns():
        calls = {f"call_{run.ticket_id}_{number + i}": call for i, call in enumerate(turn, start=1)}
        number += len(turn)
        yield {
            "role": "assistant",
            "content": turn[0].thought,
            "tool_calls": [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {
                        "name": call.tool,
                        "arguments": json.dumps(call.arguments, ensure_ascii=False),
                    },
                }
                for call_id, call in calls.items()
            ],
        }
        for call_id, call in calls.items():
            yield {"role": "tool", "tool_call_id": call_id, "content": _content(call)}
    yield {"role": "assistant", "content": run.summary}


def _trajectory(run: Run, definitions: list[Json]) -> Json:
    steps: list[JsonObject] = [
        {"source": "system", "timestamp": run.started_at, "message": _INSTRUCTIONS},
        {"source": "user", "timestamp": run.started_at, "message": run.task},
        *(_agent_step(turn) for turn in run.turns()),
        {"source": "agent", "timestamp": run.ended_at, "message": run.summary},
    ]
    return {
        "schema_version": "ATIF-v1.7",
        "session_id": run.id,
        "trajectory_id": run.id,
        "agent": {
            "name": "scripted-support-agent",
            "version": "1.0.0",
            "tool_definitions": definitions,
        },
        "steps": [{"step_id": number, **step} for number, step in enumerate(steps, start=1)],
        "final_metrics": {"total_steps": len(steps)},
        "extra": {"ticket_id": run.ticket_id, "ticket_status": run.status},
    }


def _agent_step(turn: tuple[RecordedCall, ...]) -> JsonObject:
    calls = {f"turn{call.turn}-{number}": call for number, call in enumerate(turn, start=1)}
    return {
        "source": "agent",
        "timestamp": turn[0].started_at,
        "message": turn[0].thought,
        "tool_calls": [
            {"tool_call_id": call_id, "function_name": call.tool, "arguments": call.arguments}
            for call_id, call in calls.items()
        ],
        "observation": {"results": [_observation(*item) for item in calls.items()]},
    }


def _observation(call_id: str, call: RecordedCall) -> Json:
    result: JsonObject = {"source_call_id": call_id, "content": _content(call)}
    return {**result, "extra": {"error": call.error}} if call.error else result


def _content(call: RecordedCall) -> str:
    return f"Error: {call.error}" if call.error else json.dumps(call.result, ensure_ascii=False)
