"""What the static gate found, as SARIF 2.1.0, which editors and code hosts read.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote

from toolguild.cli.check_report import CheckedFile, CheckReport, ordered
from toolguild.policies import Profile
from toolguild.policies.code_rules import RuleLevel, may_be_eased
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.static import RULES, Family, Finding, Rule
from toolguild.version import __version__

__all__ = ["sarif_log"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/cs01/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT = "toolguild/v1"

_NOTES = {
    "needs-read": "The tool reads files.",
    "needs-write": "The tool writes files, or may do so.",
    "needs-network": "The tool uses the network.",
    "calls-tool": "The tool calls another tool.",
}
"""What a text needs: told, and not held against it."""


def sarif_log(report: CheckReport) -> JsonObject:
    """Return the report as one SARIF log of one run."""
    rules: list[Json] = [_descriptor(rule, report.profile) for rule in RULES]
    rules += [_note_descriptor(name, text) for name, text in _NOTES.items()]
    places = {_id(rule): place for place, rule in enumerate(rules)}
    results: list[Json] = []
    for number, file in enumerate(report.files):
        results += _results(file, number, places)
    run: JsonObject = {
        "tool": {"driver": {"name": "toolguild", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "artifacts": [_artifact(file) for file in report.files],
        "results": results,
        "properties": {
            "tier": str(report.tier),
            "profile": report.profile.name,
            "profileDigest": report.profile.digest,
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: Rule, profile: Profile) -> JsonObject:
    level = profile.code.level(rule.code)
    quality = rule.family is Family.CONTRACT
    return {
        "id": rule.code,
        "name": type(rule).__name__,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.what} {rule.why}"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {
            "enabled": level is not RuleLevel.OFF,
            "level": "warning" if level is RuleLevel.WARNING else "error",
        },
        "properties": {
            "tags": ["quality" if quality else "security"],
            "fixed": not may_be_eased(rule.code),
        },
    }


def _note_descriptor(name: str, text: str) -> JsonObject:
    return {
        "id": name,
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": "none"},
        "properties": {"tags": ["needs"]},
    }


def _id(rule: Json) -> str:
    return str(rule["id"]) if isinstance(rule, dict) else ""


def _invocation(report: CheckReport) -> JsonObject:
    notifications: list[Json] = [
        {"level": "error", "message": {"text": reason}} for reason in report.unreadable
    ]
    return {
        "executionSuccessful": not report.unreadable,
        "exitCode": int(report.exit_code),
        "toolExecutionNotifications": notifications,
    }


def _artifact(file: CheckedFile) -> JsonObject:
    told = file.told
    digest = hashlib.sha256(file.text.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "location": {"uri": _uri(file.name)},
        "sourceLanguage": "python",
        "hashes": {"sha-256": digest},
        "properties": {
            "refused": told.refused,
            "needs": [str(need) for need in ordered(told.needs)],
            "calls": [*dict.fromkeys(use.tool for use in told.tools)],
            "lowestTier": str(told.lowest_tier),
        },
    }


def _results(file: CheckedFile, number: int, places: dict[str, int]) -> list[Json]:
    """Return what was found in a file: first what speaks against it, then what it needs."""
    seen: dict[str, int] = {}
    lines = file.text.split("\n")
    results: list[Json] = []
    for finding in file.told.findings:
        where = _location(file, number, finding.line, finding.column, finding.end_line)
        results.append(
            {
                "ruleId": finding.code,
                "ruleIndex": places[finding.code],
                "kind": "fail",
                "level": str(finding.severity),
                "message": {"text": f"{finding.message}. {finding.remedy}"},
                "locations": [where],
                "partialFingerprints": {_FINGERPRINT: _fingerprint(finding, lines, seen)},
            }
        )
    notes = [
        (use.line, use.column, f"needs-{use.capability}", f"needs {use.capability}: {use.what}")
        for use in file.told.effects
    ]
    notes += [(u.line, u.column, "calls-tool", f"calls {u.tool}") for u in file.told.tools]
    for line, column, name, text in sorted(notes):
        results.append(
            {
                "ruleId": name,
                "ruleIndex": places[name],
                "kind": "informational",
                "level": "none",
                "message": {"text": text},
                "locations": [_location(file, number, line, column, line)],
            }
        )
    return results


def _location(file: CheckedFile, number: int, line: int, column: int, end: int) -> JsonObject:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(file.name), "index": number},
            "region": {"startLine": line, "startColumn": column, "endLine": end},
        }
    }


def _fingerprint(finding: Finding, lines: list[str], seen: dict[str, int]) -> str:
    """Return what a finding is known by when lines above it come and go."""
    line = lines[finding.line - 1].strip() if finding.line <= len(lines) else ""
    known_by = f"{finding.code}\n{finding.message}\n{line}"
    seen[known_by] = seen.get(known_by, 0) + 1
    text = f"{known_by}\n{seen[known_by]}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


def _uri(name: str) -> str:
    """Return a file's path as a URI: relative ones relative to where the command was run."""
    # As bytes, because a path need not be text.
    return Path(name).as_uri() if Path(name).is_absolute() else quote(os.fsencode(name))
