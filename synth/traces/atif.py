"""Trajectories in the Agent Trajectory Interchange Format (ATIF).

https://harborframework.com/docs/trajectory-format; the models here take what other versions and
other writers leave out or add.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.sandbox import Json
from toolguild.synth.traces.definitions import tool_definitions
from toolguild.synth.traces.errors import Problem
from toolguild.synth.traces.field_errors import describe
from toolguild.synth.traces.identity import MissingTaskError, outcome_of, task_of, trace_id
from toolguild.synth.traces.model import Place, Trace
from toolguild.synth.traces.reader import ReadOptions
from toolguild.synth.traces.records import Record
from toolguild.synth.traces.steps import StepsBuilder
from toolguild.synth.traces.values import arguments_of, text_of

__all__ = ["AtifReader"]

# ATIF has no field for an error; writers put it into a result's `extra`.
_ERROR_KEYS = ("error", "error_message", "exception")


class _ToolCall(BaseModel):
    tool_call_id: str | int | None = None
    function_name: str
    arguments: JsonValue = None


class _Result(BaseModel):
    source_call_id: str | int | None = None
    content: JsonValue = None
    extra: dict[str, JsonValue] | None = None

    def error(self) -> str | None:
        """Return the error that the writer marked."""
        extra = self.extra or {}
        for stated in (extra.get(key) for key in _ERROR_KEYS):
            text = stated.get("message") if isinstance(stated, dict) else stated
            if isinstance(text, str) and text.strip():
                return text.strip()
        marked = any(extra.get(key) is True for key in ("error", "is_error"))
        return text_of(self.content).strip() or "error" if marked else None


class _Observation(BaseModel):
    results: list[_Result] | None = None


class _Step(BaseModel):
    source: str
    message: JsonValue = None
    reasoning_content: JsonValue = None
    tool_calls: list[_ToolCall] | None = None
    observation: _Observation | None = None
    timestamp: str | None = None
    is_copied_context: bool | None = None


class _Agent(BaseModel):
    tool_definitions: JsonValue = None


class _Trajectory(BaseModel):
    agent: _Agent | None = None
    steps: list[_Step]


@dataclass(frozen=True, slots=True)
class AtifReader:
    """Reads ATIF trajectories; embedded trajectories of subagents are traces of their own."""

    options: ReadOptions

    @property
    def name(self) -> str:
        """`atif`."""
        return "atif"

    def claims(self, sample: Sequence[Record]) -> bool:
        """Claim files whose first record names the format or has its steps."""
        value = sample[0].value
        if not isinstance(value, dict):
            return False
        version, steps = value.get("schema_version"), value.get("steps")
        if isinstance(version, str) and version.upper().startswith("ATIF"):
            return True
        first = steps[0] if isinstance(steps, list) and steps else None
        return isinstance(first, dict) and {"step_id", "source"} <= first.keys()

    def read(self, records: Iterable[Record]) -> Iterator[Trace | Problem]:
        """Yield the trace of each record, followed by those of its subagents."""
        for record in records:
            for value in _with_subagents(record.value):
                yield self._trace(value, record.place)

    def _trace(self, value: Json, source: Place) -> Trace | Problem:
        try:
            trajectory = _Trajectory.model_validate(value)
            task = task_of(value, _opening(trajectory.steps), self.options)
        except ValidationError as error:
            return Problem(source, f"not an ATIF trajectory: {describe(error)}")
        except MissingTaskError as error:
            return Problem(source, str(error))
        builder = StepsBuilder()
        for number, step in enumerate(trajectory.steps):
            if not step.is_copied_context:
                _tell(builder, step, number, source)
        offered = trajectory.agent.tool_definitions if trajectory.agent else None
        return Trace(
            id=trace_id(value, self.options),
            task=task,
            steps=builder.build(),
            outcome=outcome_of(value, self.options),
            source=source,
            tools=tool_definitions(offered),
            instructions=sum(
                len(text_of(step.message)) for step in trajectory.steps if step.source == "system"
            ),
        )


def _with_subagents(value: Json) -> Iterator[Json]:
    yield value
    embedded = value.get("subagent_trajectories") if isinstance(value, dict) else None
    for child in embedded if isinstance(embedded, list) else ():
        yield from _with_subagents(child)


def _opening(steps: Sequence[_Step]) -> str:
    own_first = sorted(steps, key=lambda step: bool(step.is_copied_context))
    return next((text_of(step.message) for step in own_first if step.source == "user"), "")


def _tell(builder: StepsBuilder, step: _Step, number: int, source: Place) -> None:
    if step.source == "user":
        builder.hear(text_of(step.message))
    if step.source == "agent":
        builder.say(text_of(step.reasoning_content))
        builder.say(text_of(step.message))
    calls = step.tool_calls or []
    call_ids = [_id(call.tool_call_id) or f"{number}:{nth}" for nth, call in enumerate(calls)]
    for call, call_id in zip(calls, call_ids, strict=True):
        builder.call(
            call.function_name,
            arguments_of(call.arguments),
            source,
            call_id=call_id,
            started_at=step.timestamp,
        )
    results = (step.observation.results if step.observation else None) or []
    named = {_id(result.source_call_id) for result in results}
    unnamed = iter([call_id for call_id in call_ids if call_id not in named])
    for result in results:
        answered = _id(result.source_call_id) or next(unnamed, "")
        # What belongs to no call of the step is of an action that was none.
        if answered in call_ids:
            builder.answer(result.content, call_id=answered, error=result.error())


def _id(value: str | int | None) -> str:
    return "" if value is None else str(value)
