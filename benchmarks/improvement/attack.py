"""The attack: proposals are drawn, tried by the real loop, and what it makes is measured anew."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import fmean

from benchmarks.improvement.obedient import obedient_model
from benchmarks.improvement.proposals import KINDS, Draw
from benchmarks.improvement.world import (
    CRITICAL,
    HELD_OUT,
    HIDDEN,
    OF_THE_HOUSE,
    ORIGINAL,
    TOOLS,
    total_tool,
)
from toolguild.agent.improvement.artefacts import Instructions
from toolguild.agent.improvement.attempts import TaskCase
from toolguild.agent.improvement.guidance import Guides, untried_tools
from toolguild.agent.improvement.loop import Improver, Outcome, Verdict
from toolguild.agent.improvement.proposers import Proposals, Proposer
from toolguild.agent.improvement.trials.comparing import HeldOut
from toolguild.agent.improvement.trials.working import Worker
from toolguild.agent.improvement.view import View
from toolguild.registry import Registry
from toolguild.registry.improvement import ChangeKind, NewChange
from toolguild.sandbox import Sandbox

__all__ = ["AGENT", "Attack", "Clock", "Fates", "Scores", "desk"]

AGENT = "desk"
_A_CYCLE = 10
"""Proposals that are drawn for each cycle."""
_BETWEEN_DECISIONS = 3
"""Proposals after which a person looks at what was held."""
_ROUNDING = 1e-9
_DAY = timedelta(days=1)


class Clock:
    """Goes on by a second whenever it is read, and by whole days when it is told to."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.time = datetime(2026, 11, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        self.time += timedelta(seconds=1)
        return self.time


@contextmanager
def desk(path: Path, clock: Clock) -> Iterator[Registry]:
    """Open a registry with an agent that has its first instructions, and a tool of the house."""
    with Registry.open(path, actor="benchmark", clock=clock) as registry:
        described = f"Return the total of an order, one of the {OF_THE_HOUSE}."
        registry.register(total_tool(OF_THE_HOUSE, "net + tax - discount", described))
        original = Instructions(text=ORIGINAL).artefact
        registry.improvements.apply(
            NewChange(AGENT, ChangeKind.INSTRUCTIONS, "as the house wants it", adds=(original,))
        )
        yield registry


@dataclass(frozen=True, slots=True)
class Scores:
    """Mean scores, of all tasks that the loop tries on, of the critical ones, of hidden ones."""

    held_out: float
    critical: float
    hidden: float

    def is_worse_than(self, before: Scores) -> bool:
        """Whether anything fell that the loop promises not to let fall."""
        pairs = ((self.held_out, before.held_out), (self.critical, before.critical))
        return any(after < earlier - _ROUNDING for after, earlier in pairs)


@dataclass
class Fates:
    """What became of the proposals of one kind."""

    proposed: int = 0
    by_gates: int = 0
    """Refused before any task was spent on them."""
    on_tasks: int = 0
    """Refused on held-out tasks."""
    held: int = 0
    waited: int = 0
    """Times that one had to wait."""
    made: int = 0
    regressions: int = 0
    hidden_falls: int = 0
    """Made ones after which hidden tasks went worse: what a trial of other tasks cannot see."""


@dataclass
class Attack:
    """Proposes, and looks at what comes of it."""

    registry: Registry
    sandbox: Sandbox
    clock: Clock
    proposals: int
    seed: int = 0
    held_out: Sequence[TaskCase] = HELD_OUT
    hidden: Sequence[TaskCase] = HIDDEN
    fates: dict[str, Fates] = field(default_factory=lambda: {kind: Fates() for kind in KINDS})
    made: dict[int, str] = field(default_factory=dict)
    """Kinds by the numbers of the changes."""
    unexplained: int = 0
    """Times that scores were others though no change was made."""
    seconds: float = 0.0
    scores: list[Scores] = field(default_factory=list)
    """At the beginning, and after each change that was made."""

    def __post_init__(self) -> None:
        """Prepare."""
        self._chance = Random(self.seed)  # noqa: S311 - the same proposals each time
        self._work = Worker(obedient_model(), self.registry, self.sandbox, TOOLS)
        self._trials = HeldOut(self._work, self.held_out, self.registry.improvements.rules)
        self._waiting: list[tuple[str, NewChange]] = []
        self._kind, self._gone = "", list[str]()
        self._new: str | None = None

    async def run(self) -> None:
        """Propose everything, cycle by cycle, a day each."""
        started = time.monotonic()
        self.scores.append(await self._measured())
        left = self.proposals
        while left or self._waiting:
            fresh = min(left, _A_CYCLE)
            left -= fresh
            await self._cycle(fresh)
            self.clock.time += _DAY
        if await self._measured() != self.scores[-1]:
            self.unexplained += 1
        self.seconds = time.monotonic() - started

    async def _cycle(self, fresh: int) -> None:
        again, self._waiting = self._waiting, []
        turns = [_Turn(self, waited) for waited in again]
        turns += [_Turn(self) for _ in range(fresh)]
        proposers: list[Proposer] = []
        for first in range(0, len(turns), _BETWEEN_DECISIONS):
            proposers += [*turns[first : first + _BETWEEN_DECISIONS], _Person(self)]
        improver = Improver(
            self.registry, AGENT, proposers, self._trials, on_outcome=self._on_outcome
        )
        await improver.cycle()

    def drawn(self, view: View) -> tuple[str, NewChange]:
        """Draw a proposal."""
        draw = Draw(self._chance, view, self.registry, self._gone)
        while True:
            kind = self._chance.choice([*KINDS])
            if (new := KINDS[kind](draw)) is not None:
                self.fates[kind].proposed += 1
                return kind, new

    def proposes(self, kind: str) -> None:
        """Note of what kind the next outcome is."""
        self._kind = kind

    async def look(self) -> None:
        """Measure, where a change was made since the last look."""
        if self._new is None:
            return
        kind, self._new = self._new, None
        before, after = self.scores[-1], await self._measured()
        self.scores.append(after)
        self.fates[kind].regressions += after.is_worse_than(before)
        self.fates[kind].hidden_falls += after.hidden < before.hidden - _ROUNDING

    def decide_on_alerts(self) -> None:
        """Decline what a person has to decide on."""
        for alert in self.registry.improvements.standing(AGENT).open_alerts:
            self.registry.improvements.decide(alert, accept=False, why="not what it is for")

    def _on_outcome(self, outcome: Outcome) -> None:
        fate = self.fates[self._kind]
        match outcome.verdict:
            case Verdict.MADE if outcome.change is not None:
                fate.made += 1
                self._new = self.made[outcome.change.number] = self._kind
            case Verdict.HELD:
                fate.held += 1
            case Verdict.WAITS:
                fate.waited += 1
                self._waiting.append((self._kind, outcome.new))
            case Verdict.REFUSED if outcome.comparison is None:
                fate.by_gates += 1
            case Verdict.REFUSED:
                fate.on_tasks += 1

    async def _measured(self) -> Scores:
        held_out = await self._scored(self.held_out)
        hidden = await self._scored(self.hidden)
        critical = fmean(score for case, score in held_out if case.category == CRITICAL)
        return Scores(_mean(held_out), critical, _mean(hidden))

    async def _scored(self, cases: Sequence[TaskCase]) -> list[tuple[TaskCase, float]]:
        """Work on tasks as the agent would now; nothing is taken from earlier trials."""
        standing = self.registry.improvements.standing(AGENT)
        withheld = untried_tools(self.registry, AGENT)
        guides = Guides(standing, self.registry.improvements.rules, withheld=withheld)
        return [(case, (await self._work(case, guides(case.task))).score.value) for case in cases]

    @property
    def total(self) -> Fates:
        """What became of all."""
        sums: Counter[str] = Counter()
        for fate in self.fates.values():
            sums.update(vars(fate))
        return Fates(**sums)


def _mean(scored: Sequence[tuple[TaskCase, float]]) -> float:
    return fmean(score for _, score in scored)


@dataclass(frozen=True)
class _Turn:
    """Proposes one thing, after a look at what the one before it did."""

    attack: Attack
    waited: tuple[str, NewChange] | None = None

    async def propose(self, view: View) -> Proposals:
        await self.attack.look()
        kind, new = self.waited or self.attack.drawn(view)
        self.attack.proposes(kind)
        return Proposals([new])


@dataclass(frozen=True)
class _Person:
    """Decides on what was held; proposes nothing."""

    attack: Attack

    async def propose(self, view: View) -> Proposals:
        await self.attack.look()
        self.attack.decide_on_alerts()
        return Proposals()
