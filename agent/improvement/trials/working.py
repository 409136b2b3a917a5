"""Working on a task with the stage loop, as trials and warm-ups do it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from toolguild.agent.improvement.attempts import Attempt, TaskCase
from toolguild.agent.stages import (
    Event,
    Guidance,
    Limits,
    StageLoop,
    open_log,
    trace_of,
    write_trace,
)
from toolguild.agent.stages.run_log import EventLog, NoLog
from toolguild.registry import ExternalTool, Registry, Toolbox
from toolguild.sandbox import Access, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.models import AsyncModel, OverBudgetError

__all__ = ["Worker"]


@dataclass(frozen=True)
class Worker:
    """Works on one task after another, with one model and the tools of one registry."""

    model: AsyncModel
    registry: Registry
    sandbox: Sandbox
    tools: Mapping[str, ExternalTool]
    """The agent's own."""
    limits: Limits | None = None
    access: Access = NOTHING
    live: bool = False
    """Whether uses of the registry's tools count for them: not in trials."""
    runs: Path | None = None
    """Folder for what is kept of each run; nothing is unless given."""

    async def __call__(
        self, case: TaskCase, guidance: Guidance, run_id: str | None = None
    ) -> Attempt:
        """Work on a task, and have the result judged.

        Args:
            case: The task.
            guidance: What the agent is told beside it.
            run_id: What to call the run, which has no score yet; what was kept of it is dropped.

        Raises:
            ModelDownError, SandboxUnavailableError, RunLogError: as `StageLoop.run`.
            OverBudgetError: no more may be spent; a run that was cut off by that has no score.
        """
        run = run_id or uuid.uuid4().hex[:12]
        if case.prepare is not None:
            case.prepare()
        toolbox = Toolbox(
            self.registry,
            self.sandbox,
            self.tools,
            access=self.access,
            task=case.task,
            trace=run,
            model=self.model.settings.name,
            live=self.live,
            without=guidance.withheld,
        )
        events: list[Event] = []
        with ExitStack() as stack:
            log: EventLog = NoLog()
            if self.runs is not None:
                path = self.runs / f"{run}.jsonl"
                # What a run of this id has left that was cut off: its world is gone.
                path.unlink(missing_ok=True)
                log = stack.enter_context(open_log(path))
            loop = StageLoop(
                self.model,
                toolbox,
                limits=self.limits,
                guidance=guidance,
                log=log,
                on_event=events.append,
            )
            result = await loop.run(case.task, run)
        if result.over_budget:
            raise OverBudgetError(result.stalled)
        score = await case.evaluator.score(case.task, result.result)
        if self.runs is not None:
            traces = self.runs / "traces"
            traces.mkdir(exist_ok=True)
            write_trace(traces / f"{run}.json", trace_of(events, score.value))
        return Attempt(events, score)
