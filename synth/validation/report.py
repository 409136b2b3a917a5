"""What validation found out about a draft."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.adequacy import Adequacy

__all__ = ["Check", "CheckName", "Counterexample", "ValidationReport"]

_ID_DIGITS = 12
_MAX_KEPT = 5
"""Counterexamples of one check that are kept."""


class CheckName(StrEnum):
    """The questions that validation asks, in the order in which it asks them."""

    STATIC = "static gate"
    REPLAY = "recorded results"
    HELD_OUT = "held-out occurrences"
    REACHED = "reached by recorded runs"
    GENERATED = "generated inputs"
    LIMITS = "deadline and memory"
    ORIGINAL = "same as the original"
    RESULT = "result not None"
    SCHEMA = "result fits its schema"
    DETERMINISM = "determinism"
    CROWD = "same on very many inputs"
    STATE = "no state kept"
    ARGUMENTS = "arguments unchanged"
    MEMBERS = "same as its members"
    LIVE = "same effect on live tools"
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
    changed: frozenset[str] = frozenset()
    """The arguments that it changed, by name, where it must not."""

    def id_of(self, source: str, check: CheckName) -> str:
        """Return what names this failure: the same text, check and arguments give the same."""
        told = canonical([source, str(check), self.arguments])
        return hashlib.sha256(told.encode()).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    name: CheckName
    passed: bool | None
    """None where there was nothing to answer it by, which speaks neither for nor against."""
    detail: str
    counterexamples: tuple[Counterexample, ...] = ()

    @property
    def verdict(self) -> str:
        """The answer in a word."""
        return {True: "passed", False: "failed", None: "not asked"}[self.passed]

    def to_json(self, source: str) -> JsonObject:
        """Return it as plain data, with the first counterexamples; `source` is the tool's text."""
        found: list[Json] = [
            {
                "id": one.id_of(source, self.name),
                "arguments": one.arguments,
                "expected": one.expected,
                "observed": one.observed,
            }
            for one in self.counterexamples[:_MAX_KEPT]
        ]
        told: JsonObject = {"name": str(self.name), "passed": self.passed, "detail": self.detail}
        return {**told, "counterexamples": found} if found else told


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All checks of one draft; it passed if none of them failed."""

    tool: str
    checks: tuple[Check, ...]
    cases: int
    """Recorded cases that the draft was made from, replayed."""
    inputs: int
    """Generated inputs run."""
    seed: int
    sandbox: str
    """Backend and level of isolation."""
    profile: str
    """What tools might contain: the name of the profile, and the digest of what it says."""
    source: str = field(default="", repr=False)
    """The text that was judged."""
    held_out: int = 0
    """Recorded cases that drafting never saw, replayed."""
    mined: bool = False
    """Whether the draft replaces something that recurs in logs."""
    enough: float = 0.0
    """Share of a tool's mutants that its inputs must find for the evidence not to be thin."""
    adequacy: Adequacy | None = None
    """Which faults the inputs would have found, where the tool passed and that was tried."""
    results: tuple[Json, ...] = field(default=(), repr=False)
    """Distinct results for generated inputs, for the schema of the result."""

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the draft."""
        return all(check.passed is not False for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the draft is refused; empty if it passed."""
        return tuple(
            f"{check.name}: {check.detail}" for check in self.checks if check.passed is False
        )

    @property
    def thin(self) -> tuple[str, ...]:
        """Why there is too little evidence for more than a first trial; empty if there is not."""
        reasons = []
        share = self.adequacy.share if self.adequacy else None
        if share is not None and share < self.enough:
            reasons.append(f"its inputs find {share:.0%} of faults, {self.enough:.0%} would do")
        if self.mined and not self.held_out:
            reasons.append("no occurrence confirms it that drafting had not seen")
        return tuple(reasons)

    @property
    def is_thin(self) -> bool:
        """Whether there is too little evidence for more than a first trial."""
        return bool(self.thin)

    def evidence(self) -> JsonObject:
        """Return the report as plain data, to be kept with the version."""
        checks: list[Json] = [check.to_json(self.source) for check in self.checks]
        tried: JsonObject = {"adequacy": self.adequacy.evidence()} if self.adequacy else {}
        return {
            **tried,
            "thin": [*self.thin],
            "checks": checks,
            "cases": self.cases,
            "held_out": self.held_out,
            "inputs": self.inputs,
            "seed": self.seed,
            "sandbox": self.sandbox,
            "profile": self.profile,
        }
