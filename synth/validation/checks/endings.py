"""How runs end: with a result or an error that the code means to raise, and in time."""

from __future__ import annotations

import builtins

from toolguild.sandbox import JsonObject, Outcome, Status
from toolguild.synth.mining import canonical
from toolguild.synth.validation.checks.trials import Trials
from toolguild.synth.validation.observation import Observation, error_type, is_conclusive, short
from toolguild.synth.validation.raises import raised_types
from toolguild.synth.validation.reference import Reference
from toolguild.synth.validation.report import Check, CheckName
from toolguild.synth.validation.subject import counterexample

__all__ = ["check_endings", "check_limits"]

SLOWER = 10.0
"""So many times as long as the original is too long,"""
NOTICEABLE_S = 0.25
"""unless it is less than so many seconds."""

_FILE_ERRORS = frozenset(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, OSError)
)


def check_endings(trials: Trials) -> Check:
    """Check that every valid input gives a result, or an error that the code means to raise.

    A tool that works on files may also say that there is no such file, as long as it is not all
    that it ever says.
    """
    subject = trials.subject
    meant = raised_types(subject.draft.source, subject.settings.profile)
    recorded = any(case.error is None for case in subject.draft.cases)
    works = recorded or any(one.outcome.ok for one in trials.observations)

    def fails(observed: Observation) -> bool:
        outcome = observed.outcome
        if outcome.ok or not (is_conclusive(outcome) or outcome.status is Status.REFUSED):
            return False
        excused = bool(subject.needs) and works and _finds_no_file(outcome)
        return not excused and error_type(outcome) not in meant

    bad = [(arguments, observed) for arguments, observed in trials if fails(observed)]
    if not bad:
        detail = f"{len(trials.inputs)} inputs handled"
        missing = sum(_finds_no_file(one.outcome) for one in trials.observations)
        if subject.needs and missing:
            detail += f", {missing} of them with no such file"
        return Check(CheckName.GENERATED, True, detail)
    simplest = trials.simplest(bad[0][0], fails)
    return _failed(CheckName.GENERATED, [simplest, *bad], "a result")


def check_limits(trials: Trials, original: Reference | None) -> Check:
    """Check that every run ends within the limits, and none takes far longer than the original."""
    bad = [
        (arguments, observed)
        for arguments, observed in trials
        if not is_conclusive(observed.outcome) and observed.outcome.status is not Status.REFUSED
    ]
    if bad:
        # Not shrunk: every try that fails would take until the deadline.
        first = min(bad, key=lambda one: len(canonical(one[0])))
        return _failed(CheckName.LIMITS, [first, *bad], "an end within the limits")
    if original and (slow := _slow_input(trials, original)) is not None:
        outcome = Outcome(Status.TIMEOUT)
        usual = f"at most {SLOWER:.0f} times as long as {original.words}"
        found = counterexample(slow, usual, outcome, "takes longer")
        detail = f"takes more than {SLOWER:.0f} times as long as the original for {short(slow)}"
        return Check(CheckName.LIMITS, False, detail, (found,))
    return Check(CheckName.LIMITS, True, "no run reached a limit")


def _slow_input(trials: Trials, original: Reference) -> JsonObject | None:
    """Return an input for which the tool takes far longer, twice in a row, than the original."""
    for arguments, observed in trials:
        if observed.outcome.duration_s < NOTICEABLE_S:
            continue
        usual_s = original.observe(arguments).outcome.duration_s
        again_s = trials.subject.run(arguments).outcome.duration_s
        if min(observed.outcome.duration_s, again_s) > max(SLOWER * usual_s, NOTICEABLE_S):
            return arguments
    return None


def _failed(
    name: CheckName, failures: list[tuple[JsonObject, Observation]], expected: str
) -> Check:
    """Return a check that failed, the input to show first."""
    found = tuple(
        counterexample(arguments, expected, observed.outcome) for arguments, observed in failures
    )
    return Check(name, False, f"{short(found[0].arguments)} {found[0].observed}", found)


def _finds_no_file(outcome: Outcome) -> bool:
    """Whether a run ended as it was given a path at which it cannot read or write."""
    kind = error_type(outcome)
    # A NUL in a path is no OSError; the words around this differ between functions and versions.
    return kind in _FILE_ERRORS or (kind == "ValueError" and "embedded null" in outcome.error)
