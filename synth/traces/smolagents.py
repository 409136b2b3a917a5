"""Runs of smolagents: `agent.memory.get_full_steps()`, or a `RunResult` with its `steps`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.sandbox import Json
from toolguild.synth.traces.errors import Problem
from toolguild.synth.traces.field_errors import describe
from toolguild.synth.traces.identity import MissingTaskError, outcome_of, task_of, trace_id
from toolguild.synth.traces.model import Outcome, Place, Trace
from toolguild.synth.traces.reader import ReadOptions
from toolguild.synth.traces.records import Record
from toolguild.synth.traces.steps import CODE_TOOLS, StepsBuilder
from toolguild.synth.traces.values import arguments_of

__all__ = ["SmolagentsReader"]

_STEP_KEYS = frozenset({"action_output", "code_action", "model_output", "observations"})


class _Function(BaseModel):
    name: str
    arguments: JsonValue = None


class _ToolCall(BaseModel):
    id: str | None = None
    function: _Function


class _Error(BaseModel):
    type: str | None = None
    message: str = ""


class _Timing(BaseModel):
    start_time: float | None = None


class _Step(BaseModel):
    """Any of the library's memory steps: task, action, planning, final answer."""

    task: str | None = None
    step_number: int | None = None
    timing: _Timing | None = None
    tool_calls: list[_ToolCall] | None = None
    error: _Error | str | None = None
    model_output: JsonValue = None
    code_action: str | None = None
    observations: str | None = None
    is_final_answer: bool | None = None

    def error_text(self) -> str | None:
        """Return the error that ended the step."""
        if isinstance(self.error, _Error):
            return self.error.message or self.error.type
        return self.error or None

    def started_at(self) -> str | None:
        """Return the start as ISO 8601; the library logs seconds since the epoch."""
        seconds = self.timing.start_time if self.timing else None
        if seconds is None:
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC).isoformat()
        except (OverflowError, OSError, ValueError):  # no date of this calendar
            return None


class _Run(BaseModel):
    steps: list[_Step]
    state: str | None = None


@dataclass(frozen=True, slots=True)
class SmolagentsReader:
    """Reads code-writing and tool-calling runs; a file of single steps is cut at each task."""

    options: ReadOptions

    @property
    def name(self) -> str:
        """`smolagents`."""
        return "smolagents"

    def claims(self, sample: Sequence[Record]) -> bool:
        """Claim files in which a record is one of the library's steps or holds a list of them."""
        return any(_is_step(record.value) or _steps_in(record.value) for record in sample)

    def read(self, records: Iterable[Record]) -> Iterator[Trace | Problem]:
        """Yield a trace a record; single steps are gathered to one trace for each task."""
        loose: list[Record] = []
        size = 0
        for record in records:
            whole = _steps_in(record.value)
            if whole or _is_task(record.value):
                yield from self._gathered(loose)
                loose, size = [], 0
            if whole:
                yield self._trace(record.value, record.place, [record.place] * len(whole))
                continue
            size += record.size
            if size > self.options.max_record_bytes:
                yield Problem(record.place, "the steps of the file are too many for one run")
                return
            loose.append(record)
        yield from self._gathered(loose)

    def _gathered(self, loose: Sequence[Record]) -> Iterator[Trace | Problem]:
        if loose:
            steps: Json = [record.value for record in loose]
            yield self._trace(steps, loose[0].place, [record.place for record in loose])

    def _trace(self, value: Json, source: Place, places: Sequence[Place]) -> Trace | Problem:
        try:
            run = _Run.model_validate({"steps": value} if isinstance(value, list) else value)
            opening = next((step.task for step in run.steps if step.task), "")
            task = task_of(value, opening, self.options)
        except ValidationError as error:
            return Problem(source, f"not a smolagents run: {describe(error)}")
        except MissingTaskError as error:
            return Problem(source, str(error))
        builder = StepsBuilder()
        for step, place in zip(run.steps, places, strict=True):
            _tell(builder, step, place)
        stated = outcome_of(value, self.options)
        success = _finished(run) if stated.success is None else stated.success
        return Trace(
            id=trace_id(value, self.options),
            task=task,
            steps=builder.build(),
            outcome=Outcome(score=stated.score, success=success),
            source=source,
        )


def _is_task(value: Json) -> bool:
    return isinstance(value, dict) and "step_number" not in value and "task_images" in value


def _is_step(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    return _is_task(value) or ("step_number" in value and not _STEP_KEYS.isdisjoint(value))


def _steps_in(value: Json) -> list[Json] | None:
    """Return the steps that a record is or holds, if it does."""
    steps = value.get("steps") if isinstance(value, dict) else value
    return steps if isinstance(steps, list) and any(_is_step(step) for step in steps) else None


def _finished(run: _Run) -> bool | None:
    """Tell whether the run came to an answer, the nearest thing to success in the format."""
    if run.state is not None:
        return run.state == "success"
    return True if any(step.is_final_answer for step in run.steps) else None


def _tell(builder: StepsBuilder, step: _Step, place: Place) -> None:
    if step.task:
        builder.hear(step.task)
    if isinstance(step.model_output, str):
        builder.say(step.model_output)
    started_at, error = step.started_at(), step.error_text()
    code = step.code_action or _interpreter_code(step)
    if code:
        builder.execute(code, place, started_at=started_at)
        builder.answer(step.observations, error=error)
        return
    calls = step.tool_calls or []
    for call in calls:
        arguments = arguments_of(call.function.arguments)
        builder.call(call.function.name, arguments, place, started_at=started_at)
    for observation in _observations_of(step, len(calls)):
        builder.answer(observation, error=error)


def _interpreter_code(step: _Step) -> str | None:
    """Return the code of a call of the interpreter, whose arguments are the bare code."""
    call = step.tool_calls[0].function if step.tool_calls else None
    if call is None or call.name not in CODE_TOOLS or not isinstance(call.arguments, str):
        return None
    return call.arguments


def _observations_of(step: _Step, calls: int) -> list[str | None]:
    """Return the observation of each call of a step.

    The library joins the observations of parallel calls by line ends. Where the lines are not as
    many as the calls nothing tells them apart, and the results count as missing.
    """
    if calls <= 1:
        return [step.observations] * calls
    lines = (step.observations or "").splitlines()
    return [*lines] if len(lines) == calls else [None] * calls
