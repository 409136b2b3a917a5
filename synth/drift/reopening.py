"""Taking trust back from what depends on a drift, and from nothing else."""

from __future__ import annotations

from toolguild.policies.drift import Consequence, in_short
from toolguild.registry import Registry
from toolguild.synth.drift.dependence import Dependence
from toolguild.synth.drift.finding import Drift, DriftReport

__all__ = ["reopen_dependents"]


def reopen_dependents(registry: Registry, report: DriftReport) -> list[str]:
    """Re-open, or quarantine, each version that depends on a field that drifted.

    Args:
        registry: The one that the report is about.
        report: What was found.

    Returns:
        Their `name@number`; those are left out that are open for it already.

    Raises:
        RegistryError: the registry cannot be written.
    """
    concerned: dict[str, list[tuple[Drift, Dependence]]] = {}
    for drift in report.found:
        for one in drift.dependences:
            if one.consequence is not Consequence.UNTOUCHED:
                concerned.setdefault(one.version.ref, []).append((drift, one))
    return [ref for ref, found in concerned.items() if _reopen(registry, ref, found)]


def _reopen(registry: Registry, ref: str, found: list[tuple[Drift, Dependence]]) -> bool:
    return registry.governance.reopen(
        ref,
        [drift.change for drift, _ in found],
        why=in_short([f"{drift.change}: {one.words}" for drift, one in found]),
        quarantine=any(one.consequence is Consequence.QUARANTINED for _, one in found),
    )
