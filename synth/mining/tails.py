"""Patterns that go on in some runs and end in others: one pattern, the end of which is optional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolguild.synth.mining.opportunity import (
    RepeatedSequence,
    SequenceOccurrence,
    support_of,
)
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.plans import parameters_of, tools_of

__all__ = ["join_tails"]

_LEAST_SHARE = 0.5
"""What is left out in far fewer tasks than it is there, or the other way, is another pattern."""


def join_tails(found: Sequence[RepeatedSequence]) -> list[RepeatedSequence]:
    """Return patterns with those made one of which one goes on where the other ends.

    Only where what comes after needs nothing more of the caller and only reads, and where both are
    about as common: a tool that asks whether to go on is harder to use than one that does not ask.
    """
    left = [*found]
    joined = []
    while left:
        one = left.pop(0)
        other = next((other for other in left if _go_together(one, other)), None)
        if other is None:
            joined.append(one)
        else:
            left.remove(other)
            joined.append(_joined(*sorted((one, other), key=lambda each: len(each.plan))))
    return joined


def _go_together(one: RepeatedSequence, other: RepeatedSequence) -> bool:
    short, long = sorted((one.plan, other.plan), key=len)
    tail = long[len(short) :]
    if not tail or long[: len(short)] != short:
        return False
    supports = sorted([support_of(one.places), support_of(other.places)])
    return (
        not any(step.wanted for step in long)
        and not (one.is_overfitted or other.is_overfitted)
        and {*parameters_of(short)} == {*parameters_of(long)}
        and all(map(believed_read_only, tools_of(tail)))
        and supports[0] >= _LEAST_SHARE * supports[1]
    )


def _joined(short: RepeatedSequence, long: RepeatedSequence) -> RepeatedSequence:
    size = len(short.plan)
    last = long.plan[-1]
    flag = f"with_{last.code.name if last.code else last.tool}"
    plan = (*short.plan, *(replace(step, wanted=flag) for step in long.plan[size:]))
    missing = ((),) * (len(plan) - size)

    def without(one: SequenceOccurrence) -> SequenceOccurrence:
        bindings = {**one.bindings, flag: False}
        return replace(one, steps=(*one.steps, *missing), bindings=bindings)

    def whole(one: SequenceOccurrence) -> SequenceOccurrence:
        return replace(one, bindings={**one.bindings, flag: True})

    return long.joined_with(
        short,
        plan,
        [*map(whole, long.occurrences), *map(without, short.occurrences)],
        [*map(whole, long.held_out), *map(without, short.held_out)],
    )
