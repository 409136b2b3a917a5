"""What of a tool's history stays at home when the tool is shared.

Provenance names the logs that a tool was mined from, by their paths: these are cut to the names of
the files. Evidence holds recorded inputs where something failed, and sentences that quote them:
only verdicts and counts are shared. Reports hold recorded arguments and results, and are shared
only where the exporter asks for it. A specification is shared as it is, because it is the tool;
its texts may quote recorded values.
"""

from __future__ import annotations

import re

from toolguild.sandbox import Json, JsonObject

__all__ = ["shared_evidence", "without_paths"]

_PLACE_KEYS = frozenset({"file", "path", "paths", "place", "places"})
_ABSOLUTE = re.compile(r"file:[^\s'\"]+|(?<![\w.:/\\])(?:~?/|[A-Za-z]:\\)[^\s:'\"]+")
_COUNTS = ("cases", "held_out", "inputs", "seed")
_NAMES = ("profile", "sandbox")
_ADEQUACY = ("killed", "mutants", "timed_out")


def without_paths(value: Json) -> Json:
    """Return plain data with paths cut to names of files, in places and wherever absolute."""
    match value:
        case dict():
            return {
                name: _names_only(part) if name in _PLACE_KEYS else without_paths(part)
                for name, part in value.items()
            }
        case list():
            return [without_paths(part) for part in value]
        case str():
            return _ABSOLUTE.sub(lambda path: _file_name(path[0]), value)
    return value


def shared_evidence(evidence: JsonObject) -> JsonObject:
    """Return the verdicts and the counts of a validation, without any input that it tried."""
    shared: JsonObject = {
        name: evidence[name] for name in _COUNTS if _is_number(evidence.get(name))
    }
    shared |= {name: evidence[name] for name in _NAMES if isinstance(evidence.get(name), str)}
    adequacy, checks = evidence.get("adequacy"), evidence.get("checks")
    if isinstance(adequacy, dict):
        counts = {name: adequacy[name] for name in _ADEQUACY if _is_number(adequacy.get(name))}
        shared["adequacy"] = {**counts}
    if isinstance(checks, list):
        shared["checks"] = [
            {"name": check.get("name"), "passed": check.get("passed")}
            for check in checks
            if isinstance(check, dict)
        ]
    return shared


def _names_only(value: Json) -> Json:
    match value:
        case str():
            return _file_name(value)
        case list():
            return [_names_only(part) for part in value]
    return without_paths(value)


def _file_name(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float)
