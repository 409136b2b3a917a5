"""The demo from end to end: work, logs, tools made of them, and the same work with the tools."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolguild.cli.demo.agent import CallResult, ScriptedAgent
from toolguild.cli.demo.desk import Assignment, Desk
from toolguild.cli.demo.logs import write_atif_log, write_chat_log
from toolguild.cli.demo.planner import Offer, Planner
from toolguild.cli.demo.runs import Run
from toolguild.cli.demo.seed import FIRST_RUN, create_desk
from toolguild.cli.demo.tools import DESK_TOOLS, READ_TOOLS
from toolguild.registry import ExternalTool, Registry, Toolbox, ToolVersion
from toolguild.sandbox import JsonObject, Sandbox
from toolguild.synth import Synthesized, mine, synthesize
from toolguild.synth.validation import ValidationSettings

__all__ = ["Comparison", "DemoResult", "external_tools", "learn", "play", "write_logs"]

WORKERS = 2
_PROOF = ValidationSettings(crowd=200)
"""As shipped, but for fewer inputs at once: nobody tampers with the demo's own traces."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same tickets, worked without and with the tools made."""

    tickets: int
    calls_before: int
    calls_after: int
    same_replies: bool
    same_database: bool


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo showed."""

    traces: int
    results: list[Synthesized]
    first: Comparison
    """The tickets that the tools were made from."""
    fresh: Comparison
    """Tickets that nothing was learned from."""
    tools_used: dict[str, int]


def play(directory: Path, sandbox: Sandbox, say: Callable[[str], None]) -> DemoResult:
    """Play the demo in an empty directory, which keeps the databases, logs and registry.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    say("An agent works 40 support tickets with the desk's own tools.")
    seeded = directory / "desk.db"
    create_desk(seeded)
    with Desk(seeded) as desk:
        first, fresh = desk.open_tickets()[:FIRST_RUN], desk.open_tickets()[FIRST_RUN:]
    before = _work(directory / "before.db", seeded, [first, fresh])
    logs = write_logs(directory / "logs", before.runs[0])
    say(f"Its {len(first)} traces, in two log formats, are mined and made into tools.")
    with Registry.open(directory / "registry.db", actor="demo") as registry:
        traces, results = learn(logs, registry, sandbox)
        say("The agent works the same tickets again, and 20 fresh ones, with the tools at hand.")
        after = _work(directory / "after.db", seeded, [first, fresh], registry, sandbox)
    return DemoResult(
        traces=traces,
        results=results,
        first=_compare(before, after, 0),
        fresh=_compare(before, after, 1),
        tools_used=after.tools_used,
    )


def learn(logs: Path, registry: Registry, sandbox: Sandbox) -> tuple[int, list[Synthesized]]:
    """Make tools of what recurs in a folder of logs; return the number of traces, and what came.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    mined = mine([logs])
    with ThreadPoolExecutor(WORKERS) as executor:
        made = list(synthesize(mined.opportunities, registry, sandbox, executor, _PROOF))
    return mined.traces, made


@dataclass(frozen=True, slots=True)
class _Work:
    runs: list[list[Run]]
    """One list for each batch of tickets."""
    digests: list[str]
    """State of the database after each batch."""
    tools_used: dict[str, int]


def _work(
    database: Path,
    seeded: Path,
    batches: Sequence[Sequence[Assignment]],
    registry: Registry | None = None,
    sandbox: Sandbox | None = None,
) -> _Work:
    """Work the tickets on a copy of the seeded desk, with the registry's tools if there are any."""
    with Desk(seeded) as desk:
        desk.snapshot(database)
    with Desk(database) as desk:
        tools, offers = _Tools(desk), []
        if registry is not None and sandbox is not None:
            tools = _Tools(desk, Toolbox(registry, sandbox, external_tools(desk)))
            offers = [offer for version in registry.tools() if (offer := _offer(version))]
        agent = ScriptedAgent(tools, Planner(offers))
        runs, digests = [], []
        for batch in batches:
            runs.append(agent.work(batch))
            digests.append(desk.digest())
        return _Work(runs, digests, tools.used)


def external_tools(desk: Desk) -> dict[str, ExternalTool]:
    """Return the desk's tools as those that composites may call, with what they do."""
    return {
        name: ExternalTool(
            function=function,
            effect="read" if name in READ_TOOLS else "write",
            description=DESK_TOOLS[name].description,
            parameters=DESK_TOOLS[name].parameters,
        )
        for name, function in desk.functions().items()
    }


class _Tools:
    """What the agent may call: the desk's own tools, and those of the toolbox."""

    def __init__(self, desk: Desk, toolbox: Toolbox | None = None) -> None:
        self._desk = desk
        self._toolbox = toolbox
        self._made = frozenset(spec.name for spec in toolbox.specs()) if toolbox else frozenset()
        self.used: dict[str, int] = {}

    def names(self) -> Collection[str]:
        """Return the names of all tools."""
        return self._desk.names() | self._made

    def call(self, name: str, arguments: JsonObject) -> CallResult:
        """Call a tool of the toolbox if it has that name, else of the desk."""
        if self._toolbox is not None and name in self._made:
            self.used[name] = self.used.get(name, 0) + 1
            return self._toolbox.call(name, arguments)
        return self._desk.call(name, arguments)


def _offer(version: ToolVersion) -> Offer | None:
    """Return a composite as the planner knows it: which result of it comes from which tool."""
    steps = version.provenance.get("steps")
    required = version.spec.parameters.get("required")
    # The registry does not keep the order of an object's keys; the schema has them in a list.
    keys = version.spec.returns.get("required")
    if not isinstance(steps, dict) or not isinstance(required, list) or not isinstance(keys, list):
        return None
    return Offer(
        name=version.spec.name,
        parameters=tuple(map(str, required)),
        provides={str(key): str(steps[key]) for key in keys if key in steps},
    )


def write_logs(directory: Path, runs: Sequence[Run]) -> Path:
    """Write one half of the runs as chat messages, the other as ATIF; return their folder."""
    directory.mkdir()
    tools = list(DESK_TOOLS.values())
    half = len(runs) // 2
    write_chat_log(directory / "chat.jsonl", runs[:half], tools)
    write_atif_log(directory / "atif", runs[half:], tools)
    return directory


def _compare(before: _Work, after: _Work, batch: int) -> Comparison:
    return Comparison(
        tickets=len(before.runs[batch]),
        calls_before=sum(len(run.calls) for run in before.runs[batch]),
        calls_after=sum(len(run.calls) for run in after.runs[batch]),
        same_replies=_endings(before.runs[batch]) == _endings(after.runs[batch]),
        same_database=before.digests[batch] == after.digests[batch],
    )


def _endings(runs: Sequence[Run]) -> list[tuple[str, str]]:
    return [(run.status, run.reply) for run in runs]
