"""Where a run stands: what follows from its events so far, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from toolguild.agent.conversation import Message
from toolguild.agent.stages.configuration import Configuration
from toolguild.agent.stages.events import (
    CallEnded,
    CallStarted,
    Configured,
    Ended,
    Event,
    Reconfigured,
    RefusedMeta,
    Reminded,
    Replied,
    RunStarted,
    Tokens,
    WantedCall,
)
from toolguild.policies import ToolguildError
from toolguild.registry import NotJsonError, canonical_json, decode_json
from toolguild.synth.models import FunctionCall

__all__ = ["PastStage", "RunState", "UnsoundEventsError", "call_key"]


class UnsoundEventsError(ToolguildError, ValueError):
    """Events do not follow on each other as those of a run do."""


@dataclass(frozen=True, slots=True)
class PastStage:
    """What is left of a stage that is over."""

    configuration: Configuration
    summary: str
    messages: tuple[Message, ...]


_NOTHING = Tokens()


@dataclass(frozen=True, slots=True)
class RunState:
    """A run, as far as it has come."""

    start: RunStarted
    configuration: Configuration | None = None
    """None before the first stage."""
    messages: tuple[Message, ...] = ()
    """Of this stage, without the first ones that say what it is for."""
    pending: tuple[WantedCall, ...] = ()
    """Asked for and not answered."""
    offered: frozenset[str] = frozenset()
    """Names of the tools that these may be of."""
    started: frozenset[str] = frozenset()
    """Ids of those of the pending ones that were begun."""
    past: tuple[PastStage, ...] = ()
    tokens: Tokens = _NOTHING
    steps: int = 0
    stage_steps: int = 0
    stage_failures: int = 0
    failed: frozenset[tuple[str, str]] = frozenset()
    """Calls that failed at this stage, by name and arguments."""
    silences: int = 0
    """Replies, one after the other, that called nothing."""
    reminders: int = 0
    """How often the model was told, to no avail, to do the only thing that it may do."""
    refused: frozenset[str] = frozenset()
    """What changes of the configuration were refused for, at this stage."""
    said: str = ""
    """The last words of the model."""
    end: Ended | None = None

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """Return where a run stands after some events.

        Raises:
            UnsoundEventsError: they are not those of a run.
        """
        rest = iter(events)
        first = next(rest, None)
        if not isinstance(first, RunStarted):
            msg = "the first event of a run is missing"
            raise UnsoundEventsError(msg)
        state = cls(first)
        for event in rest:
            state = state.after(event)
        return state

    @property
    def stage(self) -> int:
        """The number of this stage, from 1; 0 before the first."""
        return len(self.past) + (self.configuration is not None)

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        """Those of all stages so far."""
        present = () if self.configuration is None else (self.configuration,)
        return (*(stage.configuration for stage in self.past), *present)

    def after(self, event: Event) -> Self:
        """Return where the run stands after one more event.

        Raises:
            UnsoundEventsError: it does not follow on those before.
        """
        if isinstance(event, RunStarted) or not self._may_come(event):
            msg = f"the run stands where {event.kind} cannot come"
            raise UnsoundEventsError(msg)
        match event:
            case Configured():
                return replace(
                    self,
                    configuration=event.configuration,
                    tokens=self.tokens + event.tokens,
                )
            case Replied():
                return self._with_reply(event)
            case CallStarted():
                return replace(self, started=self.started | {event.call})
            case CallEnded():
                return self._with_answer(event)
            case RefusedMeta():
                answered = self._answered(event.call, event.why)
                return replace(
                    answered,
                    refused=self.refused | {event.about},
                    tokens=self.tokens + event.tokens,
                )
            case Reminded():
                told = Message("user", event.text)
                return replace(
                    self,
                    messages=(*self.messages, told),
                    reminders=self.reminders + event.forced,
                )
            case Reconfigured():
                return self._closed(event)
            case Ended():
                return replace(self, end=event, pending=())

    def _may_come(self, event: Event) -> bool:
        if self.end is not None:
            return False
        if self.configuration is None:
            return isinstance(event, Configured | Ended)
        return not isinstance(event, Configured)

    def _with_reply(self, event: Replied) -> Self:
        calls = tuple(FunctionCall(one.id, one.name, one.arguments) for one in event.calls)
        return replace(
            self,
            messages=(*self.messages, Message("assistant", event.text, calls)),
            pending=event.calls,
            offered=frozenset(event.offered),
            tokens=self.tokens + event.tokens,
            steps=self.steps + 1,
            stage_steps=self.stage_steps + 1,
            silences=0 if event.calls else self.silences + 1,
            said=event.text or self.said,
        )

    def _with_answer(self, event: CallEnded) -> Self:
        state = self._answered(event.call, event.text)
        if event.ok:
            return replace(state, reminders=0)
        return replace(
            state,
            stage_failures=self.stage_failures + event.ran,
            failed=self.failed | {call_key(event.name, event.arguments)},
        )

    def _answered(self, call: str, text: str) -> Self:
        if call not in {one.id for one in self.pending}:
            msg = f"an answer to a call {call!r} that nobody asked for"
            raise UnsoundEventsError(msg)
        return replace(
            self,
            messages=(*self.messages, Message("tool", text, answers=call)),
            pending=tuple(one for one in self.pending if one.id != call),
            started=self.started - {call},
        )

    def _closed(self, event: Reconfigured) -> Self:
        assert self.configuration is not None  # noqa: S101 - see `_may_come`
        over = PastStage(self.configuration, event.summary, self.messages)
        return replace(
            self,
            configuration=event.new,
            tokens=self.tokens + event.tokens,
            messages=(),
            pending=(),
            started=frozenset(),
            past=(*self.past, over),
            stage_steps=0,
            stage_failures=0,
            failed=frozenset(),
            silences=0,
            reminders=0,
            refused=frozenset(),
        )


def call_key(name: str, arguments: str) -> tuple[str, str]:
    """Return what tells calls apart: the same for the same arguments, however they are spelled."""
    try:
        return name, canonical_json(decode_json(arguments or "{}"))
    except NotJsonError:
        return name, arguments
