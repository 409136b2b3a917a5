"""What agents call where a call fails, shared among the patterns that make that call.

Calls fail rarely, so few runs show what to do then; but it is the same whatever comes after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from toolguild.sandbox import Json
from toolguild.synth.mining.opportunity import RepeatedSequence
from toolguild.synth.plans import (
    CallStep,
    FromResult,
    Plan,
    leaves,
    origins_of,
    parameters_of,
    value_at,
)

__all__ = ["share_fallbacks"]


def share_fallbacks(found: Sequence[RepeatedSequence]) -> list[RepeatedSequence]:
    """Return patterns with the fallbacks of others, those that are then the same made one."""
    known = [one for one in found if _fallbacks(one.plan) and not one.is_overfitted]
    sharing: dict[str, RepeatedSequence] = {}
    for one in found:
        for other in known:
            one = _with_fallback_of(other, one)
        same = sharing.get(str(one.plan))
        sharing[str(one.plan)] = one if same is None else _merged(same, one)
    return [*sharing.values()]


def _fallbacks(plan: Plan) -> list[tuple[int, CallStep]]:
    return [
        (number, step)
        for number, step in enumerate(plan)
        if isinstance(step, CallStep) and step.otherwise is not None
    ]


def _with_fallback_of(other: RepeatedSequence, one: RepeatedSequence) -> RepeatedSequence:
    """Return a pattern with what another calls where a call fails, if both call up to there alike.

    It must ask for nothing more of the caller, and what comes later must find what it needs in what
    the fallback was seen to return.
    """
    for number, step in _fallbacks(other.plan):
        alike = one.plan[: number + 1] == (*other.plan[:number], replace(step, otherwise=None))
        plan = (*one.plan[:number], step, *one.plan[number + 1 :])
        if (
            alike
            and {*parameters_of(plan)} == {*parameters_of(one.plan)}
            and all(_has_parts(result, number, plan) for result in _told(other, number))
        ):
            one = replace(one, plan=plan, tools={**other.tools, **one.tools})
    return one


def _told(found: RepeatedSequence, number: int) -> Iterator[Json]:
    """Yield what fallbacks returned."""
    for occurrence in found.everywhere:
        *failed, call = occurrence.steps[number]
        if failed:
            yield call.result


def _has_parts(result: Json, number: int, plan: Plan) -> bool:
    """Whether a result has all that later steps read in the result of a step."""
    for step in plan[number + 1 :]:
        for leaf in (leaf for origin in origins_of(step) for leaf in leaves(origin)):
            if isinstance(leaf, FromResult) and leaf.step == number:
                try:
                    value_at(result, leaf.path)
                except LookupError:
                    return False
    return True


def _merged(one: RepeatedSequence, other: RepeatedSequence) -> RepeatedSequence:
    """Return a pattern with the places of another that has the same plan."""
    return one.joined_with(
        other,
        one.plan,
        [*one.occurrences, *other.occurrences],
        [*one.held_out, *other.held_out],
    )
