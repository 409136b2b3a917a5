"""Where the agents of the examples work: a registry, a sandbox and scores, for one agent."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from toolguild.agent.improvement import (
    Demonstrations,
    Guides,
    HeldOut,
    Improver,
    Outcome,
    Proposer,
    TaskCase,
    Tools,
    Verdict,
    Worker,
    scored_run,
    versions_called,
)
from toolguild.agent.improvement.artefacts import Example, Instructions, Lesson
from toolguild.agent.improvement.tools import Workshop
from toolguild.policies import ToolguildError
from toolguild.registry import ExternalTool, Registry, ToolVersion
from toolguild.registry.improvement import (
    Artefact,
    ArtefactKind,
    Change,
    ChangeKind,
    NewChange,
    ScoredRun,
)
from toolguild.sandbox import Sandbox, open_sandbox
from toolguild.synth.models import AsyncModel

__all__ = ["Figures", "Workplace", "run", "workplace"]

_AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Figures:
    """How well an agent does some tasks, on average."""

    score: float
    calls: float
    tokens: float

    def __str__(self) -> str:
        """Say it in a line."""
        tokens = round(self.tokens, -2)
        return f"score {self.score:.2f}, {self.calls:.1f} calls, {tokens:,.0f} tokens a task"


@dataclass
class Workplace:
    """An agent at work, which is changed between its tasks."""

    model: AsyncModel
    registry: Registry
    sandbox: Sandbox
    tools: Mapping[str, ExternalTool]
    runs: Path
    changes: list[Change] = field(default_factory=list)
    """Those that were made."""

    async def practise(self, cases: Sequence[TaskCase]) -> None:
        """Do some tasks for real: how well that goes is kept, and may be learned from."""
        worker = Worker(
            self.model, self.registry, self.sandbox, self.tools, live=True, runs=self.runs
        )
        for case in cases:
            number = len(self.registry.improvements.runs(_AGENT)) + 1
            self.registry.improvements.record(await self._scored(worker, case, f"run-{number}"))

    async def trial(self, cases: Sequence[TaskCase]) -> Figures:
        """Do some tasks to see how well that goes; nothing of it is kept, or learned from."""
        worker = Worker(self.model, self.registry, self.sandbox, self.tools)
        runs = [await self._scored(worker, case, f"trial-{case.id}") for case in cases]
        return Figures(
            fmean(run.score for run in runs),
            fmean(run.calls for run in runs),
            fmean(run.tokens for run in runs),
        )

    async def improve(self, held_out: Sequence[TaskCase], *proposers: Proposer) -> None:
        """Learn from what was practised, as far as held-out tasks bear it out, and tell of it."""
        worker = Worker(self.model, self.registry, self.sandbox, self.tools)
        rules = self.registry.improvements.rules
        improver = Improver(self.registry, _AGENT, proposers, HeldOut(worker, held_out, rules))
        report = await improver.cycle()
        for outcome in report.outcomes:
            self._tell(outcome)
        for left_out in report.left_out:
            print(f"left out: {left_out}")

    def _tell(self, outcome: Outcome) -> None:
        change, found = outcome.change, outcome.comparison
        if outcome.verdict is not Verdict.MADE or change is None:
            print(f"{outcome.verdict}: {outcome.why}")
            return
        self.changes.append(change)
        runs = ", ".join(map(str, change.new.runs))
        print(f"change {change.number}, learned from runs {runs}: {change.new.why}")
        for artefact in change.new.adds:
            print(f"  {_told(artefact, change)}")
        for _, version in self.registry.improvements.brought_tools(_AGENT):
            if version.digest in change.new.brings:
                print(f"  {_proved(version)}")
        if found is not None:
            print(f"  on {found.cases} held-out tasks: {found.before:.2f} -> {found.after:.2f}")

    def undo(self) -> None:
        """Take back the first change that was made, with all that it caused."""
        if not self.changes:
            print("nothing was changed")
            return
        first = self.changes[0].number
        undone = self.registry.improvements.undo(first, why="to see that it can be")
        print(f"undo {first}: takes back {', '.join(map(str, undone.undoes))}")

    def instruct(self, text: str) -> None:
        """Give the agent the instructions that it begins with."""
        artefact = Instructions(text=text).artefact
        first = NewChange(_AGENT, ChangeKind.INSTRUCTIONS, "the first ones", adds=(artefact,))
        self.registry.improvements.apply(first)

    def new_tools(self) -> Tools:
        """Return what makes tools of what recurs in the agent's runs."""
        return Tools(self.registry, Workshop(self.sandbox), self.runs / "traces")

    def new_examples(self) -> Demonstrations:
        """Return what makes examples of runs that went well."""
        return Demonstrations(self.registry, frozenset(self.tools))

    async def _scored(self, worker: Worker, case: TaskCase, run: str) -> ScoredRun:
        improvements = self.registry.improvements
        guides = Guides(improvements.standing(_AGENT), improvements.rules)
        attempt = await worker(case, guides(case.task), run)
        called = versions_called(self.registry, run)
        return scored_run(_AGENT, attempt, called, self.registry.now())


def run(example: Coroutine[Any, Any, None]) -> None:
    """Run an example from the command line."""
    try:
        asyncio.run(example)
    except ToolguildError as error:
        sys.exit(str(error))


@asynccontextmanager
async def workplace(
    model: AsyncModel, tools: Mapping[str, ExternalTool]
) -> AsyncIterator[Workplace]:
    """Open a workplace in a folder that is gone afterwards; the model is closed with it."""
    async with model:
        with (
            tempfile.TemporaryDirectory() as folder,
            Registry.open(Path(folder) / "registry.db", actor="an example") as registry,
            open_sandbox("local") as sandbox,
        ):
            yield Workplace(model, registry, sandbox, tools, Path(folder) / "runs")


def _proved(version: ToolVersion) -> str:
    """Return what a tool calls, and what validation found of it."""
    found = version.evidence
    return (
        f"{version.spec.description} Proved on {found['cases']} recorded cases,"
        f" {found['held_out']} held out, and {found['inputs']} generated inputs."
    )


def _told(artefact: Artefact, change: Change) -> str:
    """Return what the agent is told from now on."""
    match artefact.kind:
        case ArtefactKind.LESSON:
            return f"lesson: {Lesson.of(artefact).lesson}"
        case ArtefactKind.EXAMPLE:
            return f"example: {Example.of(artefact).task}"
        case ArtefactKind.INSTRUCTIONS:
            edits: Any = change.new.evidence["edits"]
            return "; ".join(f"{edit['action']}: {edit['text']}" for edit in edits)
