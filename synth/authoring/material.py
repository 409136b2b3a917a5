"""What a model is shown of tools and of what validation found, as plain data."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.mining import RepeatedEpisode, RepeatedSequence, canonical
from toolguild.synth.traces import ToolCall, ToolDefinition
from toolguild.synth.validation import CheckName, ValidationReport

__all__ = [
    "called_by",
    "definition_of",
    "examples_of",
    "failures_of",
    "may_call",
    "recorded_of",
    "sketch_of",
]

_MOST_CASES = 8
_MOST_CHARACTERS = 40_000
"""Characters of the cases that are shown, unless a single one is longer."""
_MOST_CASES_SKETCHED = 3
_MOST_EXAMPLES = 4
_LONGEST_EXAMPLE = 2_000
"""Characters of a case that shows what a tool is for, where it need not be shown whole."""
_LONGEST_TOLD = 1_000
"""Characters of what another tool says of itself."""
_MOST_FAILURES = 6


def recorded_of(cases: Sequence[Case], most: int = _MOST_CASES) -> list[Json]:
    """Return some cases, the shortest, and at least one; never give it those held out."""
    shown: list[Json] = []
    room = _MOST_CHARACTERS
    for case in sorted(map(_case, cases), key=lambda one: len(canonical(one)))[:most]:
        room -= len(canonical(case))
        if room < 0 and shown:
            break
        shown.append(case)
    return shown


def sketch_of(draft: Draft) -> JsonObject:
    """Return what tells what a tool does, and with what it was seen to be called."""
    return {
        "tool": draft.source,
        "parameters": draft.parameters,
        "returns": draft.returns,
        "recorded": recorded_of(draft.cases, _MOST_CASES_SKETCHED),
    }


def examples_of(draft: Draft) -> list[Json]:
    """Return the first cases that are short enough to show what a tool is for."""
    shown: list[Json] = [*map(_case, draft.cases)]
    return [case for case in shown if len(canonical(case)) <= _LONGEST_EXAMPLE][:_MOST_EXAMPLES]


def _case(case: Case) -> JsonObject:
    told: JsonObject = {"arguments": case.arguments}
    if case.calls:
        told["calls"] = [*map(_call, case.calls)]
    if case.error is not None:
        return {**told, "raises": case.error}
    return {**told, "returns": case.value}


def _call(call: ToolCall) -> JsonObject:
    told: JsonObject = {"tool": call.tool, "arguments": call.arguments}
    if call.error is not None:
        return {**told, "error": call.error}
    return {**told, "result": call.result}


def definition_of(name: str, tool: ToolDefinition | None) -> JsonObject:
    """Return what a tool may be given, as far as that is known."""
    if tool is None:
        return {"name": name}
    return {
        "name": name,
        "description": tool.description[:_LONGEST_TOLD],
        "parameters": tool.parameters,
    }


def called_by(draft: Draft) -> list[Json]:
    """Return the tools that a draft calls, with what agents were told of them."""
    known = draft.opportunity.tools if isinstance(draft.opportunity, RepeatedSequence) else {}
    return [
        {"name": name, "description": known[name].description[:_LONGEST_TOLD]}
        if name in known
        else {"name": name}
        for name in draft.calls
    ]


def may_call(draft: Draft) -> Collection[str]:
    """Return what another text for a draft may call; a tool from nothing need not call all yet."""
    opportunity = draft.opportunity
    return opportunity.tools if isinstance(opportunity, RepeatedEpisode) else draft.calls


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
