"""Tools that stop helping: which of those that an agent brought it is better off without.

Only tools that this agent's changes brought are judged, and none that a tool in use calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from toolguild.policies.improvement import ImprovementRules
from toolguild.registry import Registry, State, ToolVersion
from toolguild.registry.chain import AuditRow
from toolguild.registry.improvement import ChangeKind, NewChange, ScoredRun
from toolguild.registry.improvement.history import effective
from toolguild.registry.parts import callers_of
from toolguild.sandbox import JsonObject

__all__ = ["TRIALS_UNUSED", "unhelpful"]

TRIALS_UNUSED = 5
"""Times `lesson_trial` runs without a call show that a tool is not used: it is for one kind of task
among several, where a lesson is judged by the runs that were told it."""
_COMES = frozenset({"admit", "restore", "point", "rollback"})
"""Actions after which a version can be called that could not be called before."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """Why a version does not help."""

    why: str
    counts: JsonObject
    runs: tuple[int, ...] = ()
    """Numbers of the runs that it was called in, where these speak against it."""


def unhelpful(
    registry: Registry, agent: str, runs: Sequence[ScoredRun], rules: ImprovementRules
) -> NewChange | None:
    """Return the change that retires the tools that do not help; None where there is none.

    Args:
        registry: Where the tools are.
        agent: Whose changes brought them.
        runs: Its scored runs, the oldest first.
        rules: What counts as a success, and how many runs make a trial.
    """
    found: list[tuple[ToolVersion, _Finding]] = []
    shared = _brought_by_others(registry, agent)
    for change, version in registry.improvements.brought_tools(agent):
        is_in_use = version.state in (State.ACTIVE, State.QUARANTINED)
        if not is_in_use or version.digest in shared or _is_part(registry, version):
            continue
        trail = [
            row
            for row in registry.governance.history(version.spec.name)
            if row.subject == version.digest
        ]
        finding = _judged(version, change.at, trail, runs, rules)
        if finding is not None:
            found.append((version, finding))
    if not found:
        return None
    return NewChange(
        agent=agent,
        kind=ChangeKind.TOOLS,
        why="; ".join(f"{version.ref} {one.why}" for version, one in found),
        retires=tuple(version.digest for version, _ in found),
        runs=tuple(sorted({number for _, one in found for number in one.runs})),
        evidence={
            "retired": {version.ref: {"why": one.why, **one.counts} for version, one in found}
        },
    )


def _judged(
    version: ToolVersion,
    brought: datetime,
    trail: Sequence[AuditRow],
    runs: Sequence[ScoredRun],
    rules: ImprovementRules,
) -> _Finding | None:
    """Return why a version does not help, if it does not."""
    trial = max(1, rules.lesson_trial)
    if version.state is State.QUARANTINED:
        since = _after(runs, _quarantined_at(trail) or brought)
        if len(since) < trial:
            return None
        return _Finding("stayed in quarantine", {"runs_since": len(since)})
    came = [datetime.fromisoformat(row.at) for row in trail if row.action in _COMES]
    since = _after(runs, max([brought, *came]))
    recent = since[-TRIALS_UNUSED * trial :]
    if len(recent) == TRIALS_UNUSED * trial and not any(
        version.digest in run.tools for run in recent
    ):
        return _Finding("was not called", {"runs_since": len(since), "uncalled": len(recent)})
    return _worse_with(version, since, trial, rules.success)


def _worse_with(
    version: ToolVersion, runs: Sequence[ScoredRun], trial: int, success: float
) -> _Finding | None:
    """Say whether runs that call a tool succeed less often than those beside them that do not."""
    called = [run for run in runs if version.digest in run.tools]
    others = [run for run in runs if version.digest not in run.tools]
    if min(len(called), len(others)) < trial:
        return None
    with_it, without = _success_rate(called, success), _success_rate(others, success)
    if with_it >= without:
        return None
    counts: JsonObject = {
        "runs_with": len(called),
        "rate_with": round(with_it, 4),
        "runs_without": len(others),
        "rate_without": round(without, 4),
    }
    why = f"is in runs that succeed less often ({with_it:.2f}) than others ({without:.2f})"
    return _Finding(why, counts, tuple(run.number for run in called))


def _success_rate(runs: Sequence[ScoredRun], success: float) -> float:
    """Return the share of successes, by Laplace's rule: one of each is taken for granted."""
    return (sum(run.score >= success for run in runs) + 1) / (len(runs) + 2)


def _after(runs: Sequence[ScoredRun], moment: datetime) -> list[ScoredRun]:
    return [run for run in runs if run.at > moment]


def _quarantined_at(trail: Sequence[AuditRow]) -> datetime | None:
    """Return when a version came into quarantine last."""
    for row in reversed(trail):
        match row.content:
            case {"after": {"state": State.QUARANTINED.value}}:
                return datetime.fromisoformat(row.at)
    return None


def _brought_by_others(registry: Registry, agent: str) -> set[str]:
    """Return the digests of the versions that changes of other agents brought."""
    others = [one for one in registry.improvements.changes() if one.new.agent != agent]
    return {digest for change in effective(others) for digest in change.new.brings}


def _is_part(registry: Registry, version: ToolVersion) -> bool:
    """Say whether a tool that is in use, or waits to be, calls a version by its name."""
    name = version.spec.name
    if registry.tool(name).digest != version.digest:
        return False
    with registry.database.read() as connection:
        callers = callers_of(connection, name)
    in_use = (State.ACTIVE, State.PROPOSED)
    return any(one.state in in_use and one.digest != version.digest for one in callers)
