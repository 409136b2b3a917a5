"""What becomes of bad tools on the whole way: validation, then a registry of their own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.validation.proposer import BadTool
from benchmarks.validation.tools import SETTINGS
from toolguild.registry import InvalidSpecError, Registry
from toolguild.sandbox import Sandbox
from toolguild.synth.tool_spec import spec_of
from toolguild.synth.validation import ValidationReport, ValidationSettings, validate

__all__ = ["REGISTRY", "Admission", "hand_in"]

REGISTRY = "registry: words"
"""Who refuses what works, but would speak to models."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of one bad tool."""

    bad: BadTool
    refused_by: str
    """The first check that it failed, or the registry; empty for one that got in."""

    @property
    def is_registered(self) -> bool:
        """Whether it got in."""
        return not self.refused_by


def hand_in(
    bad_tools: Sequence[BadTool],
    folder: Path,
    sandbox: Sandbox,
    executor: Executor,
    settings: ValidationSettings = SETTINGS,
) -> list[Admission]:
    """Validate each bad tool and register what passes, in a new registry.

    Args:
        bad_tools: What the adversary hands in.
        folder: Where the registry is to be.
        sandbox: Where everything runs.
        executor: What validates several at once.
        settings: How hard to try to refute them.

    Raises:
        SandboxUnavailableError: nothing can be run.
        RegistryError: the registry cannot be written.
    """
    reports = executor.map(lambda bad: validate(bad.draft, sandbox, settings), bad_tools)
    with Registry.open(folder / "tools.db", actor="benchmark") as registry:
        return [
            Admission(bad, _refused_by(bad, report, registry, settings))
            for bad, report in zip(bad_tools, reports, strict=True)
        ]


def _refused_by(
    bad: BadTool, report: ValidationReport, registry: Registry, settings: ValidationSettings
) -> str:
    failed = next((check for check in report.checks if check.passed is False), None)
    if failed is not None:
        return str(failed.name)
    try:
        registry.register(
            spec_of(bad.draft, settings.profile),
            provenance={"origin": "benchmark"},
            evidence=report.evidence(),
            why="passed validation",
        )
    except InvalidSpecError:
        return REGISTRY
    return ""
