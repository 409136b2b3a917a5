"""Whether a registry holds what was acknowledged: all of it, once, and in one chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.registry.writers import SHARED
from toolguild.registry import AuditRow, Registry, RegistryError, UnknownToolError, tail, verify

__all__ = ["Held", "look", "read_acknowledged"]


@dataclass(frozen=True, slots=True)
class Held:
    """What was found of the writes that were acknowledged."""

    acknowledged: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    """Uses that are there more than once."""
    out_of_chain: str
    """What `verify` says, or why the registry does not open; empty where all is well."""
    forked: int
    """Changes of a tier that did not go on from the one before them."""


def read_acknowledged(paths: Iterable[Path]) -> list[str]:
    """Return the writes that were acknowledged; the last line may have been cut off."""
    texts = (path.read_text() for path in paths if path.exists())
    return [line for text in texts for line in text.splitlines(keepends=False) if line]


def look(where: str, acknowledged: list[str]) -> Held:
    """Open a registry, verify it, and search it for what was acknowledged."""
    try:
        with Registry.open(where) as registry:
            with registry.database.write():
                pass  # what a killed process sent to a server may have been under way until here
            report = verify(registry)
            found, twice = _uses(registry)
            moves = [row for row in tail(registry, report.rows) if row.action == "set_tier"]
            found |= {f"tier {_body(row.content, 'why')}" for row in moves}
            found |= {f"version {digest}" for digest in _versions(registry)}
            forked = _forked(moves)
    except RegistryError as error:
        return Held(len(acknowledged), tuple(acknowledged), (), str(error), 0)
    lost = tuple(one for one in acknowledged if one not in found)
    return Held(len(acknowledged), lost, twice, report.problem, forked)


def _uses(registry: Registry) -> tuple[set[str], tuple[str, ...]]:
    try:
        uses = registry.uses(registry.tool(SHARED).digest)
    except UnknownToolError:
        return set(), ()
    counts = Counter(f"use {use.input_digest}" for use in uses)
    return set(counts), tuple(what for what, number in counts.items() if number > 1)


def _versions(registry: Registry) -> list[str]:
    try:
        return [version.digest for version in registry.versions("own")]
    except UnknownToolError:
        return []


def _forked(moves: Sequence[AuditRow]) -> int:
    """Count the changes that were made of another tier than the change before them left."""
    tiers: dict[str, object] = {}
    count = 0
    for move in moves:
        before = _body(_body(move.content, "before"), "tier")
        count += tiers.get(move.subject, before) != before
        tiers[move.subject] = _body(_body(move.content, "after"), "tier")
    return count


def _body(content: object, field: str) -> object:
    return content.get(field) if isinstance(content, dict) else None
