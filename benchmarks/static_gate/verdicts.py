"""What a checker does with the corpora."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.static_gate.corpora import Escape, OrdinaryTool
from toolguild.policies import Profile, Tier
from toolguild.synth.validation.static import SAFETY_FAMILIES, check_source, refused

__all__ = ["HARMLESS", "Verdicts", "gate_verdicts"]

HARMLESS: dict[str, str] = {}
"""Rows that the gate lets pass, each with the proof that it gets nowhere."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one checker did."""

    name: str
    escapes: int
    """Programs that try to get out."""
    passed: tuple[str, ...]
    """Those of them that it let pass; for one that runs them, those that got out."""
    hard: tuple[str, ...]
    """Those of these that read an environment variable or the number of the process."""
    ordinary: int
    """Ordinary tools."""
    refused: tuple[str, ...]
    """Those of them that it refused; for one that runs them, also those with another result."""
    note: str = ""
    """What is meant by passing, or why there is nothing."""


def gate_verdicts(
    escapes: list[Escape], ordinary: list[OrdinaryTool], profile: Profile
) -> Verdicts:
    """Ask the static gate about every row, at each of the row's tiers."""

    def is_refused(code: str, tier: str) -> bool:
        findings = check_source(code, Tier(tier), profile=profile, families=SAFETY_FAMILIES)
        return refused(findings)

    passed = [row for row in escapes if not all(is_refused(row.code, t) for t in row.tiers)]
    return Verdicts(
        name=f"toolguild check, profile {profile.name}",
        escapes=len(escapes),
        passed=tuple(row.id for row in passed),
        hard=tuple(row.id for row in passed if row.proof in ("canary", "pid")),
        ordinary=len(ordinary),
        refused=tuple(row.id for row in ordinary if is_refused(row.code, row.tier)),
        note="refused before anything runs",
    )
