"""What validation found out about a draft."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.adequacy import Adequacy

__all__ = ["Check", "CheckName", "Counterexample", "ValidationReport"]


class CheckName(StrEnum):
    """The questions that validation asks, in the order in which it asks them."""

    STATIC = "static gate"
    REPLAY = "recorded results"
    GENERATED = "generated inputs"
    RESULT = "result not None"
    SCHEMA = "result fits its schema"
    DETERMINISM = "determinism"
    EFFECTS = "no undeclared effect"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Arguments for which the tool does not do what it must."""

    arguments: JsonObject
    expected: str
    """What should have happened, in words."""
    observed: str
    value: Json = None
    """What the tool returned, where it returned something."""
    error_type: str | None = None
    """Type of the exception, where it raised one, or the status of a run that had no end."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    name: CheckName
    passed: bool
    detail: str
    counterexamples: tuple[Counterexample, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All checks of one draft; it passed if each of them did."""

    tool: str
    checks: tuple[Check, ...]
    cases: int
    """Recorded cases replayed."""
    inputs: int
    """Generated inputs run."""
    seed: int
    sandbox: str
    """Backend and level of isolation."""
    profile: str
    """What tools might contain: the name of the profile, and the digest of what it says."""
    enough: float = 0.0
    """Share of a tool's mutants that its inputs must find for the evidence not to be thin."""
    adequacy: Adequacy | None = None
    """Which faults the inputs would have found, where the tool passed and that was tried."""
    results: tuple[Json, ...] = field(default=(), repr=False)
    """Distinct results for generated inputs, for the schema of the result."""

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the draft."""
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the draft is refused; empty if it passed."""
        return tuple(f"{check.name}: {check.detail}" for check in self.checks if not check.passed)

    @property
    def is_thin(self) -> bool:
        """Whether the inputs would have let too many faults pass."""
        share = self.adequacy.share if self.adequacy else None
        return share is not None and share < self.enough

    def evidence(self) -> JsonObject:
        """Return the report as plain data, to be kept with the version."""
        checks: list[Json] = [
            {"name": str(check.name), "passed": check.passed, "detail": check.detail}
            for check in self.checks
        ]
        tried: JsonObject = {}
        if self.adequacy:
            tried = {"adequacy": {**self.adequacy.evidence(), "thin": self.is_thin}}
        return {
            **tried,
            "checks": checks,
            "cases": self.cases,
            "inputs": self.inputs,
            "seed": self.seed,
            "sandbox": self.sandbox,
            "profile": self.profile,
        }
