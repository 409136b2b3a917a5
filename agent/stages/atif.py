"""The trace that a run leaves, in the format that `synthesize` reads: so the loop closes.

ATIF, https://harborframework.com/docs/trajectory-format. Work goes in as steps with tool calls.
What an agent does to itself goes in as words: it is no call that a tool could save.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from toolguild.agent.stages.events import (
    CallEnded,
    Configured,
    Ended,
    Event,
    Reconfigured,
    Replied,
    RunStarted,
)
from toolguild.agent.stages.meta_tools import META_TOOLS
from toolguild.registry import NotJsonError, decode_json
from toolguild.sandbox import JsonObject
from toolguild.synth.traces.redaction import redact
from toolguild.version import __version__

__all__ = ["trace_of", "write_trace"]

_SCHEMA_VERSION = "ATIF-v1.7"


def trace_of(events: Sequence[Event], score: float | None = None) -> JsonObject:
    """Return the trajectory of a run, secrets replaced.

    Args:
        events: Those of the run, from the first; it need not have ended.
        score: How well it went, from 0 to 1, where somebody has judged that.

    Raises:
        ValueError: the first event of a run is missing.
        RedactionError: the run holds more secrets than can be followed.
    """
    start = events[0] if events else None
    if not isinstance(start, RunStarted):
        msg = "the first event of a run is missing"
        raise ValueError(msg)
    steps = [_step("user", start.task, start.at), *_steps(events)]
    end = next((event for event in events if isinstance(event, Ended)), None)
    outcome: JsonObject = {"status": end.status, "result": end.result} if end else {}
    if score is not None:
        outcome["score"] = score
    trajectory: JsonObject = {
        "schema_version": _SCHEMA_VERSION,
        "trajectory_id": start.run,
        "agent": {"name": "toolguild", "version": __version__, "model_name": start.model},
        "steps": [{"step_id": number, **step} for number, step in enumerate(steps, start=1)],
        "extra": {"task": start.task, **outcome},
    }
    redacted = redact(trajectory)
    assert isinstance(redacted, dict)  # noqa: S101 - the same but for its texts
    return redacted


def write_trace(path: Path, trace: JsonObject) -> None:
    """Write a trajectory, all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(trace, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)


def _steps(events: Iterable[Event]) -> list[JsonObject]:
    steps: list[JsonObject] = []
    # A call's result belongs to the step that asked for it.
    asked: dict[str, JsonObject] = {}
    for event in events:
        match event:
            case Configured():
                steps.append(_step("agent", f"Stage 1: {event.configuration.sub_goal}", event.at))
            case Reconfigured():
                told = f"{event.summary} Stage {event.stage + 1}: {event.new.sub_goal}"
                steps.append(_step("agent", told, event.at))
            case Replied():
                step = _step("agent", event.text, event.at)
                step["metrics"] = {
                    "prompt_tokens": event.tokens.input,
                    "completion_tokens": event.tokens.output,
                }
                work = [call for call in event.calls if call.name not in META_TOOLS]
                if work:
                    step["tool_calls"] = [
                        {
                            "tool_call_id": call.id,
                            "function_name": call.name,
                            "arguments": _arguments(call.arguments),
                        }
                        for call in work
                    ]
                    step["observation"] = {"results": []}
                    asked |= {call.id: step for call in work}
                if work or event.text:
                    steps.append(step)
            case CallEnded() if event.call in asked:
                _add_result(asked.pop(event.call), event)
            case Ended():
                steps.append(_step("agent", event.result or event.summary, event.at))
    return steps


def _step(source: str, message: str, at: str) -> JsonObject:
    return {"source": source, "message": message, "timestamp": at}


def _add_result(step: JsonObject, event: CallEnded) -> None:
    result: JsonObject = {"source_call_id": event.call, "content": event.text}
    if not event.ok:
        result["extra"] = {"error": event.text}
    observation = step["observation"]
    assert isinstance(observation, dict)  # noqa: S101 - made so above
    results = observation["results"]
    assert isinstance(results, list)  # noqa: S101 - likewise
    results.append(result)


def _arguments(text: str) -> JsonObject:
    """Return arguments as an object, which the format wants; what is none stands in one."""
    try:
        value = decode_json(text or "{}")
    except NotJsonError:
        value = text
    return value if isinstance(value, dict) else {"unreadable": value}
