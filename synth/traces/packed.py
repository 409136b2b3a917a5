"""Traces as compact bytes, for what is kept of them: in memory by the thousand, and in files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from toolguild.synth.traces.errors import PackedTraceError
from toolguild.synth.traces.model import (
    CodeExecution,
    Outcome,
    Place,
    Step,
    Task,
    ToolCall,
    ToolDefinition,
    Trace,
)

__all__ = ["pack", "unpack"]

_FASTEST = 1
_MOST_BYTES = 1 << 30
"""A packed trace that grows beyond this was not written by `pack`."""


def pack(trace: Trace) -> bytes:
    """Return a trace as compressed JSON, with no more than the names of the tools it was offered.

    All traces of an agent carry the same definitions; who needs them keeps them once.
    """
    data = [
        trace.id,
        [trace.task.id, trace.task.text],
        [trace.outcome.score, trace.outcome.success],
        [trace.source.file, trace.source.line, trace.source.step],
        [tool.name for tool in trace.tools],
        [_packed(step, trace.source) for step in trace.steps],
        trace.instructions,
    ]
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), _FASTEST)


def unpack(packed: bytes, tools: Mapping[str, ToolDefinition]) -> Trace:
    """Return the trace that `pack` made bytes of.

    Args:
        packed: The bytes.
        tools: The definitions of tools, by name.

    Raises:
        PackedTraceError: the bytes are of no trace.
    """
    try:
        unpacker = zlib.decompressobj()
        data = json.loads(unpacker.decompress(packed, _MOST_BYTES))
        identity, task, outcome, source, offered, steps, instructions = data
        file, line, number = source
        place = Place(file, line, number)
        return Trace(
            id=identity,
            task=Task(*task),
            steps=tuple(_unpacked(step, place) for step in steps),
            outcome=Outcome(*outcome),
            source=place,
            tools=tuple(tools[name] for name in offered),
            instructions=int(instructions),
        )
    except (zlib.error, LookupError, TypeError, ValueError) as error:
        message = f"a kept trace is damaged ({error}); read its logs again into a new file"
        raise PackedTraceError(message) from error


def _packed(step: Step, source: Place) -> list[Any]:
    place = step.place
    where = [place.line, place.step, *([place.file] if place.file != source.file else [])]
    common = [step.result, step.error, where, step.reasoning, step.heard, step.started_at]
    if isinstance(step, CodeExecution):
        return [step.code, *common]
    return [step.tool, step.arguments, *common]


def _unpacked(step: list[Any], source: Place) -> Step:
    *content, result, error, (line, number, *file), reasoning, heard, started_at = step
    place = Place(file[0] if file else source.file, line, number)
    if len(content) == 1:
        return CodeExecution(content[0], result, error, place, reasoning, heard, started_at)
    tool, arguments = content
    return ToolCall(tool, arguments, result, error, place, reasoning, heard, started_at)
