"""What the exporter of an imported tool says of it: shown, and never counted."""

from __future__ import annotations

from toolguild.registry import ToolVersion
from toolguild.sandbox import Json, JsonObject

__all__ = ["claimed_report", "told_of_claims", "worked"]


def told_of_claims(claims: JsonObject) -> str:
    """Return a few lines for a person."""
    where = f"{claims.get('ref')} in its exporter's registry, tier {claims.get('tier')}"
    record = _object(claims.get("record"))
    evidence = _object(claims.get("evidence"))
    checks = evidence.get("checks")
    passed = sum(
        isinstance(check, dict) and check.get("passed") is True
        for check in (checks if isinstance(checks, list) else ())
    )
    return (
        f"{where}, {worked(record)} worked\n"
        f"validated there by {passed} checks on {evidence.get('inputs', 0)} generated inputs and "
        f"{evidence.get('cases', 0)} recorded cases\n"
        "nothing of it counts here"
    )


def worked(record: JsonObject) -> str:
    """Return how many of the uses in a claimed record succeeded."""
    successes, failures = record.get("successes"), record.get("failures")
    if not isinstance(successes, int) or not isinstance(failures, int):
        return "-"
    return f"{successes}/{successes + failures}" if successes + failures else "-"


def claimed_report(version: ToolVersion) -> str | None:
    """Return the digest of the report that came with an imported version, if one did."""
    report = _object(version.provenance.get("claims")).get("report")
    return report if isinstance(report, str) else None


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
