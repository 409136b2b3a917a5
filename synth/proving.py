"""From one opportunity to a proven tool, or to the reasons why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolguild.sandbox import Access, Json, JsonObject, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.drafting import Domain, Draft, NotDrafted, draft_function, draft_tool
from toolguild.synth.mining import Opportunity, RepeatedCode
from toolguild.synth.validation import (
    CheckName,
    Counterexample,
    ValidationReport,
    ValidationSettings,
    validate,
)

__all__ = ["Proof", "prove"]

MAX_ROUNDS = 4
"""Drafts tried for one opportunity."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of an opportunity: a draft with its report, or the reason why there is none."""

    opportunity: Opportunity
    draft: Draft | None
    report: ValidationReport | None
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is a tool to register."""
        return self.report is not None and self.report.passed


def prove(
    opportunity: Opportunity,
    sandbox: Sandbox,
    settings: ValidationSettings = ValidationSettings(),
    name: str | None = None,
    access: Access = NOTHING,
) -> Proof:
    """Draft a tool and validate it; where validation shows how, mend the draft and try again.

    Args:
        opportunity: What the tool is to do.
        sandbox: Where everything runs.
        settings: How hard to try to refute it.
        name: The tool's name; one that follows from the opportunity unless given.
        access: What of the caller's files it sees where it needs to; see `validate`.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    draft = draft_tool(opportunity, sandbox, name)
    if isinstance(draft, NotDrafted):
        return Proof(opportunity, None, None, draft.reason)
    domain = Domain()
    report = validate(draft, sandbox, settings, access)
    for _ in range(MAX_ROUNDS - 1):
        learned = learn(draft, report, domain)
        if report.passed or learned is None or not isinstance(opportunity, RepeatedCode):
            break
        domain = learned
        draft = draft_function(opportunity, draft.cases, domain, draft.name)
        report = validate(draft, sandbox, settings, access)
    return Proof(opportunity, draft, report)


def learn(draft: Draft, report: ValidationReport, domain: Domain) -> Domain | None:
    """Return what a failed report teaches about inputs and results, or None where nothing.

    Inputs on which the code fails are kept out by a bound where every one of them lies beyond
    what the recorded runs ever gave it; else the code is at fault. Results of a type that the
    recorded runs did not show widen the schema of the result.
    """
    failed = {check.name: check for check in report.checks if not check.passed}
    if failed.keys() == {CheckName.SCHEMA}:
        return replace(domain, results=(*domain.results, *report.results))
    if failed.keys() - {CheckName.SCHEMA} == {CheckName.GENERATED}:
        bounds = _bounds(draft, failed[CheckName.GENERATED].counterexamples)
        if bounds:
            return replace(domain, bounds={**domain.bounds, **bounds})
    return None


def _bounds(draft: Draft, counterexamples: Sequence[Counterexample]) -> dict[str, JsonObject]:
    """Return few and mild bounds that together keep out all the failures; none where some stay."""
    candidates = [
        (parameter, bound)
        for parameter in draft.cases[0].arguments
        for bound in _candidate_bounds([case.arguments[parameter] for case in draft.cases])
    ]
    bounds: dict[str, JsonObject] = {}
    left = list(counterexamples)
    while left:
        inside = [
            [one for one in left if not _is_outside(one.arguments[parameter], bound)]
            for parameter, bound in candidates
        ]
        # The first of the shortest: milder bounds come before stricter ones that do no more.
        best = min(range(len(candidates)), key=lambda number: len(inside[number]), default=None)
        if best is None or len(inside[best]) == len(left):
            return {}
        parameter, bound = candidates[best]
        bounds[parameter] = {**bounds.get(parameter, {}), **bound}
        left = inside[best]
    return _eased(bounds, candidates, counterexamples)


def _eased(
    bounds: dict[str, JsonObject],
    candidates: Sequence[tuple[str, JsonObject]],
    counterexamples: Sequence[Counterexample],
) -> dict[str, JsonObject]:
    """Return the bounds, each as mild as it can be where the others keep out the rest.

    A failure that lies beyond one bound may have been laid to another one's charge.
    """
    for parameter in [*bounds]:
        milder = (bound for name, bound in candidates if name == parameter)
        for bound in milder:
            eased = {**bounds, parameter: bound}
            if all(_is_kept_out(one, eased) for one in counterexamples):
                bounds = eased
                break
    return bounds


def _is_kept_out(counterexample: Counterexample, bounds: dict[str, JsonObject]) -> bool:
    arguments = counterexample.arguments
    return any(_is_outside(arguments[name], bound) for name, bound in bounds.items())


def _candidate_bounds(recorded: Sequence[Json]) -> list[JsonObject]:
    """Return the bounds that all recorded values respect, the mildest first."""
    candidates: list[JsonObject] = [
        {"minimum": 0},
        {"minimum": 1},
        {"minLength": 1},
        {"minItems": 1},
    ]
    return [
        bound for bound in candidates if not any(_is_outside(value, bound) for value in recorded)
    ]


def _is_outside(value: Json, bound: JsonObject) -> bool:
    match bound, value:
        case {"minimum": int(minimum)}, int() | float() if not isinstance(value, bool):
            return value < minimum
        case ({"minLength": 1}, str()) | ({"minItems": 1}, list()):
            return not value
    return False
