"""What suggests changes of an agent, each from its runs and from what it is told at present."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from toolguild.agent.improvement.artefacts import Lesson
from toolguild.agent.improvement.examples import new_examples, stale_examples
from toolguild.agent.improvement.instructions import refine
from toolguild.agent.improvement.lessons import consolidated, expired, new_lessons, usefulness_of
from toolguild.agent.improvement.likeness import likeness
from toolguild.agent.improvement.tools import Workshop, grow, unhelpful
from toolguild.agent.improvement.view import View
from toolguild.registry import Embedder, Registry, State
from toolguild.registry.improvement import NewChange
from toolguild.synth.models import AsyncModel

__all__ = ["Demonstrations", "Instructing", "Lessons", "Proposals", "Proposer", "Tools"]


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a proposer suggests."""

    changes: Sequence[NewChange] = ()
    left_out: Sequence[str] = ()
    """What it could not look for, and why."""


class Proposer(Protocol):
    """Suggests changes; nothing is done by that."""

    @property
    def about(self) -> str:
        """What it suggests changes of."""

    async def propose(self, view: View) -> Proposals:
        """Return changes that may help.

        Raises:
            ModelDownError: the model gives no reply.
            OverBudgetError: no more may be spent.
        """


@dataclass(frozen=True)
class Lessons:
    """Learns from failures, and forgets what does not help."""

    about: ClassVar[str] = "lessons"
    model: AsyncModel | None = None

    async def propose(self, view: View) -> Proposals:
        """Propose what expires, what is merged, and what is new."""
        useful = usefulness_of(view.standing, view.runs, view.rules, _fit, view.changes)
        name = {"agent": view.agent, "cycle": view.cycle}
        gone = expired(view.standing, view.runs, useful, view.rules, **name)
        chances = {digest: one.chance for digest, one in useful.items()}
        fewer = await consolidated(
            self.model, view.after(gone), view.rules, chances=chances, **name
        )
        new = await new_lessons(
            self.model,
            view.after(gone, fewer),
            view.new_runs,
            view.rules,
            changes=view.changes,
            **name,
        )
        return Proposals([one for one in (gone, fewer, *new) if one is not None])


@dataclass(frozen=True)
class Instructing:
    """Refines the instructions."""

    about: ClassVar[str] = "instructions"
    model: AsyncModel | None = None
    embedder: Embedder | None = None

    async def propose(self, view: View) -> Proposals:
        """Propose other instructions."""
        found = await refine(
            self.model,
            view.standing,
            view.new_runs,
            view.rules,
            view.agent,
            view.cycle,
            self.embedder,
        )
        if found.change is None:
            return Proposals(left_out=(found.why_not,))
        return Proposals((found.change,))


@dataclass(frozen=True)
class Demonstrations:
    """Keeps the library of examples."""

    about: ClassVar[str] = "examples"
    registry: Registry
    own_tools: frozenset[str] = frozenset()
    """Names of the agent's own tools."""

    async def propose(self, view: View) -> Proposals:
        """Propose what is stale, and what is new."""
        there = {one.spec.name for one in self.registry.tools(state=State.ACTIVE)}
        stale = stale_examples(
            view.standing,
            view.changes,
            view.rules,
            view.now,
            there | self.own_tools,
            runs=view.runs,
            cycle=view.cycle,
        )
        standing = view.after(stale)
        new = new_examples(standing, view.new_runs, view.rules, view.agent, view.cycle, view.now)
        return Proposals([one for one in (stale, *new) if one is not None])


@dataclass(frozen=True)
class Tools:
    """Retires the tools that do not help, and makes new ones of what recurs."""

    about: ClassVar[str] = "tools"
    registry: Registry
    workshop: Workshop
    traces: Path
    """Folder with the traces of the agent's runs."""

    async def propose(self, view: View) -> Proposals:
        """Propose what is to be retired, and what was made."""
        retired = unhelpful(self.registry, view.agent, view.runs, view.rules)
        if not view.new_runs:
            return Proposals([] if retired is None else [retired])
        # Synthesis runs programs; nothing else waits for it meanwhile.
        grown = await asyncio.to_thread(
            grow, self.registry, view.agent, self.traces, view.runs, self.workshop
        )
        changes = [one for one in (retired, grown.change) if one is not None]
        return Proposals(changes, [str(problem) for problem in grown.problems])


def _fit(lesson: Lesson, task: str) -> float:
    """Return how well a lesson fits a task, as the words of both tell."""
    return max(likeness(lesson.lesson, task), likeness(lesson.task, task))
