"""Trying a data flow on tasks that it was not made from.

What is inferred from all places holds in all of them, and says nothing of the next. So some tasks
are held out, and a flow that explains them clearly worse than its own is overfitted.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from toolguild.synth.mining.flows import Flow
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import Window

__all__ = ["Fold", "Tally", "Trial", "chance_of_so_few", "drawn_tasks", "folds_of", "try_out"]

MAX_FOLDS = 4
MAX_CHANCE = 0.05
"""A flow is overfitted if chance alone would explain as few held out tasks less often."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One way to hold out some of the tasks that windows come from."""

    seen: tuple[Window, ...]
    held_out: tuple[Window, ...] = ()


def folds_of(windows: Sequence[Window], settings: MiningSettings) -> Iterator[Fold]:
    """Yield up to four ways to hold out a share of the tasks, no task being held out twice.

    The tasks are drawn by a hash of their ids, so the order of windows and traces is no matter,
    and a habit that came or went in the course of a log is no matter either. Where there are too
    few tasks to spare one, nothing is held out.
    """
    telling = {window.log.task_id for window in windows if not window.acts_on_an_answer()}
    tasks = sorted(telling, key=_lot)
    size = _size(len(tasks), settings)
    if size < 1:
        yield Fold(tuple(windows))
        return
    for number in range(min(MAX_FOLDS, len(tasks) // size)):
        drawn = set(tasks[number * size : (number + 1) * size])
        yield Fold(
            tuple(window for window in windows if window.log.task_id not in drawn),
            tuple(window for window in windows if window.log.task_id in drawn),
        )


def drawn_tasks(tasks: Collection[str], settings: MiningSettings) -> set[str]:
    """Return the tasks to be held out where there is nothing that another draw could mend."""
    return {*sorted(tasks, key=_lot)[: max(_size(len(tasks), settings), 0)]}


def _size(tasks: int, settings: MiningSettings) -> int:
    return min(int(tasks * settings.held_out_share), tasks - settings.sequence_support)


def _lot(task: str) -> tuple[str, str]:
    return hashlib.sha256(task.encode("utf-8", "surrogatepass")).hexdigest(), task


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of some tasks a flow explains."""

    explained: int
    tasks: int

    def __str__(self) -> str:
        return f"{self.explained} of {self.tasks}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a flow on the windows that were held out."""

    explained: tuple[Window, ...]
    missed: Mapping[str, int]
    """Why it does not explain the others, and how many of them."""
    overfitted_why: str = ""
    """Why it must be taken to explain only what it was made from; empty where it need not."""
    is_accident: bool = False
    """Whether something holds in too few windows for the miner once these count as well."""


def try_out(flow: Flow, fold: Fold, settings: MiningSettings) -> Trial:
    """Try a flow that was made from the seen windows of a fold on those held out."""
    held_out = [flow.conditions_met(window) for window in fold.held_out]
    seen = [flow.conditions_met(window) for window in fold.seen]
    missed = Counter(flow.conditions[met].reason for met in held_out if met < len(flow.conditions))
    return Trial(
        explained=tuple(
            window
            for window, met in zip(fold.held_out, held_out, strict=True)
            if met == len(flow.conditions)
        ),
        missed=missed,
        overfitted_why=_overfitted(
            _tally(flow, fold.seen, seen), _tally(flow, fold.held_out, held_out)
        ),
        is_accident=_is_accident(flow, [*seen, *held_out], settings),
    )


def _is_accident(flow: Flow, met: Sequence[int], settings: MiningSettings) -> bool:
    """Say whether a condition holds in too few of the windows where those before it hold."""
    for number, condition in enumerate(flow.conditions):
        reached = sum(count >= number for count in met)
        passed = sum(count > number for count in met)
        if passed < condition.least_share(settings.min_confidence) * reached:
            return True
    return False


def _tally(flow: Flow, windows: Sequence[Window], met: Sequence[int]) -> Tally:
    """Count the tasks that a flow explains: at least half of their places.

    Tasks and not places, for the runs of one task resemble each other: ten places in one task
    are not ten pieces of evidence. Places where a consent may have been given say nothing.
    """
    by_task: defaultdict[str, list[bool]] = defaultdict(list)
    for window, count in zip(windows, met, strict=True):
        if not window.acts_on_an_answer():
            by_task[window.log.task_id].append(count == len(flow.conditions))
    return Tally(
        sum(2 * sum(explained) >= len(explained) for explained in by_task.values()), len(by_task)
    )


def _overfitted(seen: Tally, held_out: Tally) -> str:
    chance = chance_of_so_few(seen, held_out)
    if chance >= MAX_CHANCE:
        return ""
    return (
        f"it explains {held_out} tasks that were held out, and {seen} of those that it was "
        f"made from; chance alone does that in {chance:.1%} of cases"
    )


def chance_of_so_few(seen: Tally, held_out: Tally) -> float:
    """Return how often chance puts at most so many of the explained tasks among those held out.

    That is Fisher's exact test, one-sided (R. A. Fisher, Statistical Methods for Research Workers,
    5th edition, 1934, section 21.02): were the flow as good for any task, then the held out ones,
    drawn by lot, would hold a hypergeometric share of those that it explains. It needs no more of
    the flow than it shows: one that explains half of the seen tasks may miss half of the others.
    """
    tasks = seen.tasks + held_out.tasks
    explained = seen.explained + held_out.explained
    ways = sum(
        comb(explained, few) * comb(tasks - explained, held_out.tasks - few)
        for few in range(held_out.explained + 1)
    )
    return ways / comb(tasks, held_out.tasks)
