"""Proving a draft: the static gate, its recorded cases, generated inputs.

Every verdict is computed here, outside the sandbox, on plain JSON data.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import jsonschema

from toolguild.policies import Capability, Profile, Tier, beyond, load_profile
from toolguild.sandbox import (
    Access,
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
    ToolGateway,
)
from toolguild.sandbox.access import NOTHING
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.mining import RepeatedCode, canonical
from toolguild.synth.validation.adequacy import (
    Adequacy,
    Trial,
    adequacy,
    in_sandbox,
    mutants,
    observe,
)
from toolguild.synth.validation.inputs import arguments_strategy, draw, shrink
from toolguild.synth.validation.needs import inferred_needs
from toolguild.synth.validation.raises import raised_types
from toolguild.synth.validation.recordings import RecordedTools, SimulatedTools
from toolguild.synth.validation.report import Check, CheckName, Counterexample, ValidationReport
from toolguild.synth.validation.static import Severity, SourceError, check_source, refused

__all__ = ["ValidationSettings", "validate"]

_FILE_ERRORS = frozenset(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, OSError)
)


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """How hard validation tries."""

    inputs: int = 60
    """Generated inputs."""
    repeats: int = 20
    """Inputs run a second time to see that the result is the same."""
    limits: Limits = Limits(wall_s=2.0)
    """What one run may use."""
    profile: Profile = field(default_factory=load_profile)
    """What tools may contain."""
    mutants: int = 24
    """Faults put into a tool that passed, at most, to see whether its inputs would find them."""
    enough: float = 0.8
    """Share of those that the inputs must find, or the evidence is called thin."""


def validate(
    draft: Draft,
    sandbox: Sandbox,
    settings: ValidationSettings = ValidationSettings(),
    access: Access = NOTHING,
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

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    return _Validation(draft, sandbox, settings, access).report()


class _Validation:
    def __init__(
        self, draft: Draft, sandbox: Sandbox, settings: ValidationSettings, access: Access
    ) -> None:
        self._draft = draft
        self._sandbox = sandbox
        self._settings = settings
        self._access = access
        self._needs = _needs_of(draft.source, settings.profile)
        self._program = Program(draft.source, draft.name, needs=self._needs)
        self._effects: frozenset[Capability] = frozenset()
        self._undeclared: Counterexample | None = None
        self._simulated = SimulatedTools(call for case in draft.cases for call in case.calls)
        digest = hashlib.sha256(f"{draft.source}{canonical(draft.parameters)}".encode()).digest()
        self._seed = int.from_bytes(digest[:4])
        known = draft.opportunity
        original = [known.source] if isinstance(known, RepeatedCode) else []
        self._strategy = arguments_strategy(
            draft.parameters,
            [case.arguments for case in draft.cases],
            [draft.source, *original],
            settings.profile.code.limits,
        )

    def report(self) -> ValidationReport:
        static = self._check_text()
        if not static.passed:
            return self._finish([static], 0, [])
        replay = self._check_cases()
        if not replay.passed:
            effects = self._check_effects()
            return self._finish([static, replay, *([] if effects.passed else [effects])], 0, [])
        inputs = draw(self._strategy, self._settings.inputs, self._seed)
        outcomes = [self._run(arguments, self._simulated) for arguments in inputs]
        checks = [
            static,
            replay,
            self._check_endings(inputs, outcomes),
            self._check_not_none(inputs, outcomes),
            self._check_schema(inputs, outcomes),
            self._check_determinism(inputs, outcomes),
            self._check_effects(),
        ]
        report = self._finish(checks, len(inputs), outcomes)
        return replace(report, adequacy=self._adequacy(inputs)) if report.passed else report

    def _adequacy(self, inputs: Sequence[JsonObject]) -> Adequacy | None:
        """Find out which faults of the tool the inputs would have found.

        None for tools that work on files: what a mutant does to those is not compared yet.
        """
        if self._needs or not self._settings.mutants:
            return None
        trials = [
            Trial(case.arguments, partial(RecordedTools, case.calls) if case.calls else None)
            for case in self._draft.cases
        ]
        simulated = (lambda: self._simulated) if self._draft.calls else None
        trials += [Trial(arguments, simulated) for arguments in inputs]
        run = in_sandbox(self._sandbox, self._draft.name, self._settings.limits, self._access)
        source = self._draft.source
        made = mutants(
            source,
            self._draft.name,
            limit=self._settings.mutants,
            seed=self._seed,
            profile=self._settings.profile,
        )
        baselines = observe(source, trials, run, self._settings.limits.wall_s)
        return adequacy(source, baselines, made, run)

    def _finish(
        self, checks: Sequence[Check], inputs: int, outcomes: Sequence[Outcome]
    ) -> ValidationReport:
        results = {canonical(outcome.value): outcome.value for outcome in outcomes if outcome.ok}
        return ValidationReport(
            tool=self._draft.name,
            checks=tuple(checks),
            cases=len(self._draft.cases),
            inputs=inputs,
            seed=self._seed,
            sandbox=f"{self._sandbox.name} ({self._sandbox.level})",
            enough=self._settings.enough,
            profile=f"{self._settings.profile.name} ({self._settings.profile.digest})",
            results=tuple(results.values()),
        )

    def _run(self, arguments: JsonObject, tools: ToolGateway | None) -> Outcome:
        outcome = self._sandbox.run(
            self._program,
            arguments,
            tier=Tier.SANDBOX,
            limits=self._settings.limits,
            tools=tools if self._draft.calls else None,
            access=self._access,
        )
        self._effects |= outcome.effects
        if self._undeclared is None and (more := beyond(outcome.effects, self._needs)):
            observed = f"uses {_named(more)}"
            expected = f"no effect but {_named(self._needs)}" if self._needs else "no effect"
            self._undeclared = self._counterexample(arguments, expected, observed, outcome)
        return outcome

    def _check_text(self) -> Check:
        # Writes are harmless in every run here, and discarded as long as the tool has this tier.
        tier = Tier.RESTRICTED if Capability.WRITE in self._needs else Tier.SANDBOX
        findings = check_source(
            self._draft.source, tier, profile=self._settings.profile, entry=self._draft.name
        )
        if not findings:
            return Check(CheckName.STATIC, True, "no findings")
        # Errors before warnings, so that the first tells why a text is refused.
        findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
        first = findings[0]
        detail = f"{first.code} on line {first.line}: {first.message}"
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        return Check(CheckName.STATIC, not refused(findings), detail + more)

    def _check_cases(self) -> Check:
        wrong = [
            counterexample
            for case in self._draft.cases
            if (counterexample := self._replay(case)) is not None
        ]
        total = len(self._draft.cases)
        if wrong:
            detail = f"{len(wrong)} of {total} differ, first: {wrong[0].observed}"
            return Check(CheckName.REPLAY, False, detail, tuple(wrong[:5]))
        detail = f"{total} of {total} reproduced exactly" if total else "no recorded cases given"
        return Check(CheckName.REPLAY, True, detail)

    def _replay(self, case: Case) -> Counterexample | None:
        tools = RecordedTools(case.calls)
        outcome = self._run(case.arguments, tools)
        observed = _in_words(outcome)
        if case.error is not None:
            same = outcome.status is Status.ERROR and _error_type(outcome) == case.error
            expected = f"raises {case.error}"
        else:
            same = outcome.ok and canonical(outcome.value) == canonical(case.value)
            expected = f"returns {_short(case.value)}"
        if tools.unrecorded:
            # Whether it swallowed the failure or not: nobody knows what a real call would do.
            same = False
            observed = f"calls {tools.unrecorded[0]}, which the recorded run did not"
        elif same and not tools.writes_agree:
            same, observed = False, "makes writing calls in another order than the recorded run"
        return None if same else self._counterexample(case.arguments, expected, observed, outcome)

    def _check_endings(self, inputs: Sequence[JsonObject], outcomes: Sequence[Outcome]) -> Check:
        """Check that every valid input gives a result, or an error that the code means to raise.

        A tool that works on files may also say that there is no such file, as long as it is not
        all that it ever says.
        """
        meant = raised_types(self._draft.source, self._settings.profile)
        recorded = any(case.error is None for case in self._draft.cases)
        works = recorded or any(outcome.ok for outcome in outcomes)

        def fails(outcome: Outcome) -> bool:
            if outcome.ok:
                return False
            excused = bool(self._needs) and works and _finds_no_file(outcome)
            return not excused and not (
                outcome.status is Status.ERROR and _error_type(outcome) in meant
            )

        bad = [
            (arguments, outcome)
            for arguments, outcome in zip(inputs, outcomes, strict=True)
            if fails(outcome)
        ]
        if not bad:
            detail = f"{len(inputs)} inputs handled"
            if self._needs and (missing := sum(map(_finds_no_file, outcomes))):
                detail += f", {missing} of them with no such file"
            return Check(CheckName.GENERATED, True, detail)
        simplest = shrink(
            self._strategy,
            bad[0][0],
            lambda arguments: fails(self._run(arguments, self._simulated)),
        )
        shown = [(simplest, self._run(simplest, self._simulated)), *bad]
        counterexamples = tuple(
            self._counterexample(arguments, "a result", _in_words(outcome), outcome)
            for arguments, outcome in shown
        )
        detail = f"{_short(simplest)} {counterexamples[0].observed}"
        return Check(CheckName.GENERATED, False, detail, counterexamples)

    def _check_not_none(self, inputs: Sequence[JsonObject], outcomes: Sequence[Outcome]) -> Check:
        none = [
            self._counterexample(arguments, "a result", "returns None", outcome)
            for arguments, outcome in zip(inputs, outcomes, strict=True)
            if outcome.ok and outcome.value is None
        ]
        if none:
            detail = f"returns None for {_short(none[0].arguments)}"
            return Check(CheckName.RESULT, False, detail, tuple(none[:5]))
        return Check(CheckName.RESULT, True, "never None")

    def _check_schema(self, inputs: Sequence[JsonObject], outcomes: Sequence[Outcome]) -> Check:
        validator = jsonschema.Draft202012Validator(self._draft.returns)
        for arguments, outcome in zip(inputs, outcomes, strict=True):
            if not outcome.ok:
                continue
            error = jsonschema.exceptions.best_match(validator.iter_errors(outcome.value))
            if error is not None:
                observed = f"returns {_short(outcome.value)}: {error.message[:200]}"
                counterexample = self._counterexample(arguments, "", observed, outcome)
                return Check(CheckName.SCHEMA, False, observed, (counterexample,))
        return Check(CheckName.SCHEMA, True, "all results fit")

    def _check_determinism(
        self, inputs: Sequence[JsonObject], outcomes: Sequence[Outcome]
    ) -> Check:
        pairs = list(zip(inputs, outcomes, strict=True))[: self._settings.repeats]
        for arguments, first in pairs:
            second = self._run(arguments, self._simulated)
            if _ending(first) != _ending(second) or first.changes != second.changes:
                observed = f"{_in_words(first)}, then {_in_words(second)}"
                if _ending(first) == _ending(second):
                    observed = f"leaves other files the second time: {_difference(first, second)}"
                counterexample = self._counterexample(arguments, "the same", observed, second)
                return Check(CheckName.DETERMINISM, False, observed, (counterexample,))
        return Check(CheckName.DETERMINISM, True, f"{len(pairs)} inputs run twice")

    def _check_effects(self) -> Check:
        """Check that no run did what the text does not show."""
        found = self._undeclared
        if found is not None:
            detail = f"{found.observed}, which its text does not show, for "
            return Check(CheckName.EFFECTS, False, detail + _short(found.arguments), (found,))
        seen = f"{_named(self._effects)} as its text shows" if self._effects else "none seen"
        return Check(CheckName.EFFECTS, True, seen)

    @staticmethod
    def _counterexample(
        arguments: JsonObject, expected: str, observed: str, outcome: Outcome
    ) -> Counterexample:
        ending = _error_type(outcome) if outcome.status is Status.ERROR else str(outcome.status)
        return Counterexample(
            arguments=arguments,
            expected=expected,
            observed=observed,
            value=outcome.value,
            error_type=None if outcome.ok else ending,
        )


def _needs_of(source: str, profile: Profile) -> frozenset[Capability]:
    try:
        return inferred_needs(source, profile)
    except SourceError:  # as the static gate will say
        return frozenset()


def _named(capabilities: Iterable[Capability]) -> str:
    return ", ".join(sorted(capabilities))


def _difference(first: Outcome, second: Outcome) -> str:
    return ", ".join(sorted({change.path for change in {*first.changes} ^ {*second.changes}}))


def _finds_no_file(outcome: Outcome) -> bool:
    """Whether a run ended as it was given a path at which it cannot read or write."""
    if outcome.status is not Status.ERROR:
        return False
    kind = _error_type(outcome)
    # A NUL in a path is no OSError; the words around this differ between functions and versions.
    return kind in _FILE_ERRORS or (kind == "ValueError" and "embedded null" in outcome.error)


def _error_type(outcome: Outcome) -> str:
    return outcome.error.split(":")[0].strip()


def _ending(outcome: Outcome) -> tuple[Status, str, str]:
    kind = _error_type(outcome) if outcome.status is Status.ERROR else ""
    return outcome.status, canonical(outcome.value), kind


def _in_words(outcome: Outcome) -> str:
    if outcome.ok:
        return f"returns {_short(outcome.value)}"
    if outcome.status is Status.ERROR:
        return f"raises {outcome.error[:200]}"
    return f"ends by {outcome.status}: {outcome.error[:200]}"


def _short(value: Json) -> str:
    text = canonical(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
