"""What the caller's own tools answered, by call: once as recorded, and once as of today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from toolguild.sandbox import Json
from toolguild.synth.drafting import Case
from toolguild.synth.mining import canonical
from toolguild.synth.traces import ToolCall, Trace
from toolguild.synth.traces.secrets_in_text import PLACEHOLDER

__all__ = [
    "Answer",
    "Answers",
    "CallKey",
    "RecordedAnswers",
    "answers_of",
    "calls_of_cases",
    "calls_of_traces",
    "run_of",
]

CallKey: TypeAlias = tuple[str, str]
"""A tool, and the canonical text of its arguments."""

_MOST = 20
"""Distinct answers to one call that are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call."""

    value: Json = None
    error: str | None = None

    @property
    def text(self) -> str:
        """What is equal for answers that are the same; what a failure says does not count."""
        return "failed" if self.error is not None else canonical([self.value])


@dataclass(slots=True)
class Answers:
    """The distinct answers to one call."""

    by_text: dict[str, Answer] = field(default_factory=dict)
    runs: set[str] = field(default_factory=set)
    """The runs in which it was made."""

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.by_text.values())

    def add(self, answer: Answer, run: str) -> None:
        """Add an answer, as far as there is place."""
        self.runs.add(run)
        if len(self.by_text) < _MOST:
            self.by_text.setdefault(answer.text, answer)


RecordedAnswers: TypeAlias = dict[CallKey, Answers]
"""The answers of tools, by call."""


def answers_of(
    calls: Iterable[tuple[str, ToolCall]], wanted: Collection[CallKey] | None = None
) -> RecordedAnswers:
    """Return the answers to calls, by call.

    Left out are calls without any result, and those with a secret among their arguments: two
    secrets may stand under one placeholder.

    Args:
        calls: Each with the run that it was made in.
        wanted: The calls that are looked for; all of them unless given.
    """
    tools = None if wanted is None else {tool for tool, _ in wanted}
    found: RecordedAnswers = {}
    for run, call in calls:
        if tools is not None and call.tool not in tools:
            continue
        key = call.tool, canonical(call.arguments)
        is_wanted = wanted is None or key in wanted
        has_answer = call.result is not None or call.error is not None
        if is_wanted and has_answer and not PLACEHOLDER.search(key[1]):
            found.setdefault(key, Answers()).add(Answer(call.result, call.error), run)
    return found


def calls_of_cases(cases: Iterable[Case]) -> Iterator[tuple[str, ToolCall]]:
    """Yield the recorded calls of cases."""
    return ((run_of(case), call) for case in cases for call in case.calls)


def calls_of_traces(traces: Iterable[Trace]) -> Iterator[tuple[str, ToolCall]]:
    """Yield the calls in logs."""
    return ((trace.id, call) for trace in traces for call in trace.calls())


def run_of(case: Case) -> str:
    """Return what tells the run of a case from others."""
    return case.trace_id or str(case.place)
