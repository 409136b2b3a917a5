"""Trying a candidate on held-out tasks beside what is in effect, before anything is changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

from toolguild.agent.improvement.attempts import GuidanceFor, TaskCase, Work
from toolguild.agent.improvement.trials.comparison import CaseScores, Comparison
from toolguild.agent.stages import Guidance
from toolguild.policies import ToolguildError
from toolguild.policies.improvement import ImprovementRules

__all__ = ["Comparison", "HeldOut", "HeldOutError"]

_Trial = tuple[TaskCase, Guidance]


class HeldOutError(ToolguildError, ValueError):
    """There are no held-out tasks that anything could be judged by."""


class HeldOut:
    """The held-out tasks of one cycle, and what is known of them already.

    What was worked on under a guidance once is not worked on under it again: neither where a
    candidate tells the agent nothing else on that task, nor in a later comparison. Whoever changes
    what no guidance tells, such as the tools that there are, has to say so by `forget`.
    """

    def __init__(
        self,
        work: Work,
        cases: Sequence[TaskCase],
        rules: ImprovementRules,
        *,
        repeats: int = 1,
        at_once: int = 1,
    ) -> None:
        """Take the tasks; none is worked on yet.

        Args:
            work: Works on one of them.
            cases: The tasks, each with an id of its own.
            rules: What counts as a success.
            repeats: How often each is worked on under a guidance, for models that vary; its score
                is the mean.
            at_once: How many are worked on at a time; one, unless they share nothing.

        Raises:
            HeldOutError: there are no tasks, or two with one id.
            ValueError: a number is below 1.
        """
        if not cases:
            msg = "there are no held-out tasks, so nothing can be deployed; mark some as held_out"
            raise HeldOutError(msg)
        [(most, times)] = Counter(case.id for case in cases).most_common(1)
        if times > 1:
            msg = f"{times} held-out tasks have the id {most!r}; give each its own"
            raise HeldOutError(msg)
        if repeats < 1 or at_once < 1:
            msg = f"repeats ({repeats}) and at_once ({at_once}) are 1 at least"
            raise ValueError(msg)
        self._work, self._cases, self._rules = work, tuple(cases), rules
        self._repeats, self._at_once = repeats, at_once
        self._scores: dict[tuple[str, Guidance], list[float]] = {}
        self._comparing = asyncio.Lock()

    async def compare(self, present: GuidanceFor, candidate: GuidanceFor) -> Comparison:
        """Work on the tasks under both guidances, as far as that was not done before.

        What is raised while a task is worked on ends the comparison, and what else is under way;
        the scores that there are by then are kept.

        Raises:
            ModelDownError: the model gives no reply.
        """
        pairs = [(case, present(case.task), candidate(case.task)) for case in self._cases]
        # One comparison at a time: tasks that share a world do so across comparisons, too.
        async with self._comparing:
            missing = [trial for pair in pairs for trial in self._missing(*pair)]
            await self._work_on(missing)
        scores = [
            CaseScores(case, self._known(case, before), self._known(case, after))
            for case, before, after in pairs
        ]
        return Comparison.of(scores, self._rules.success)

    def forget(self) -> None:
        """Have all tasks worked on anew by the next comparison; not while there is one."""
        self._scores.clear()

    def _missing(self, case: TaskCase, before: Guidance, after: Guidance) -> Iterator[_Trial]:
        """Yield what has to be worked on, as often as it has to."""
        for guidance in dict.fromkeys((before, after)):
            for _ in range(self._repeats - len(self._known(case, guidance))):
                yield case, guidance

    def _known(self, case: TaskCase, guidance: Guidance) -> tuple[float, ...]:
        return tuple(self._scores.get((case.id, guidance), ()))

    async def _work_on(self, trials: Sequence[_Trial]) -> None:
        rest = iter(trials)

        async def worker() -> None:
            for case, guidance in rest:
                attempt = await self._work(case, guidance)
                self._scores.setdefault((case.id, guidance), []).append(attempt.score.value)

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(self._at_once, len(trials))):
                    workers.create_task(worker())
        except BaseExceptionGroup as group:
            # What went wrong first; the others were given up because of it.
            first = group.exceptions[0]
            raise first from first.__cause__
