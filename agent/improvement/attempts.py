"""A task that an agent worked on, and how well it went: what everything is learned from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from toolguild.agent.evaluation import Evaluator, Score
from toolguild.agent.stages import CallEnded, Ended, Event, Guidance, RunState
from toolguild.registry import Registry
from toolguild.registry.improvement import ScoredRun
from toolguild.synth.traces.redaction import redact

__all__ = ["Attempt", "GuidanceFor", "TaskCase", "Work", "scored_run", "versions_called"]

_MOST_STEPS = 20
_MOST_CHARACTERS = 1000
"""Of each text."""


@dataclass(frozen=True, slots=True)
class TaskCase:
    """A task that an agent is tried on, again and again."""

    id: str
    task: str
    evaluator: Evaluator
    category: str = ""
    critical: bool = False
    """Whether its category must not become worse by any change, whatever is gained elsewhere."""
    prepare: Callable[[], object] | None = None
    """Puts the world as the task wants it, before each attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of an agent, from its first event to its last, and how well it went."""

    events: Sequence[Event]
    score: Score

    @property
    def run(self) -> str:
        """Id of the run.

        Raises:
            UnsoundEventsError: the events are not those of a run.
        """
        return RunState.of(self.events[:1]).start.run


GuidanceFor = Callable[[str], Guidance]
"""What an agent is told beside a task."""
Work = Callable[[TaskCase, Guidance], Awaitable[Attempt]]
"""Works on a task under a guidance; tasks leave nothing behind that others would meet."""


def versions_called(registry: Registry, run: str) -> dict[str, str]:
    """Return the digests of the registry's versions that a run called, by name."""
    return {one.spec.name: one.digest for one in registry.called_in(run)}


def scored_run(agent: str, attempt: Attempt, tools: Mapping[str, str], at: datetime) -> ScoredRun:
    """Return what is kept of an attempt, secrets replaced.

    Args:
        agent: Whose run it is.
        attempt: The run.
        tools: Digests of the registry's versions that it could call, by name; see
            `versions_called`.
        at: When it was scored.

    Raises:
        UnsoundEventsError: the events are not those of a run.
        RedactionError: it holds more secrets than can be followed.
    """
    state = RunState.of(attempt.events)
    ran = [event for event in attempt.events if isinstance(event, CallEnded) and event.ran]
    kept = _Kept.model_validate(
        # The whole of it, before anything is cut: half a secret is not known as one.
        redact(
            {
                "task": state.start.task,
                "why": attempt.score.why,
                "error": _last_error(ran, state.end),
                "steps": [_step(event) for event in ran[-_MOST_STEPS:]],
                "result": state.end.result if state.end else "",
            }
        )
    )
    return ScoredRun(
        agent=agent,
        run=state.start.run,
        task=kept.task,
        score=attempt.score.value,
        at=at,
        why=_cut(kept.why),
        error=_cut(kept.error),
        steps=tuple(map(_cut, kept.steps)),
        result=_cut(kept.result),
        shown=state.start.shown,
        tools=tuple(sorted({tools[event.name] for event in ran if event.name in tools})),
        calls=len(ran),
        tokens=state.tokens.total,
    )


class _Kept(BaseModel):
    """What of a run is kept in words."""

    task: str
    why: str
    error: str
    steps: tuple[str, ...]
    result: str


def _last_error(ran: Sequence[CallEnded], end: Ended | None) -> str:
    """Return the last thing that went wrong; empty where nothing did."""
    if end is not None and end.stalled:
        return end.stalled
    failed = [event for event in ran if not event.ok]
    return f"{failed[-1].name}: {failed[-1].text}" if failed else ""


def _step(event: CallEnded) -> str:
    return f"{event.name} {event.arguments} -> {event.text}"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} [...]"
