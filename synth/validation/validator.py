"""Proving a draft: the static gate, its recorded cases, generated inputs.

Every verdict is computed here, outside the sandbox, on plain JSON data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import jsonschema

from toolguild.policies import Tier
from toolguild.sandbox import (
    Json,
    JsonObject,
    Limits,
    Outcome,
    Program,
    Sandbox,
    Status,
    ToolGateway,
)
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs import arguments_strategy, draw, shrink
from toolguild.synth.validation.raises import raised_types
from toolguild.synth.validation.recordings import RecordedTools, SimulatedTools
from toolguild.synth.validation.report import Check, CheckName, Counterexample, ValidationReport
from toolguild.synth.validation.static import Severity, check_source, refused

__all__ = ["ValidationSettings", "validate"]


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """How hard validation tries."""

    inputs: int = 60
    """Generated inputs."""
    repeats: int = 20
    """Inputs run a second time to see that the result is the same."""
    limits: Limits = Limits(wall_s=2.0)
    """What one run may use."""


def validate(
    draft: Draft, sandbox: Sandbox, settings: ValidationSettings = ValidationSettings()
) -> ValidationReport:
    """Check a draft by everything there is; nothing of it runs before the static gate passed.

    The same draft on the same backend gives the same report.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    return _Validation(draft, sandbox, settings).report()


class _Validation:
    def __init__(self, draft: Draft, sandbox: Sandbox, settings: ValidationSettings) -> None:
        self._draft = draft
        self._sandbox = sandbox
        self._settings = settings
        self._program = Program(draft.source, draft.name)
        self._simulated = SimulatedTools(call for case in draft.cases for call in case.calls)
        digest = hashlib.sha256(f"{draft.source}{canonical(draft.parameters)}".encode()).digest()
        self._seed = int.from_bytes(digest[:4])
        self._strategy = arguments_strategy(
            draft.parameters, [case.arguments for case in draft.cases]
        )

    def report(self) -> ValidationReport:
        static = self._check_text()
        if not static.passed:
            return self._finish([static], 0, [])
        replay = self._check_cases()
        if not replay.passed:
            return self._finish([static, replay], 0, [])
        inputs = draw(self._strategy, self._settings.inputs, self._seed)
        outcomes = [self._run(arguments, self._simulated) for arguments in inputs]
        checks = [
            static,
            replay,
            self._check_endings(inputs, outcomes),
            self._check_not_none(inputs, outcomes),
            self._check_schema(inputs, outcomes),
            self._check_determinism(inputs, outcomes),
        ]
        return self._finish(checks, len(inputs), outcomes)

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
            results=tuple(results.values()),
        )

    def _run(self, arguments: JsonObject, tools: ToolGateway | None) -> Outcome:
        return self._sandbox.run(
            self._program,
            arguments,
            tier=Tier.SANDBOX,
            limits=self._settings.limits,
            tools=tools if self._draft.calls else None,
        )

    def _check_text(self) -> Check:
        findings = check_source(self._draft.source, Tier.SANDBOX, entry=self._draft.name)
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
        """Check that every valid input gives a result, or an error that the code means to raise."""
        meant = raised_types(self._draft.source)

        def fails(outcome: Outcome) -> bool:
            return not outcome.ok and not (
                outcome.status is Status.ERROR and _error_type(outcome) in meant
            )

        bad = [
            (arguments, outcome)
            for arguments, outcome in zip(inputs, outcomes, strict=True)
            if fails(outcome)
        ]
        if not bad:
            return Check(CheckName.GENERATED, True, f"{len(inputs)} inputs handled")
        simplest = shrink(
            self._strategy,
            bad[0][0],
            lambda arguments: fails(self._run(arguments, self._simulated)),
            self._seed,
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
            if _ending(first) != _ending(second):
                observed = f"{_in_words(first)}, then {_in_words(second)}"
                counterexample = self._counterexample(arguments, "the same", observed, second)
                return Check(CheckName.DETERMINISM, False, observed, (counterexample,))
        return Check(CheckName.DETERMINISM, True, f"{len(pairs)} inputs run twice")

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
