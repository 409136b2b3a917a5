"""That a tool keeps nothing from call to call, and leaves its arguments alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from toolguild.sandbox import JsonObject, Outcome, Status
from toolguild.synth.mining import canonical
from toolguild.synth.validation.checks.trials import Trials
from toolguild.synth.validation.observation import Observation, in_words, is_conclusive, short
from toolguild.synth.validation.report import Check, CheckName
from toolguild.synth.validation.subject import Subject, counterexample
from toolguild.synth.validation.together import Together, Told

__all__ = ["check_state_and_arguments"]

_COMPOSITES = 40
"""Inputs of a composite, at most: each of its calls crosses to the host."""
_LEAST_RUNS = 100
_SPARE = 4
"""A process gets so many times what single runs on the same inputs took and told, and more."""
_MOST_S = 10.0
_MOST_BYTES = 8_000_000
"""What one process should take and tell, at most. Far from it, all inputs go to one: what is kept
may show only after many."""


@dataclass(frozen=True, slots=True)
class _Alone:
    """An input, and what the tool showed on it in a process of its own."""

    arguments: JsonObject
    observed: Observation

    @property
    def told_bytes(self) -> int:
        """Roughly what a process tells of it."""
        return len(canonical(self.arguments)) + len(canonical(self.observed.outcome.value))


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A run on several inputs that ended otherwise than each of them does alone."""

    at: _Alone
    """The input on which it ended."""
    outcome: Outcome


def check_state_and_arguments(trials: Trials) -> list[Check]:
    """Check that the tool keeps nothing from call to call, and leaves its arguments alone.

    Inputs are run in one process, there and back again, and compared with single runs. The process
    may take and tell several times what those did, so that one that ends early speaks against the
    tool. Tools that work on files are not asked: what is outside them has a state of its own.
    """
    subject = trials.subject
    if not subject.runs_together:
        return _not_asked("it works on files")
    alone = [_Alone(*pair) for pair in trials if is_conclusive(pair[1].outcome)]
    alone = _heard(subject, alone[: _COMPOSITES if subject.draft.calls else None])
    if not alone:
        return _not_asked("it came to no end on any input")
    again: list[tuple[_Alone, Told]] = []
    for parcel in _parcels(alone):
        there_and_back = [*parcel, *reversed(parcel)]
        # Over and over where there are few: a tool without parameters has one input.
        there_and_back *= -(-_LEAST_RUNS // len(there_and_back))
        ran = _run(subject, there_and_back)
        if isinstance(ran, _Stopped):
            return [_stopped(ran), *_not_asked("see state")[1:]]
        again += zip(there_and_back, ran, strict=True)
    return [_state(again), _arguments(again, len(alone))]


def _not_asked(why: str) -> list[Check]:
    return [Check(name, None, why) for name in (CheckName.STATE, CheckName.ARGUMENTS)]


def _heard(subject: Subject, alone: Sequence[_Alone]) -> list[_Alone]:
    """Leave out inputs for which the tool fails in a way that ends the whole process.

    That may be what it does, such as a result that JSON cannot carry, where the original has none
    either; other inputs would not be heard beside them.
    """
    return [
        one
        for one in alone
        if one.observed.outcome.ok or subject.run_together([one.arguments]).told is not None
    ]


def _parcels(alone: Sequence[_Alone]) -> Iterator[list[_Alone]]:
    """Part inputs where one process would take or tell too much, there and back."""
    parcel: list[_Alone] = []
    took_s = told_bytes = 0.0
    for one in alone:
        took_s += 2 * one.observed.outcome.duration_s
        told_bytes += 2 * one.told_bytes
        if parcel and (took_s > _MOST_S or told_bytes > _MOST_BYTES):
            yield parcel
            parcel = []
            took_s, told_bytes = 2 * one.observed.outcome.duration_s, 2 * one.told_bytes
        parcel.append(one)
    yield parcel


def _run(subject: Subject, alone: Sequence[_Alone]) -> list[Told] | _Stopped:
    ran = _together(subject, alone)
    if ran.outcome.status is Status.TIMEOUT:
        # Once more: where a machine is busy, a run may be late through no fault of its own.
        ran = _together(subject, alone)
    if ran.told is not None:
        return ran.told
    stops_after = bisect_left(
        range(1, len(alone)), True, key=lambda n: _together(subject, alone[:n]).told is None
    )
    return _Stopped(alone[stops_after], ran.outcome)


def _together(subject: Subject, alone: Sequence[_Alone]) -> Together:
    usual = subject.settings.limits
    took_s = sum(one.observed.outcome.duration_s for one in alone)
    told_bytes = sum(one.told_bytes for one in alone)
    limits = replace(
        usual,
        wall_s=max(usual.wall_s, _SPARE * took_s),
        output_bytes=max(usual.output_bytes, _SPARE * told_bytes),
    )
    return subject.run_together([one.arguments for one in alone], limits=limits)


def _stopped(stopped: _Stopped) -> Check:
    usual = stopped.at.observed.outcome
    observed = f"after other calls: {in_words(stopped.outcome)}"
    found = counterexample(stopped.at.arguments, in_words(usual), stopped.outcome, observed)
    detail = f"{short(stopped.at.arguments)} {observed}"
    return Check(CheckName.STATE, False, detail, (found,))


def _state(again: Sequence[tuple[_Alone, Told]]) -> Check:
    for alone, told in again:
        if not told.is_as(alone.observed):
            usual, other = (in_words(one.outcome) for one in (alone.observed, told.observation()))
            observed = f"after other calls: {other}" if other != usual else "calls tools otherwise"
            found = counterexample(alone.arguments, usual, alone.observed.outcome, observed)
            detail = f"does something else after other calls, for {short(alone.arguments)}"
            return Check(CheckName.STATE, False, detail, (found,))
    return Check(CheckName.STATE, True, f"{len(again)} runs in one process, as alone")


def _arguments(again: Sequence[tuple[_Alone, Told]], inputs: int) -> Check:
    for alone, told in again:
        changed = _changed(alone.arguments, told.arguments)
        if changed:
            observed = f"changes them to {short(told.arguments)}"
            expected = "its arguments unchanged"
            found = counterexample(alone.arguments, expected, alone.observed.outcome, observed)
            detail = f"{short(alone.arguments)}: {observed}"
            return Check(CheckName.ARGUMENTS, False, detail, (replace(found, changed=changed),))
    return Check(CheckName.ARGUMENTS, True, f"{inputs} inputs left as they were")


def _changed(before: JsonObject, after: JsonObject) -> frozenset[str]:
    """Return the arguments that are others, by name; those that only one side has are, too."""
    common = before.keys() & after.keys()
    others = {name for name in common if canonical(before[name]) != canonical(after[name])}
    return frozenset(others | (before.keys() ^ after.keys()))
