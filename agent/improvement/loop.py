"""One cycle of improvement: what runs suggest is tried on held-out tasks, and made where it holds.

Proposals come from anywhere and are trusted with nothing: each is tried against what stands, on
tasks that nothing was learned from, and is made only where these are done no worse. Each is made,
held back or refused in one transaction of its own, so that a cycle may be cut off anywhere.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from toolguild.agent.improvement.gates import (
    drift_of,
    objection_to,
    objection_to_tools,
    waits_for_room,
    was_refused,
)
from toolguild.agent.improvement.guidance import Guides, untried_tools, with_change
from toolguild.agent.improvement.proposers import Proposer
from toolguild.agent.improvement.trials import Comparison, HeldOut
from toolguild.agent.improvement.view import View
from toolguild.registry import ChangeRefusedError, Embedder, Registry
from toolguild.registry.improvement import Change, ChangeKind, NewChange, Standing
from toolguild.registry.improvement.history import last_with_effect, standing_of, tools_in_use
from toolguild.sandbox import JsonObject
from toolguild.synth.models import OverBudgetError

__all__ = ["CycleReport", "Improver", "Outcome", "Verdict"]

_USED_UP = "the changes of this cycle or day are used up"
_ENOUGH, _LATEST = 10, 50
"""Runs from which an agent's own rate of success is taken, at least and at most."""


class Verdict(StrEnum):
    """What became of a proposal."""

    MADE = "made"
    HELD = "held"
    """A person has to decide."""
    REFUSED = "refused"
    WAITS = "waits"
    """There is no room for it in this cycle, or today; it will be proposed again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A proposal, and what became of it."""

    new: NewChange
    verdict: Verdict
    why: str
    comparison: Comparison | None = None
    change: Change | None = None
    """As it is kept; None where it waits."""


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle did."""

    agent: str
    runs: int
    """New ones that it looked at."""
    outcomes: tuple[Outcome, ...] = ()
    left_out: tuple[str, ...] = ()
    """What could not be done, and why."""


def _ignore(_outcome: Outcome) -> None:
    """Listen to nothing."""


class Improver:
    """Improves one agent."""

    def __init__(
        self,
        registry: Registry,
        agent: str,
        proposers: Sequence[Proposer],
        held_out: HeldOut,
        *,
        embedder: Embedder | None = None,
        on_outcome: Callable[[Outcome], None] = _ignore,
    ) -> None:
        """Prepare to improve; nothing is asked or changed yet.

        Args:
            registry: Which holds the agent's runs and what it is told.
            agent: Its name.
            proposers: Asked in their order.
            held_out: Tasks that proposals are tried on.
            embedder: Finds what is relevant to a task by its meaning, too.
            on_outcome: Told of each proposal once its fate is kept.
        """
        self._registry, self._agent = registry, agent
        self._proposers, self._held_out = proposers, held_out
        self._embedder, self._on_outcome = embedder, on_outcome
        self._improvements = registry.improvements
        self._tools: dict[str, bool] = {}
        """Those that changes speak of, when tasks were worked on last, and whether in use."""

    async def cycle(self) -> CycleReport:
        """Look at the runs since the last cycle, and change what can be made better.

        Raises:
            ModelDownError: the model gives no reply; what was made before stays.
            SandboxUnavailableError: no tool can run; likewise.
            RegistryError: the registry cannot be read or written.
        """
        cycle = uuid.uuid4().hex
        first = View.of(self._registry, self._agent, cycle)
        if not self._improvements.left_today(self._agent):
            # Nobody is asked for what cannot be made; the runs are looked at another day.
            return CycleReport(self._agent, len(first.new_runs), left_out=(_USED_UP,))
        outcomes: list[Outcome] = []
        left_out: list[str] = []
        try:
            for proposer in self._proposers:
                left_out += await self._hear(proposer, cycle, outcomes)
        except OverBudgetError as error:
            left_out.append(str(error))
        else:
            self._end(first, outcomes)
        return CycleReport(self._agent, len(first.new_runs), tuple(outcomes), tuple(left_out))

    async def _hear(self, proposer: Proposer, cycle: str, outcomes: list[Outcome]) -> list[str]:
        """Try what a proposer suggests; return what it could not do."""
        view = View.of(self._registry, self._agent, cycle)
        proposals = await proposer.propose(view)
        for new in proposals.changes:
            if was_refused(new, view.changes):
                continue
            made = sum(one.verdict is Verdict.MADE for one in outcomes)
            outcome = await self._decide(replace(new, agent=self._agent, cycle=cycle), made)
            outcomes.append(outcome)
            self._on_outcome(outcome)
        return [f"{proposer.about}: {why}" for why in proposals.left_out]

    async def _decide(self, new: NewChange, made: int) -> Outcome:
        """Decide on a proposal by what stands at this moment."""
        improvements = self._improvements
        if made >= improvements.rules.changes_a_cycle or not improvements.left_today(self._agent):
            return Outcome(new, Verdict.WAITS, _USED_UP)
        changes = improvements.changes(self._agent)
        return self._decided_untried(new, standing_of(changes)) or await self._try(new, changes)

    def _decided_untried(self, new: NewChange, standing: Standing) -> Outcome | None:
        """Decide on what no task is to be spent on; None where the proposal may be tried."""
        if new.kind is ChangeKind.INSTRUCTIONS and standing.open_alerts:
            why = f"a person has to decide on alert {standing.open_alerts[0]} first"
            return Outcome(new, Verdict.WAITS, why)
        rules = self._improvements.rules
        objection = objection_to(new, standing, rules) or objection_to_tools(new, self._registry)
        if objection:
            return self._refuse(new, objection)
        why = waits_for_room(new, self._registry)
        return Outcome(new, Verdict.WAITS, why) if why else None

    async def _try(self, new: NewChange, changes: Sequence[Change]) -> Outcome:
        improvements, standing = self._improvements, standing_of(changes)
        comparison = await self._compare(standing, new, tools_in_use(changes))
        tried = replace(new, evidence={**new.evidence, **self._found(comparison)})
        if not comparison.is_no_worse:
            return self._refuse(tried, comparison.why, comparison)
        drift = await asyncio.to_thread(drift_of, new, standing, improvements.rules, self._embedder)
        if drift:
            held = improvements.hold(replace(tried, why=drift))
            return Outcome(tried, Verdict.HELD, drift, comparison, held)
        try:
            change = improvements.apply(tried, tried_after=last_with_effect(changes))
        except ChangeRefusedError as error:
            # Somebody else changed the agent meanwhile.
            return Outcome(tried, Verdict.WAITS, str(error), comparison)
        return Outcome(tried, Verdict.MADE, new.why, comparison, change)

    def _refuse(self, new: NewChange, why: str, comparison: Comparison | None = None) -> Outcome:
        self._improvements.withdraw(new, why=why)
        refused = self._improvements.refuse(new, why=why)
        return Outcome(new, Verdict.REFUSED, why, comparison, refused)

    async def _compare(
        self, standing: Standing, new: NewChange, tools: dict[str, bool]
    ) -> Comparison:
        if new.brings or new.retires or tools != self._tools:
            # What is known of the tasks was found with other tools.
            self._held_out.forget()
        self._tools = tools
        candidate = with_change(standing, new)
        untried = untried_tools(self._registry, self._agent)
        withheld = tuple(one for one in untried if one not in new.brings)
        comparison = await self._held_out.compare(
            self._guides(standing, withheld=untried),
            self._guides(candidate, withheld=(*withheld, *new.retires)),
        )
        if new.brings or new.retires:
            self._held_out.forget()
        return comparison

    def _guides(self, standing: Standing, *, withheld: tuple[str, ...]) -> Guides:
        rules = self._improvements.rules
        return Guides(standing, rules, embedder=self._embedder, withheld=withheld)

    def _found(self, comparison: Comparison) -> JsonObject:
        """Return what the trial found, with the rate of success to be kept."""
        return {**comparison.evidence(), **self._own_rate()}

    def _own_rate(self) -> JsonObject:
        """Return the agent's own rate of success, where it has enough runs to tell."""
        rules = self._improvements.rules
        latest = self._improvements.runs(self._agent)[-_LATEST:]
        if len(latest) < _ENOUGH:
            return {}
        return {"rate": sum(run.score >= rules.success for run in latest) / len(latest)}

    def _end(self, first: View, outcomes: Sequence[Outcome]) -> None:
        if not first.new_runs and not outcomes:
            return
        seen = self._improvements.last_looked_at(self._agent)
        waiting = [one.new.kind for one in outcomes if one.verdict is Verdict.WAITS]
        if not {*waiting} - {ChangeKind.TOOLS}:
            # What waits is proposed again, of the same runs; tools are known without them.
            seen = max((run.number for run in first.new_runs), default=seen)
        counts = {one: sum(each.verdict is one for each in outcomes) for one in Verdict}
        told = ", ".join(f"{count} {one.value}" for one, count in counts.items() if count)
        self._improvements.end_cycle(self._agent, last_run=seen, why=told or "nothing was proposed")
