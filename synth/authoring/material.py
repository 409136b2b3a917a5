"""What a model is shown of tools and of what validation found, as plain data."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.validation import CheckName, ValidationReport

__all__ = ["failures_of", "recorded_of", "sketch_of"]

_MOST_CASES = 8
_MOST_CASES_SKETCHED = 3
_MOST_FAILURES = 6


def sketch_of(draft: Draft) -> JsonObject:
    """Return what tells what a tool does, and with what it was seen to be called."""
    return {
        "tool": draft.source,
        "parameters": draft.parameters,
        "returns": draft.returns,
        "recorded": recorded_of(draft, _MOST_CASES_SKETCHED),
    }


def recorded_of(draft: Draft, most: int = _MOST_CASES) -> list[Json]:
    """Return cases that drafting saw, never those held out."""
    return [_case(case) for case in draft.cases[:most]]


def _case(case: Case) -> JsonObject:
    if case.error is not None:
        return {"arguments": case.arguments, "raises": case.error}
    return {"arguments": case.arguments, "returns": case.value}


def failures_of(report: ValidationReport) -> list[Json]:
    """Return why a draft failed, without what would tell of the cases held out."""
    failed = [check for check in report.checks if check.passed is False]
    told: list[Json] = []
    for check in failed:
        if check.name is CheckName.HELD_OUT:
            told.append({"check": str(check.name), "detail": "other recorded results differ"})
            continue
        shown: Sequence[Json] = [
            {"arguments": one.arguments, "expected": one.expected, "observed": one.observed}
            for one in check.counterexamples[:_MOST_FAILURES]
        ]
        told.append({"check": str(check.name), "detail": check.detail, "examples": [*shown]})
    return told
