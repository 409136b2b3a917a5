"""The stage loop: an agent that works under a configuration which it rewrites by calling a tool.

After ToolSelf (https://arxiv.org/abs/2602.07883). Whatever happens is an event: it is kept first,
then the state follows from it, and listeners are told. Nothing else changes the state, so that a
run goes on from its events wherever it was interrupted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from toolguild.agent.stages.events import Event, RunStarted, Tokens
from toolguild.agent.stages.limits import Limits
from toolguild.agent.stages.meta_tools import Status
from toolguild.agent.stages.run import Run
from toolguild.agent.stages.run_log import EventLog, NoLog
from toolguild.agent.stages.state import RunState
from toolguild.registry import Toolbox
from toolguild.synth.models import AsyncModel, OverBudgetError

__all__ = ["Guidance", "Listener", "RunResult", "StageLoop"]

Listener = Callable[[Event], None]


def _ignore(_event: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """What an agent is given beside its task and its tools."""

    agent: str = ""
    """Whose it is, where a registry keeps it."""
    instructions: str = ""
    """The house's own, the same on every task."""
    lessons: tuple[str, ...] = ()
    """Of earlier runs, that bear on this task."""
    examples: tuple[str, ...] = ()
    """Earlier runs that went well, that bear on this task."""
    shown: tuple[str, ...] = ()
    """Digests of the artefacts that hold all of this, where it comes from a registry."""
    withheld: tuple[str, ...] = ()
    """Digests of the registry's versions that it is not to be offered: for whoever makes its
    toolbox, in trials of how it does without them."""


_NO_GUIDANCE = Guidance()


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    run: str
    status: Status
    result: str
    summary: str
    stalled: str
    """Where it came to a halt, and why; empty where the agent ended it by itself."""
    handed_over: bool
    """Whether the user has to decide how to go on."""
    stages: int
    steps: int
    tokens: Tokens
    over_budget: bool = False
    """Whether it was cut off because no more may be spent on the model: that says nothing of how
    well it went."""


class StageLoop:
    """Runs tasks with one model and one toolbox."""

    def __init__(
        self,
        model: AsyncModel,
        toolbox: Toolbox,
        *,
        limits: Limits | None = None,
        guidance: Guidance = _NO_GUIDANCE,
        log: EventLog | None = None,
        on_event: Listener = _ignore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare to run; nothing is asked yet, and neither model nor toolbox is closed.

        Args:
            model: Which acts, and writes configurations.
            toolbox: The tools that there are, those of the registry and the caller's own.
            limits: Bounds of a run.
            guidance: What the agent is told beside the task.
            log: Where events are kept; nowhere unless given.
            on_event: Told of each event, after it is kept.
            clock: Gives the time, with its zone.
        """
        self._model, self._toolbox = model, toolbox
        self._limits = limits or Limits()
        self._guidance = guidance
        self._log = log or NoLog()
        self._on_event, self._clock = on_event, clock

    async def run(self, task: str, run_id: str | None = None) -> RunResult:
        """Work on a task until it ends.

        Raises:
            ModelDownError: the model gives no reply; the run can be resumed from its log.
            SandboxUnavailableError: no tool of the registry can run; likewise.
            RunLogError: an event cannot be kept.
        """
        start = RunStarted(
            at=self._now(),
            run=run_id or uuid.uuid4().hex,
            task=task,
            model=self._model.settings.name,
            limits=self._limits,
            agent=self._guidance.agent,
            instructions=self._guidance.instructions,
            lessons=self._guidance.lessons,
            examples=self._guidance.examples,
            shown=self._guidance.shown,
        )
        self._keep(start)
        return await self._finish(RunState(start))

    async def resume(self, events: Sequence[Event]) -> RunResult:
        """Go on with a run that was interrupted, under the limits that it began with.

        A call that had begun is repeated only where that changes nothing; otherwise the agent is
        told that nobody knows whether it took effect.

        Raises:
            UnsoundEventsError: the events are not those of a run.
            ModelDownError, SandboxUnavailableError, RunLogError: see `run`.
        """
        return await self._finish(RunState.of(events))

    async def _finish(self, state: RunState) -> RunResult:
        run = Run(self._model, self._toolbox, state, self._keep, self._now)
        try:
            while run.state.end is None:
                await run.advance()
        except OverBudgetError as error:
            run.end_unfinished(str(error))
            return replace(_result(run.state), over_budget=True)
        return _result(run.state)

    def _keep(self, event: Event) -> None:
        self._log.add(event)
        self._on_event(event)

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")


def _result(state: RunState) -> RunResult:
    end = state.end
    assert end is not None  # noqa: S101 - it is only called once there is one
    return RunResult(
        run=state.start.run,
        status=end.status,
        result=end.result,
        summary=end.summary,
        stalled=end.stalled,
        handed_over=end.handed_over,
        stages=state.stage,
        steps=state.steps,
        tokens=state.tokens,
    )
