"""Assembling a run's steps from what a log tells in order: heard, said, called, answered."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.traces.model import CodeExecution, Place, Step, ToolCall
from toolguild.synth.traces.values import (
    clean_code,
    error_in,
    result_of,
    text_of,
    traceback_error,
    without_ansi,
)

__all__ = ["CODE_TOOLS", "StepsBuilder"]

CODE_TOOLS = frozenset({"execute_ipython_cell", "ipython", "python", "python_interpreter"})
"""Tools that run a text of Python in the agent's interpreter: their calls are executions."""

_CODE_ARGUMENTS = ("code", "source", "input", "cell", "script")


@dataclass(slots=True)
class _Draft:
    """A step whose result may still come."""

    place: Place
    reasoning: str
    heard: str
    started_at: str | None
    call_id: str
    tool: str = ""
    """Empty for a code execution."""
    arguments: JsonObject = field(default_factory=dict)
    code: str = ""
    answered: bool = False
    content: Json = None
    error: str | None = None

    def step(self) -> Step:
        if self.tool:
            return self._call()
        shown = without_ansi(text_of(self.content))
        return CodeExecution(
            code=self.code,
            result=shown,
            error=self.error or traceback_error(shown),
            place=self.place,
            reasoning=self.reasoning,
            heard=self.heard,
            started_at=self.started_at,
        )

    def _call(self) -> ToolCall:
        result = result_of(self.content)
        return ToolCall(
            tool=self.tool,
            arguments=self.arguments,
            result=result,
            error=self.error or error_in(result),
            place=self.place,
            reasoning=self.reasoning,
            heard=self.heard,
            started_at=self.started_at,
        )


class StepsBuilder:
    """Collects the steps of one run. Tell it of the log's events in order, then `build`."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._heard: list[str] = []
        self._said: list[str] = []
        self._turn_over = False
        # Answered steps stay queued until they surface, which keeps every look-up cheap.
        self._open: deque[_Draft] = deque()
        self._open_by_tool: defaultdict[str, deque[_Draft]] = defaultdict(deque)
        self._by_id: defaultdict[str, list[_Draft]] = defaultdict(list)

    def hear(self, text: str) -> None:
        """The user said something."""
        self._said.clear()
        self._turn_over = True
        if text.strip():
            self._heard.append(text.strip())

    def say(self, text: str) -> None:
        """The agent said or thought something."""
        if text.strip():
            self._said.append(text.strip())

    def call(
        self,
        tool: str,
        arguments: JsonObject,
        place: Place,
        *,
        call_id: str = "",
        started_at: str | None = None,
    ) -> None:
        """The agent called a tool. A call of one of `CODE_TOOLS` counts as a code execution."""
        code = _code_in(arguments) if tool in CODE_TOOLS else ""
        if code:
            self.execute(code, place, call_id=call_id, started_at=started_at)
            return
        draft = self._draft(place, call_id, started_at)
        draft.tool, draft.arguments = tool, arguments
        self._open_by_tool[tool].append(draft)

    def execute(
        self, code: str, place: Place, *, call_id: str = "", started_at: str | None = None
    ) -> None:
        """The agent ran a piece of Python."""
        self._draft(place, call_id, started_at).code = clean_code(code)

    def answer(
        self, content: Json, *, call_id: str = "", tool: str = "", error: str | None = None
    ) -> None:
        """A result came in.

        It belongs to the latest open step with its id, as some agents use ids again; without a
        match by id to the first open step of the turn with the named tool, or to the first open
        one at all. A second result for an answered call is dropped.

        Args:
            content: what came back: a text, a list of text parts, or decoded JSON.
            call_id: id of the call that it answers, if known.
            tool: name of the tool that it comes from, if known.
            error: the error, in formats that mark errors; texts are searched for one otherwise.
        """
        self._said.clear()
        self._turn_over = True
        draft = self._answered_by(call_id, tool)
        if draft is not None:
            draft.answered, draft.content, draft.error = True, content, error

    def build(self) -> tuple[Step, ...]:
        """Return the steps in order."""
        return tuple(draft.step() for draft in self._drafts)

    def _draft(self, place: Place, call_id: str, started_at: str | None) -> _Draft:
        draft = _Draft(
            place=Place(place.file, place.line, len(self._drafts) + 1),
            reasoning="\n".join(self._said),
            heard="\n".join(self._heard),
            started_at=started_at,
            call_id=call_id,
        )
        self._heard.clear()
        self._drafts.append(draft)
        if self._turn_over:
            self._turn_over = False
            self._open.clear()
            self._open_by_tool.clear()
        self._open.append(draft)
        if call_id:
            self._by_id[call_id].append(draft)
        return draft

    def _answered_by(self, call_id: str, tool: str) -> _Draft | None:
        if call_id and call_id in self._by_id:
            same_id = self._by_id[call_id]
            return next((draft for draft in reversed(same_id) if not draft.answered), None)
        named = _first_open(self._open_by_tool[tool]) if tool else None
        return named or _first_open(self._open)


def _first_open(queue: deque[_Draft]) -> _Draft | None:
    while queue and queue[0].answered:
        queue.popleft()
    return queue[0] if queue else None


def _code_in(arguments: JsonObject) -> str:
    """Return the code that a call of an interpreter holds; empty where it cannot be told."""
    texts = {key: value for key, value in arguments.items() if isinstance(value, str)}
    named = next((texts[key] for key in _CODE_ARGUMENTS if key in texts), "")
    return named or (next(iter(texts.values())) if len(texts) == 1 else "")
