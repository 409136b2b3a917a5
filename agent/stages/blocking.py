"""Running the stage loop from code that has no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from toolguild.agent.stages.events import Event
from toolguild.agent.stages.loop import RunResult, StageLoop
from toolguild.registry import Toolbox
from toolguild.synth.models import AsyncModel, Endpoint, ModelSettings

__all__ = ["resume_task", "run_task"]


def run_task(
    task: str,
    settings: ModelSettings,
    toolbox: Toolbox,
    *,
    endpoint: Endpoint | None = None,
    run_id: str | None = None,
    **options: Any,
) -> RunResult:
    """Work on a task until it ends; Ctrl-C interrupts it.

    Args:
        task: What is to be done.
        settings: Which model does it, and how much of it may be used.
        toolbox: The tools that there are.
        endpoint: Where requests go; to the server that the settings name unless given.
        run_id: What to call the run.
        options: As those of `StageLoop`.

    Raises:
        ModelDownError, SandboxUnavailableError, RunLogError: as `StageLoop.run`.
    """
    return _in_a_loop(
        lambda model: StageLoop(model, toolbox, **options).run(task, run_id), settings, endpoint
    )


def resume_task(
    events: Sequence[Event],
    settings: ModelSettings,
    toolbox: Toolbox,
    *,
    endpoint: Endpoint | None = None,
    **options: Any,
) -> RunResult:
    """Go on with a run that was interrupted; see `run_task` and `StageLoop.resume`."""
    return _in_a_loop(
        lambda model: StageLoop(model, toolbox, **options).resume(events), settings, endpoint
    )


def _in_a_loop(
    work: Callable[[AsyncModel], Awaitable[RunResult]],
    settings: ModelSettings,
    endpoint: Endpoint | None,
) -> RunResult:
    async def with_model() -> RunResult:
        async with AsyncModel(settings, endpoint=endpoint) as model:
            return await work(model)

    return asyncio.run(with_model())
