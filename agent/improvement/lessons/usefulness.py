"""Whether lessons help: what became of the runs that were told them, and of those that were not.

Runs are compared with others that the lesson would have fit as well, so that a lesson for hard
tasks is not blamed for these. The runs that it was made of are left out: they were taken because
they failed, and would flatter it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from toolguild.agent.improvement.artefacts import Lesson
from toolguild.agent.improvement.lessons.past import runs_learned_from
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement import Change, ChangeKind, NewChange, ScoredRun, Standing
from toolguild.sandbox import JsonObject

__all__ = ["Relevance", "Usefulness", "chance_of_higher", "expired", "usefulness_of"]

Relevance = Callable[[Lesson, str], float]
"""How well a lesson fits a task: the same measure by which runs are told lessons."""

_EVEN: Final = 0.5
_MOST_RUNS: Final = 1000
"""Runs that are looked at, the newest: tasks and tools were others before."""


@dataclass(frozen=True, slots=True)
class Usefulness:
    """What became of the runs that were told a lesson, and of those that could have been."""

    told: int
    told_successes: int
    others: int
    """Runs of like tasks that were not told it."""
    others_successes: int

    @property
    def chance(self) -> float:
        """The chance that runs which are told it succeed more often; a half where nothing tells."""
        if not self.told or not self.others:
            return _EVEN
        return chance_of_higher(
            (self.told_successes, self.told - self.told_successes),
            (self.others_successes, self.others - self.others_successes),
        )

    def is_useless(self, rules: ImprovementRules) -> bool:
        """Whether it was tried often enough, and does more likely not help than help."""
        return self.told >= rules.lesson_trial and self.others > 0 and self.chance < _EVEN

    def to_json(self) -> JsonObject:
        """Return the numbers, for a change's evidence."""
        return {
            "told": self.told,
            "told_successes": self.told_successes,
            "others": self.others,
            "others_successes": self.others_successes,
            "chance_that_it_helps": round(self.chance, 4),
        }


def usefulness_of(
    standing: Standing,
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
    relevance: Relevance,
    changes: Sequence[Change] = (),
) -> dict[str, Usefulness]:
    """Return how useful each lesson in effect is, by its digest.

    Args:
        standing: What the agent is told at present.
        runs: All of its scored runs.
        rules: What a success is.
        relevance: How well a lesson fits a task.
        changes: All of the agent's, which say of which runs each lesson was made.

    Raises:
        TamperedError: a lesson is not what was written.
    """
    learned_from = runs_learned_from(changes)
    newest = sorted(runs, key=lambda run: (run.at, run.number))[-_MOST_RUNS:]
    found = {}
    for artefact in standing.lessons:
        rest = [run for run in newest if run.number not in learned_from.get(artefact.digest, ())]
        told = [run for run in rest if artefact.digest in run.shown]
        others = [run for run in rest if artefact.digest not in run.shown]
        like = _like(Lesson.of(artefact), told, others, relevance)
        found[artefact.digest] = Usefulness(
            len(told), _successes(told, rules), len(like), _successes(like, rules)
        )
    return found


def expired(
    standing: Standing,
    runs: Sequence[ScoredRun],
    usefulness: Mapping[str, Usefulness],
    rules: ImprovementRules,
    *,
    agent: str,
    cycle: str,
) -> NewChange | None:
    """Propose to remove the lessons that do not help; None where there are none.

    Args:
        standing: What the agent is told at present.
        runs: All of its scored runs.
        usefulness: Of its lessons, by digest; see `usefulness_of`.
        rules: How often a lesson is told before it is judged.
        agent: Whose lessons they are.
        cycle: Of the improvement.
    """
    useless = {
        artefact.digest: usefulness[artefact.digest]
        for artefact in standing.lessons
        if artefact.digest in usefulness and usefulness[artefact.digest].is_useless(rules)
    }
    if not useless:
        return None
    count = len(useless)
    return NewChange(
        agent=agent,
        kind=ChangeKind.LESSONS,
        why=f"{count} {'lesson does' if count == 1 else 'lessons do'} not help",
        removes=tuple(useless),
        runs=tuple(sorted(run.number for run in runs if useless.keys() & {*run.shown})),
        cycle=cycle,
        evidence={"useless": {digest: one.to_json() for digest, one in useless.items()}},
    )


def chance_of_higher(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the chance that the first of two success rates is the higher one.

    Before the first run every rate is as likely as any other, so that after s successes and f
    failures it has the distribution Beta(s+1, f+1). For two of these, with parameters (a, b) and
    (c, d), it is (J. Cook, Exact Calculation of Beta Inequalities, UT MD Anderson 2005)

        sum over i from 0 to a-1 of  B(c+i, b+d) / ((b+i) B(1+i, b) B(c, d))

    Args:
        one: Successes and failures, neither negative.
        other: The same of what it is compared with.
    """
    a, b = one[0] + 1, one[1] + 1
    c, d = other[0] + 1, other[1] + 1
    chance = math.fsum(
        math.exp(_log_beta(c + i, b + d) - math.log(b + i) - _log_beta(1 + i, b) - _log_beta(c, d))
        for i in range(a)
    )
    return min(chance, 1.0)


def _like(
    lesson: Lesson, told: Sequence[ScoredRun], others: Sequence[ScoredRun], relevance: Relevance
) -> list[ScoredRun]:
    """Return the other runs that the lesson fits as well as any of those that were told it."""
    if not told:
        return []
    least = min(relevance(lesson, run.task) for run in told)
    fits = ((run, relevance(lesson, run.task)) for run in others)
    return [run for run, fit in fits if fit > 0 and fit >= least]


def _successes(runs: Sequence[ScoredRun], rules: ImprovementRules) -> int:
    return sum(run.score >= rules.success for run in runs)


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
