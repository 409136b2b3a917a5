"""What recorded runs say: cases that drafting saw, and cases that it never saw."""

from __future__ import annotations

from collections.abc import Sequence

import jsonschema

from toolguild.sandbox import Json, JsonObject, Outcome, Status
from toolguild.synth.drafting import Case, Draft, OriginalCalls
from toolguild.synth.mining import canonical
from toolguild.synth.validation.observation import error_type, in_words, short
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.report import Check, CheckName, Counterexample
from toolguild.synth.validation.subject import Subject, counterexample

__all__ = ["check_held_out", "check_recorded", "departure", "misfit"]

_MAX_SHOWN = 5
_NOT_RUN = Outcome(Status.REFUSED)


def check_recorded(subject: Subject) -> Check:
    """Check that the tool does what the recorded runs did that it was drafted from."""
    cases = subject.draft.cases
    if not cases:
        return Check(CheckName.REPLAY, None, "no recorded cases given")
    wrong = _replayed(subject, cases)
    if wrong:
        detail = f"{len(wrong)} of {len(cases)} differ, first: {wrong[0].observed}"
        return Check(CheckName.REPLAY, False, detail, tuple(wrong[:_MAX_SHOWN]))
    return Check(CheckName.REPLAY, True, f"{len(cases)} of {len(cases)} reproduced exactly")


def check_held_out(subject: Subject) -> Check:
    """Check that the tool does what recorded runs did that drafting never saw."""
    cases = subject.draft.held_out
    original = subject.draft.original
    if isinstance(original, OriginalCalls) and original.overfitted:
        return Check(CheckName.HELD_OUT, False, f"overfitted: {original.overfitted}")
    if not cases:
        return Check(CheckName.HELD_OUT, None, "too few occurrences to hold any out")
    wrong = _replayed(subject, cases)
    if wrong:
        detail = (
            f"overfitted: it explains what it was made from, and {len(cases) - len(wrong)} of "
            f"{len(cases)} that it was not; first: {wrong[0].observed}"
        )
        return Check(CheckName.HELD_OUT, False, detail, tuple(wrong[:_MAX_SHOWN]))
    detail = f"{len(cases)} of {len(cases)} that drafting never saw, reproduced exactly"
    return Check(CheckName.HELD_OUT, True, detail)


def departure(outcome: Outcome, tools: RecordedTools, case: Case) -> str:
    """Say what a run did otherwise than the recorded one; "" where there is nothing.

    Args:
        outcome: How it ended.
        tools: What answered its calls, as in the recorded run.
        case: What the recorded run did.
    """
    if tools.unrecorded:
        # Whether it swallowed the failure or not: nobody knows what a real call would do.
        return f"calls {tools.unrecorded[0]}, which the recorded run did not"
    if case.error is not None:
        same = outcome.status is Status.ERROR and error_type(outcome) == case.error
    else:
        same = outcome.ok and canonical(outcome.value) == canonical(case.value)
    if not same:
        return in_words(outcome)
    return (
        "" if tools.writes_agree else "makes writing calls in another order than the recorded run"
    )


def misfit(draft: Draft, case: Case) -> str:
    """Say where a case does not fit a draft's schemas; "" where it does."""
    if why := _fault(draft.parameters, case.arguments):
        return f"does not take these arguments: {why}"
    if case.error is None and (why := _fault(draft.returns, case.value)):
        return f"may not return what was recorded: {why}"
    return ""


def _fault(schema: JsonObject, value: Json) -> str:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
    error = jsonschema.exceptions.best_match(errors)
    return "" if error is None else f"{error.json_path}: {error.message[:200]}"


def _replayed(subject: Subject, cases: Sequence[Case]) -> list[Counterexample]:
    found = (_replay(subject, case) for case in cases)
    return [one for one in found if one is not None]


def _replay(subject: Subject, case: Case) -> Counterexample | None:
    """Return how the tool does not do what one recorded run did; None where it does."""
    expected = f"returns {short(case.value)}" if case.error is None else f"raises {case.error}"
    if why := misfit(subject.draft, case):
        return counterexample(case.arguments, expected, _NOT_RUN, why)
    tools = RecordedTools(case.calls)
    outcome = subject.run(case.arguments, tools).outcome
    if outcome.status is Status.TIMEOUT:
        # Once more: where a machine is busy, a run may be late through no fault of its own.
        tools = RecordedTools(case.calls)
        outcome = subject.run(case.arguments, tools).outcome
    observed = departure(outcome, tools, case)
    return counterexample(case.arguments, expected, outcome, observed) if observed else None
