"""The example library: which runs become examples, and which examples go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from toolguild.agent.improvement.artefacts import Example
from toolguild.agent.improvement.examples.demonstrations import (
    demonstration_of,
    is_whole,
    tools_of,
    way_of,
)
from toolguild.agent.improvement.likeness import likeness
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement import Change, ChangeKind, NewChange, ScoredRun, Standing
from toolguild.registry.improvement.history import effective
from toolguild.sandbox import JsonObject

__all__ = ["new_examples", "stale_examples"]

_ALIKE = 0.8
"""Likeness from which two tasks are one, as far as examples go."""


def new_examples(
    standing: Standing,
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
    agent: str,
    cycle: str,
    now: datetime,
) -> list[NewChange]:
    """Return a change for each run that is to become an example, the best first.

    Of runs with like tasks the best is taken: one in which nothing failed, then the one with the
    highest score, then the shortest. One that does in the same way what an example does already
    takes its place if it is better, and is left out otherwise.

    Args:
        standing: What the agent is told at present.
        runs: As the registry keeps them.
        rules: From which score a run is an example, and how many changes there may be.
        agent: Whose runs these are.
        cycle: What the changes belong to.
        now: The time; runs that would be stale as examples are left out.
    """
    held = {artefact.digest: Example.of(artefact) for artefact in standing.examples}
    most = min(rules.changes_a_cycle, rules.examples)
    tasks: list[str] = []
    found: list[NewChange] = []
    for run in sorted(_fit(runs, agent, rules, now), key=_best_first):
        if len(found) >= most:
            break
        if any(_are_alike(run.task, task) for task in tasks):
            continue
        example = demonstration_of(run)
        if example is None:
            continue
        tasks.append(run.task)
        doubles = {digest: one for digest, one in held.items() if _is_double(example, one)}
        if all(_is_better(example, double) for double in doubles.values()):
            replaced = tuple(digest for digest, one in doubles.items() if not one.is_seed)
            found.append(_added(run, example, replaced, cycle))
    return found


def stale_examples(
    standing: Standing,
    changes: Sequence[Change],
    rules: ImprovementRules,
    now: datetime,
    known_tools: Collection[str],
    *,
    runs: Sequence[ScoredRun] = (),
    cycle: str = "",
) -> NewChange | None:
    """Return the change that removes the examples which are of no use any more, if there are any.

    These are the ones that call tools which are gone, those that are too old, unless a person gave
    them, and of the others those beyond the number that is kept: the ones that were told to the
    fewest successful runs, then the oldest. What is on trial goes after what is not, and what a
    person gave goes last.

    Args:
        standing: What the agent is told at present.
        changes: The agent's, the oldest first, which brought what it is told.
        rules: How many examples are kept, for how many days, and how long they are on trial.
        now: The time.
        known_tools: Names of all tools that the agent has now.
        runs: The agent's, from which the use of examples is seen; without them, age decides.
        cycle: What the change belongs to.
    """
    held = {artefact.digest: Example.of(artefact) for artefact in standing.examples}
    came = _came(changes)
    going = {
        digest: why
        for digest, example in held.items()
        if (why := _staleness(example, came[digest], rules, now, known_tools))
    }
    left = {digest: example for digest, example in held.items() if digest not in going}
    surplus = max(0, len(left) - rules.examples)
    for digest in _least_useful_first(left, came, runs, rules)[:surplus]:
        going[digest] = f"is of the least use of more than {rules.examples}"
    if not going:
        return None
    told: JsonObject = {**going}
    return NewChange(
        agent=changes[-1].new.agent,
        kind=ChangeKind.EXAMPLES,
        why=f"{len(going)} of {len(held)} examples are stale: one {next(iter(going.values()))}",
        removes=tuple(going),
        cycle=cycle,
        evidence={"stale": told},
    )


def _fit(
    runs: Sequence[ScoredRun], agent: str, rules: ImprovementRules, now: datetime
) -> list[ScoredRun]:
    oldest = now - timedelta(days=rules.example_days)
    return [
        run
        for run in runs
        if run.agent == agent and run.score >= rules.example and run.at >= oldest and is_whole(run)
    ]


def _best_first(run: ScoredRun) -> tuple[bool, float, int, int, int]:
    return bool(run.error), -run.score, run.calls, run.tokens, run.number


def _is_double(example: Example, other: Example) -> bool:
    """Whether two examples show the same way of doing the same."""
    return _are_alike(example.task, other.task) and way_of(example) == way_of(other)


def _are_alike(task: str, other: str) -> bool:
    # What has no words is like nothing, but still the same.
    return task == other or likeness(task, other) >= _ALIKE


def _is_better(example: Example, other: Example) -> bool:
    return (example.score, -len(example.steps)) > (other.score, -len(other.steps))


def _added(run: ScoredRun, example: Example, replaced: tuple[str, ...], cycle: str) -> NewChange:
    instead = " instead of a worse one" if replaced else ""
    calls = "1 call" if run.calls == 1 else f"{run.calls} calls"
    return NewChange(
        agent=run.agent,
        kind=ChangeKind.EXAMPLES,
        why=f"run {run.number} scored {run.score:.2f} in {calls}: an example{instead}",
        adds=(example.artefact,),
        removes=replaced,
        runs=(run.number,),
        cycle=cycle,
        evidence={"score": run.score, "calls": run.calls, "tokens": run.tokens},
    )


def _came(changes: Sequence[Change]) -> dict[str, datetime]:
    """Return when the newest change in effect brought each artefact."""
    return {
        artefact.digest: change.at
        for change in effective(changes)
        if change.new.kind is not ChangeKind.ALERT
        for artefact in change.new.adds
    }


def _staleness(
    example: Example,
    came: datetime,
    rules: ImprovementRules,
    now: datetime,
    known_tools: Collection[str],
) -> str:
    """Return why an example is stale, however few there are; empty where it is not."""
    gone = [tool for tool in tools_of(example) if tool not in known_tools]
    if gone:
        return f"calls {gone[0]}, which is gone"
    if came < now - timedelta(days=rules.example_days) and not example.is_seed:
        return f"is older than {rules.example_days} days"
    return ""


def _least_useful_first(
    examples: Mapping[str, Example],
    came: Mapping[str, datetime],
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
) -> list[str]:
    helped = Counter(digest for run in runs if run.score >= rules.success for digest in run.shown)

    def use(digest: str) -> tuple[bool, bool, int, datetime]:
        # Else nothing new would ever take the place of what had longer to prove itself.
        on_trial = sum(run.at > came[digest] for run in runs) < rules.lesson_trial
        return examples[digest].is_seed, on_trial, helped[digest], came[digest]

    return sorted(examples, key=use)
