"""The demo's support desk, worked by the stage loop with and without the tools made of its logs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.stage_loop.desk_model import desk_model
from toolguild.agent.scripted import ScriptedEndpoint
from toolguild.agent.stages import CallStarted, Event, StageLoop
from toolguild.cli.demo.agent import ScriptedAgent
from toolguild.cli.demo.desk import Assignment, Desk
from toolguild.cli.demo.seed import FIRST_RUN, create_desk
from toolguild.cli.demo.session import external_tools, learn, write_logs
from toolguild.registry import ExternalTool, Registry, Toolbox
from toolguild.sandbox import Json, Sandbox
from toolguild.synth.models import AsyncModel, ModelSettings

__all__ = ["Worked", "learn_from_demo", "work"]

_SETTINGS = ModelSettings(name="scripted")


@dataclass(frozen=True, slots=True)
class Worked:
    """What working some tickets took, and what it came to."""

    calls: int
    """Of tools, by the model; `reconfigure` and `terminate` change the agent and are none."""
    inside: int
    """Calls of the desk's tools that learned tools made."""
    requests: int
    input_tokens: int
    """Of all requests, those for configurations among them."""
    stages: int
    complete: int
    """Tickets whose run ended as complete."""
    digest: str
    """Of the database at the end."""


def learn_from_demo(folder: Path, registry: Registry, sandbox: Sandbox) -> list[str]:
    """Fill a registry as the demo does, from the logs of its first 40 tickets; return the tools."""
    create_desk(folder / "learned.db")
    with Desk(folder / "learned.db") as desk:
        runs = ScriptedAgent(desk).work(desk.open_tickets()[:FIRST_RUN])
    learn(write_logs(folder / "logs", runs), registry, sandbox)
    return [version.spec.name for version in registry.tools()]


def work(
    database: Path, tickets: Sequence[Assignment], registry: Registry, sandbox: Sandbox
) -> Worked:
    """Work tickets one after the other, each as a task of its own.

    Args:
        database: That of the desk, which the work changes.
        tickets: Those to work.
        registry: Its tools are offered beside the desk's own.
        sandbox: Where they run.
    """
    with Desk(database) as desk:
        counted = _Counted(external_tools(desk))
        toolbox = Toolbox(registry, sandbox, counted.tools)
        return asyncio.run(_work(desk, tickets, toolbox, counted))


async def _work(
    desk: Desk, tickets: Sequence[Assignment], toolbox: Toolbox, counted: _Counted
) -> Worked:
    events: list[Event] = []
    endpoint = ScriptedEndpoint(desk_model)
    async with AsyncModel(_SETTINGS, endpoint=endpoint) as model:
        loop = StageLoop(model, toolbox, on_event=events.append)
        results = [await loop.run(ticket.task) for ticket in tickets]
    calls = [event.name for event in events if isinstance(event, CallStarted)]
    own = sum(name in counted.tools for name in calls)
    return Worked(
        calls=len(calls),
        inside=counted.calls - own,
        requests=len(endpoint.requests),
        input_tokens=sum(result.tokens.input for result in results),
        stages=sum(result.stages for result in results),
        complete=sum(result.status == "complete" for result in results),
        digest=desk.digest(),
    )


class _Counted:
    """The desk's tools, and how often they were called."""

    def __init__(self, tools: dict[str, ExternalTool]) -> None:
        self.calls = 0
        self.tools = {
            name: replace(tool, function=self._counting(tool.function))
            for name, tool in tools.items()
        }

    def _counting(self, function: Callable[..., Json]) -> Callable[..., Json]:
        def counting(**arguments: Json) -> Json:
            self.calls += 1
            return function(**arguments)

        return counting
