"""What a failed validation teaches about an opportunity's inputs and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Case, Domain, Draft
from toolguild.synth.validation import CheckName, Counterexample, ValidationReport, misfit

__all__ = ["Known", "learn"]

_ENDINGS = {CheckName.GENERATED, CheckName.LIMITS}
_MENDED_LATER = {CheckName.SCHEMA, CheckName.ARGUMENTS}


@dataclass(frozen=True, slots=True)
class Known:
    """What drafting goes by."""

    seen: tuple[Case, ...]
    held_out: tuple[Case, ...] = ()
    """What it must not see, and validation decides by."""
    domain: Domain = field(default_factory=Domain)
    """What validation taught so far."""


def learn(draft: Draft, report: ValidationReport, known: Known) -> Known | None:
    """Return what is known after a draft failed, or None where nothing was learnt.

    Arguments that the code changes are to be copied. Inputs on which it fails are kept out by a
    bound where every one of them lies beyond what the recorded runs ever gave it; else the code
    is at fault. Results of a type that the recorded runs did not show widen the schema of the
    result. Held-out cases that the schemas are too narrow for are shown to drafting from now on,
    and no longer count as held out; one that the code gets wrong is not learnt from.
    """
    failed = {check.name: check for check in report.checks if check.passed is False}
    counterexamples = [
        one for name in sorted(failed.keys() & _ENDINGS) for one in failed[name].counterexamples
    ]
    if failed.keys() == {CheckName.HELD_OUT}:
        return _shown_misfits(draft, known)
    if counterexamples and failed.keys() <= {*_ENDINGS, *_MENDED_LATER}:
        return _bounded(draft, counterexamples, known)
    if failed.keys() == {CheckName.SCHEMA}:
        results = (*known.domain.results, *report.results)
        return replace(known, domain=replace(known.domain, results=results))
    if failed.keys() == {CheckName.ARGUMENTS}:
        return _copying(failed[CheckName.ARGUMENTS].counterexamples, known)
    return None


def _bounded(draft: Draft, counterexamples: Sequence[Counterexample], known: Known) -> Known | None:
    bounds = _bounds(draft, counterexamples)
    domain = replace(known.domain, bounds={**known.domain.bounds, **bounds})
    return replace(known, domain=domain) if bounds else None


def _copying(counterexamples: Sequence[Counterexample], known: Known) -> Known | None:
    changed = {name for one in counterexamples for name in one.changed & one.arguments.keys()}
    copied = tuple(sorted({*known.domain.copied, *changed}))
    if copied == known.domain.copied:
        return None
    return replace(known, domain=replace(known.domain, copied=copied))


def _shown_misfits(draft: Draft, known: Known) -> Known | None:
    misfits = [case for case in known.held_out if misfit(draft, case)]
    if not misfits:
        return None
    kept = tuple(case for case in known.held_out if case not in misfits)
    return replace(known, seen=(*known.seen, *misfits), held_out=kept)


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
