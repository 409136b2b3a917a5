"""Logs of OpenAI chat messages, the most common home-made format.

Field names after the `openai` package (`types/chat`). A record is a run whose messages stand
under some key (`messages`, tau-bench's `traj`, MINT's `state.history`), or a bare list of
messages; a file of single messages is one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from toolguild.sandbox import Json
from toolguild.synth.traces.definitions import tool_definitions
from toolguild.synth.traces.errors import Problem
from toolguild.synth.traces.execute_tags import Utterance, has_execute_blocks, tell_code_run
from toolguild.synth.traces.field_errors import describe
from toolguild.synth.traces.identity import (
    MissingTaskError,
    at_path,
    outcome_of,
    task_of,
    task_text,
    trace_id,
)
from toolguild.synth.traces.model import Place, Trace
from toolguild.synth.traces.reader import ReadOptions
from toolguild.synth.traces.records import Record
from toolguild.synth.traces.steps import StepsBuilder
from toolguild.synth.traces.values import arguments_of, text_of

__all__ = ["ChatReader"]

_USUAL_KEYS = ("messages", "traj", "trajectory", "conversation", "history")
_USER_ROLES = frozenset({"user", "human"})
_RESULT_ROLES = frozenset({"tool", "function"})
# Content parts of Anthropic messages: its tool calls and results are invisible to this reader.
_ANTHROPIC_PARTS = frozenset({"tool_use", "tool_result"})
# Keys of formats that hold chat messages among richer things.
_FOREIGN_KEYS = frozenset({"run_type", "step_number", "resourceSpans"})


class _Function(BaseModel):
    name: str
    arguments: JsonValue = None


class _Custom(BaseModel):
    name: str
    input: str = ""


class _ToolCall(BaseModel):
    id: str | int | None = None
    function: _Function | None = None
    custom: _Custom | None = None


class _Message(BaseModel):
    """One chat message; whatever else it holds is ignored."""

    role: str
    content: JsonValue = None
    reasoning_content: JsonValue = None
    reasoning: JsonValue = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    tool_call_id: str | int | None = None
    name: str | None = None
    is_error: bool | None = None
    status: str | None = None


_MESSAGES = TypeAdapter(list[_Message])
_Placed: TypeAlias = tuple[_Message, Place]


@dataclass(frozen=True, slots=True)
class ChatReader:
    """Reads chat messages with tool calls, or with `<execute>` blocks where there are none."""

    options: ReadOptions

    @property
    def name(self) -> str:
        """`chat`."""
        return "chat"

    def claims(self, sample: Sequence[Record]) -> bool:
        """Claim files of whose records half or more are messages or hold a list of them."""
        known = sum(
            _is_message(record.value) or self._listed(record.value) is not None for record in sample
        )
        return 2 * known >= len(sample)

    def read(self, records: Iterable[Record]) -> Iterator[Trace | Problem]:
        """Yield a trace a record; single messages are gathered to one trace."""
        loose: list[Record] = []
        size = 0
        for record in records:
            if not _is_message(record.value):
                yield self._trace_of(record)
                continue
            size += record.size
            if size > self.options.max_record_bytes:
                yield Problem(record.place, "the messages of the file are too many for one run")
                return
            loose.append(record)
        if loose:
            yield self._trace_of_messages(loose)

    def _trace_of(self, record: Record) -> Trace | Problem:
        listed = self._listed(record.value)
        if listed is None:
            return Problem(record.place, self._no_messages())
        try:
            messages = _MESSAGES.validate_python(listed)
        except ValidationError as error:
            return Problem(record.place, f"not chat messages: {describe(error)}")
        return self._trace(record.value, record.place, [(m, record.place) for m in messages])

    def _trace_of_messages(self, loose: Sequence[Record]) -> Trace | Problem:
        try:
            messages = _MESSAGES.validate_python([record.value for record in loose])
        except ValidationError as error:
            return Problem(loose[0].place, f"not chat messages: {describe(error)}")
        placed = list(zip(messages, (record.place for record in loose), strict=True))
        return self._trace([record.value for record in loose], loose[0].place, placed)

    def _trace(self, value: Json, source: Place, messages: Sequence[_Placed]) -> Trace | Problem:
        heard = (text_of(m.content) for m, _ in messages if m.role in _USER_ROLES)
        try:
            task = task_of(value, next(heard, ""), self.options)
        except MissingTaskError as error:
            return Problem(source, str(error))
        builder = StepsBuilder()
        utterances = _utterances(messages)
        if has_execute_blocks(utterances) and not any(m.tool_calls for m, _ in messages):
            tell_code_run(builder, utterances, task_text(value))
        else:
            _tell_calls(builder, messages)
        offered = at_path(value, "tools") or at_path(value, "functions")
        return Trace(
            id=trace_id(value, self.options),
            task=task,
            steps=builder.build(),
            outcome=outcome_of(value, self.options),
            source=source,
            tools=tool_definitions(offered),
            instructions=sum(
                len(text_of(message.content)) for message, _ in messages if _instructs(message)
            ),
        )

    def _listed(self, value: Json) -> Json:
        """Return the list of messages that a record is or holds, or None."""
        if isinstance(value, list):
            return value if _are_messages(value) else None
        if not isinstance(value, dict) or _is_foreign(value):
            return None
        if self.options.messages_key is not None:
            found = at_path(value, self.options.messages_key)
            return found if _are_messages(found) else None
        levels = [value, *(child for child in value.values() if isinstance(child, dict))]
        for level in levels:
            for key in (*_USUAL_KEYS, *level):
                if _are_messages(level.get(key)):
                    return level[key]
        return None

    def _no_messages(self) -> str:
        if self.options.messages_key is not None:
            return f"no chat messages at {self.options.messages_key!r}, given as messages_key"
        return "no list of chat messages in the record"


def _is_message(value: Json) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        return False
    content = value.get("content")
    if isinstance(content, list) and any(_is_anthropic_part(part) for part in content):
        return False
    return not {"content", "tool_calls", "function_call"}.isdisjoint(value)


def _is_anthropic_part(part: Json) -> bool:
    return isinstance(part, dict) and part.get("type") in _ANTHROPIC_PARTS


def _are_messages(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_message(item) for item in value)


def _is_foreign(value: dict[str, Json]) -> bool:
    """Tell whether a record with messages belongs to another format, which says more by itself."""
    if not _FOREIGN_KEYS.isdisjoint(value):
        return True
    turns = value.get("trajectory")  # of SWE-agent, beside the chat in `history`
    return isinstance(turns, list) and any(isinstance(t, dict) and "action" in t for t in turns)


def _utterances(messages: Iterable[_Placed]) -> list[Utterance]:
    return [
        Utterance(message.role == "assistant", text_of(message.content), place)
        for message, place in messages
        if not _instructs(message)
    ]


def _instructs(message: _Message) -> bool:
    return message.role in ("system", "developer")


def _tell_calls(builder: StepsBuilder, messages: Iterable[_Placed]) -> None:
    for message, place in messages:
        if message.role in _USER_ROLES:
            builder.hear(text_of(message.content))
        elif message.role == "assistant":
            for said in (message.reasoning_content, message.reasoning, message.content):
                builder.say(text_of(said))
            _tell_calls_of(builder, message, place)
        elif message.role in _RESULT_ROLES:
            failed = message.is_error or message.status == "error"
            builder.answer(
                message.content,
                call_id=_id(message.tool_call_id),
                tool=message.name or "",
                error=text_of(message.content).strip() or "error" if failed else None,
            )


def _tell_calls_of(builder: StepsBuilder, message: _Message, place: Place) -> None:
    for call in message.tool_calls or ():
        if call.function is not None:
            arguments = arguments_of(call.function.arguments)
            builder.call(call.function.name, arguments, place, call_id=_id(call.id))
        elif call.custom is not None:
            # A custom tool takes one free text.
            builder.call(
                call.custom.name, {"input": call.custom.input}, place, call_id=_id(call.id)
            )
    if message.function_call is not None:
        legacy = message.function_call
        builder.call(legacy.name, arguments_of(legacy.arguments), place)


def _id(value: str | int | None) -> str:
    return "" if value is None else str(value)
