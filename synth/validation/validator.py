"""Proving a draft: the static gate, recorded runs, generated inputs, and what it is to replace.

Every verdict is computed here, outside the sandbox, on plain JSON data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from toolguild.policies import Capability, Tier
from toolguild.sandbox import Access, Sandbox
from toolguild.sandbox.access import NOTHING
from toolguild.synth.drafting import Draft, OriginalTools
from toolguild.synth.mining import canonical
from toolguild.synth.validation.adequacy import (
    Adequacy,
    Baseline,
    Trial,
    adequacy,
    adequacy_together,
    in_sandbox,
    mutants,
    observe,
)
from toolguild.synth.validation.agreement import require_same_profile
from toolguild.synth.validation.checks import (
    Trials,
    check_crowd,
    check_endings,
    check_held_out,
    check_limits,
    check_live,
    check_not_none,
    check_original,
    check_reached,
    check_recorded,
    check_schema,
    check_state_and_arguments,
    check_twice,
    is_unreferenced,
)
from toolguild.synth.validation.live import LiveTools
from toolguild.synth.validation.members import check_members
from toolguild.synth.validation.needs import original_needs
from toolguild.synth.validation.observation import short
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.reference import reference_of
from toolguild.synth.validation.report import Check, CheckName, ValidationReport
from toolguild.synth.validation.settings import ValidationSettings
from toolguild.synth.validation.static import Severity, check_source, refused
from toolguild.synth.validation.subject import Subject

__all__ = ["validate"]


def validate(
    draft: Draft,
    sandbox: Sandbox,
    settings: ValidationSettings = ValidationSettings(),
    access: Access = NOTHING,
    live: LiveTools | None = None,
) -> ValidationReport:
    """Check a draft by everything there is; nothing of it runs before the static gate passed.

    The same draft on the same backend and the same files gives the same report. Every run is one
    of the tier `sandbox`: a draft whose text shows that it writes works on a copy that is thrown
    away, and one that uses the network is refused, since it cannot be tried.

    Args:
        draft: What to check.
        sandbox: Where it runs.
        settings: How hard to try to refute it.
        access: What of the caller's files it sees where its text shows that it needs to.
        live: The tools that it calls, where they can be copied, to compare what it leaves behind.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
        ProfileMismatchError: its wall goes by another profile than the settings name.
    """
    require_same_profile(sandbox, settings.profile)
    subject = Subject(draft, sandbox, settings, access)
    checks = [_check_text(subject)]
    trials = None
    if _still_good(checks):
        checks += [check_recorded(subject), check_held_out(subject)]
        if _still_good(checks) and is_unreferenced(draft):
            checks.append(check_reached(subject))
        if _still_good(checks):
            trials = Trials.of(subject)
            checks += _tried(trials)
            if isinstance(draft.original, OriginalTools) and _still_good(checks):
                checks.append(check_members(draft, draft.original.members, _prove_again(subject)))
            checks.append(check_live(trials, live))
        effects = _check_effects(subject)
        if trials or effects.passed is False:
            checks.append(effects)
    report = _report(subject, checks, trials)
    if trials is None or not report.passed:
        return report
    return replace(report, adequacy=_adequacy(trials))


def _still_good(checks: Sequence[Check]) -> bool:
    return all(check.passed is not False for check in checks)


def _tried(trials: Trials) -> list[Check]:
    """Answer the questions that generated inputs answer."""
    subject = trials.subject
    original = reference_of(
        subject.draft, subject.sandbox, subject.settings.limits, subject.simulated
    )
    checks = [
        check_endings(trials),
        check_limits(trials, original),
        check_original(trials, original),
        check_not_none(trials),
        check_schema(trials),
        check_twice(trials),
    ]
    if _still_good(checks):
        checks += [check_crowd(trials, original), *check_state_and_arguments(trials)]
    return checks


def _prove_again(subject: Subject) -> Callable[[Draft], ValidationReport]:
    """Return what validates other drafts as this one; faults put into them would tell nothing."""
    settings = replace(subject.settings, mutants=0, seed=subject.seed)
    return lambda draft: validate(draft, subject.sandbox, settings, subject.access)


def _check_text(subject: Subject) -> Check:
    # Writes are harmless in every run here, and discarded as long as the tool has this tier.
    tier = Tier.RESTRICTED if Capability.WRITE in subject.needs else Tier.SANDBOX
    draft, profile = subject.draft, subject.settings.profile
    findings = check_source(draft.source, tier, profile=profile, entry=draft.name)
    if not findings:
        return Check(CheckName.STATIC, True, "no findings")
    # Errors before warnings, so that the first tells why a text is refused.
    findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    first = findings[0]
    detail = f"{first.code} on line {first.line}: {first.message}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return Check(CheckName.STATIC, not refused(findings), detail + more)


def _check_effects(subject: Subject) -> Check:
    """Check that no run did what the text does not show, and that the original needs as much."""
    found = subject.undeclared
    if found is not None:
        detail = f"{found.observed}, which its text does not show, for {short(found.arguments)}"
        return Check(CheckName.EFFECTS, False, detail, (found,))
    more = subject.needs - original_needs(subject.draft, subject.settings.profile)
    if subject.draft.original is not None and more:
        detail = f"needs {', '.join(sorted(more))}, which what it replaces does not"
        return Check(CheckName.EFFECTS, False, detail)
    seen = ", ".join(sorted(subject.effects))
    return Check(CheckName.EFFECTS, True, f"{seen} as its text shows" if seen else "none seen")


def _adequacy(trials: Trials) -> Adequacy | None:
    """Find out which faults of the tool the inputs would have found.

    None for tools that work on files: what a mutant does to those is not compared yet.
    """
    subject = trials.subject
    draft, settings = subject.draft, subject.settings
    if subject.needs or not settings.mutants:
        return None
    made = mutants(
        draft.source,
        draft.name,
        limit=settings.mutants,
        seed=subject.seed,
        profile=settings.profile,
    )
    recorded = [*draft.cases, *draft.held_out]
    if not draft.calls:
        inputs = [*(case.arguments for case in recorded), *trials.inputs]
        found = adequacy_together(
            draft.source,
            draft.name,
            inputs,
            made,
            subject.sandbox,
            settings.limits,
            subject.access,
        )
        if found is not None:
            return found
    run = in_sandbox(subject.sandbox, draft.name, settings.limits, subject.access)
    given = [Trial(case.arguments, partial(RecordedTools, case.calls)) for case in recorded]
    baselines = [
        *observe(draft.source, given, run, settings.limits.wall_s),
        *(Baseline(Trial(given, lambda: subject.simulated), seen) for given, seen in trials),
    ]
    return adequacy(draft.source, baselines, made, run)


def _report(subject: Subject, checks: Sequence[Check], trials: Trials | None) -> ValidationReport:
    draft, settings, sandbox = subject.draft, subject.settings, subject.sandbox
    ended = [one.outcome for one in trials.observations] if trials else []
    results = {canonical(outcome.value): outcome.value for outcome in ended if outcome.ok}
    return ValidationReport(
        tool=draft.name,
        checks=tuple(checks),
        cases=len(draft.cases),
        inputs=len(ended),
        seed=subject.seed,
        sandbox=f"{sandbox.name} ({sandbox.level})",
        profile=f"{settings.profile.name} ({settings.profile.digest})",
        source=draft.source,
        held_out=len(draft.held_out),
        mined=draft.original is not None,
        enough=settings.profile.evidence.mutants_found,
        results=tuple(results.values()),
    )
