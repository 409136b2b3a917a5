"""A warm-up: an agent works on representative tasks before it is let loose, and learns from that.

It may be interrupted and begun again. The id of each run follows from the warm-up and the task, so
that what was scored before is known by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from toolguild.agent.improvement.attempts import Attempt, GuidanceFor, TaskCase, Work
from toolguild.agent.stages import RunStarted, UnsoundEventsError
from toolguild.registry.canonical import digest

__all__ = ["Practice", "Practised", "run_id", "warm_up"]


@dataclass(frozen=True, slots=True)
class Practised:
    """A task of a warm-up that is done with."""

    case: TaskCase
    run: str
    """Id of its run."""
    number: int
    """Of the task in the warm-up, from 1."""
    tasks: int
    """How many there are."""
    attempt: Attempt | None
    """None where it was scored before."""


@dataclass(frozen=True, slots=True)
class Practice:
    """What a warm-up came to."""

    worked: int
    """Tasks that were worked on now."""
    known: int
    """Tasks that had a scored run before."""


def run_id(warm_up: str, case: str) -> str:
    """Return the id of the run of a task in a warm-up, by the ids of both."""
    return f"warm-up-{digest([warm_up, case]).removeprefix('sha256:')[:32]}"


async def warm_up(
    name: str,
    work: Work,
    cases: Sequence[TaskCase],
    guidance: GuidanceFor,
    record: Callable[[Attempt], object],
    *,
    scored: Collection[str] = (),
    on_progress: Callable[[Practised], None] = lambda practised: None,
) -> Practice:
    """Work on each task once, one after the other, and record how well it went.

    Where it is interrupted, or work or record raise, what was recorded stays, and calling it again
    goes on with the next task.

    Args:
        name: What it is called; by another name all tasks are worked on anew.
        work: Works on a task and scores that.
        cases: The tasks.
        guidance: What the agent is told beside each; asked right before it, so that what was
            learned meanwhile counts.
        record: Keeps a scored run of the attempt. Its first event bears the id of `run_id`,
            whatever work called the run; trace and scored run are to be made of these events.
        scored: Ids of the agent's runs that are scored already.
        on_progress: Told of each task after it was recorded, and of those that were skipped.

    Raises:
        ValueError: two tasks have the same id.
        UnsoundEventsError: an attempt does not begin with the start of a run.
    """
    ids = [run_id(name, case.id) for case in cases]
    if len(set(ids)) < len(ids):
        msg = f"warm-up {name}: two of its tasks have the same id"
        raise ValueError(msg)
    worked = 0
    for number, (run, case) in enumerate(zip(ids, cases, strict=True), start=1):
        attempt = None
        if run not in scored:
            attempt = _named(await work(case, guidance(case.task)), run)
            record(attempt)
            worked += 1
        on_progress(Practised(case, run, number, len(cases), attempt))
    return Practice(worked, len(cases) - worked)


def _named(attempt: Attempt, run: str) -> Attempt:
    """Return an attempt whose run has another id."""
    start = attempt.events[0] if attempt.events else None
    if not isinstance(start, RunStarted):
        msg = "the first event of a run is missing"
        raise UnsoundEventsError(msg)
    return replace(attempt, events=(start.model_copy(update={"run": run}), *attempt.events[1:]))
