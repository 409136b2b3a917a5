"""The demo's support desk, worked by the stage loop with and without the tools made of its logs."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.stage_loop.desk_model import desk_model
from toolguild.agent.scripted import ScriptedEndpoint
from toolguild.agent.stages import CallStarted, Event, RunResult, StageLoop, Status
from toolguild.cli.demo.agent import ScriptedAgent
from toolguild.cli.demo.desk import Assignment, Desk
from toolguild.cli.demo.seed import FIRST_RUN, create_desk
from toolguild.cli.demo.session import external_tools, learn, write_logs
from toolguild.registry import ExternalTool, Registry, Toolbox
from toolguild.sandbox import Json, Sandbox, open_sandbox
from toolguild.synth.models import AsyncModel, ModelSettings

__all__ = ["Compared", "Worked", "compare", "compare_desks", "learn_from", "new_desk"]

_SETTINGS = ModelSettings(name="scripted")
_DEMO = 7
"""The seed of the demo's desk, whose first tickets are those that tools are learned from."""
_OTHERS = (8, 9)
"""Those of desks with customers, invoices and tickets of their own."""


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
    complete: bool
    """Whether the run of every ticket ended as complete."""
    digest: str
    """Of the database at the end."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The same tickets, worked without and with learned tools."""

    label: str
    without: Worked
    with_learned: Worked
    expected: str
    """Digest of the database as the demo's agent leaves it, which knows of no stages."""

    def is_right(self, worked: Worked) -> bool:
        """Whether every ticket was worked to its end, to the database as expected."""
        return worked.complete and worked.digest == self.expected

    @property
    def calls_saved(self) -> float:
        """Share of the model's calls that learned tools save."""
        return 1 - self.with_learned.calls / self.without.calls

    @property
    def tokens_saved(self) -> float:
        """Share of the input tokens that learned tools save."""
        return 1 - self.with_learned.input_tokens / self.without.input_tokens


def compare_desks() -> list[Compared]:
    """Compare on tickets that nothing was learned from, of the demo's desk and of others.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    with tempfile.TemporaryDirectory() as name, open_sandbox("local") as sandbox:
        folder = Path(name)
        with Registry.open(folder / "registry.db") as registry:
            seeded = new_desk(folder, _DEMO)
            fresh = learn_from(seeded, folder, registry, sandbox)
            compared = [compare(f"{len(fresh)} fresh ones", seeded, fresh, registry, sandbox)]
            for seed in _OTHERS:
                seeded = new_desk(folder, seed)
                tickets = _open_tickets(seeded)
                label = f"{len(tickets)} of another desk (seed {seed})"
                compared.append(compare(label, seeded, tickets, registry, sandbox))
    return compared


def new_desk(folder: Path, seed: int = _DEMO) -> Path:
    """Write the database of a desk to a folder, and return its file."""
    path = folder / f"desk-{seed}.db"
    create_desk(path, seed=seed)
    return path


def learn_from(
    seeded: Path, folder: Path, registry: Registry, sandbox: Sandbox
) -> list[Assignment]:
    """Fill a registry as the demo does, from the logs of a desk's first tickets.

    Args:
        seeded: The database of the desk, which stays as it is.
        folder: Where the logs go.
        registry: What the tools are added to.
        sandbox: Where they are proven.

    Returns:
        The desk's other tickets.
    """
    tickets = _open_tickets(seeded)
    with Desk(_copy(seeded, folder / "first.db")) as desk:
        runs = ScriptedAgent(desk).work(tickets[:FIRST_RUN])
    learn(write_logs(folder / "logs", runs), registry, sandbox)
    return tickets[FIRST_RUN:]


def compare(
    label: str,
    seeded: Path,
    tickets: Sequence[Assignment],
    registry: Registry,
    sandbox: Sandbox,
) -> Compared:
    """Work tickets, each as a task of its own, on equal databases without and with learned tools.

    Args:
        label: What to call the tickets.
        seeded: The database of the desk, which stays as it is.
        tickets: Those to work, in this order.
        registry: Holds the learned tools.
        sandbox: Where these run.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Registry.open(folder / "empty.db") as empty:
            without = _work(_copy(seeded, folder / "without.db"), tickets, empty, sandbox)
        with_learned = _work(_copy(seeded, folder / "learned.db"), tickets, registry, sandbox)
        with Desk(_copy(seeded, folder / "expected.db")) as desk:
            ScriptedAgent(desk).work(tickets)
            return Compared(label, without, with_learned, desk.digest())


def _open_tickets(seeded: Path) -> list[Assignment]:
    with Desk(seeded) as desk:
        return desk.open_tickets()


def _copy(seeded: Path, path: Path) -> Path:
    with Desk(seeded) as desk:
        desk.snapshot(path)
    return path


def _work(
    database: Path, tickets: Sequence[Assignment], registry: Registry, sandbox: Sandbox
) -> Worked:
    with Desk(database) as desk:
        counted = _Counted(external_tools(desk))
        toolbox = Toolbox(registry, sandbox, counted.tools)
        events: list[Event] = []
        endpoint = ScriptedEndpoint(desk_model)

        async def work() -> list[RunResult]:
            async with AsyncModel(_SETTINGS, endpoint=endpoint) as model:
                loop = StageLoop(model, toolbox, on_event=events.append)
                return [await loop.run(ticket.task) for ticket in tickets]

        results = asyncio.run(work())
        calls = [event.name for event in events if isinstance(event, CallStarted)]
        return Worked(
            calls=len(calls),
            inside=counted.calls - sum(name in counted.tools for name in calls),
            requests=len(endpoint.requests),
            input_tokens=sum(result.tokens.input for result in results),
            stages=sum(result.stages for result in results),
            complete=all(result.status is Status.COMPLETE for result in results),
            digest=desk.digest(),
        )


class _Counted:
    """The desk's tools, and how often they were called."""

    def __init__(self, tools: Mapping[str, ExternalTool]) -> None:
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
