"""Undoing each change that was made, and making it again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.improvement.attack import AGENT
from benchmarks.improvement.oracle import caused_by, present, without
from toolguild.registry import Registry

__all__ = ["Undone", "undo_each"]


@dataclass
class Undone:
    """What came of it."""

    changes: int = 0
    with_consequences: int = 0
    """Changes that took others with them."""
    failures: dict[str, int] = field(default_factory=dict)
    """How many left something, or did not come back, by their kind."""
    seconds: float = 0.0


def undo_each(registry: Registry, made: Mapping[int, str]) -> Undone:
    """Undo each change by itself, compare with what there is to be, and undo the undoing.

    Args:
        registry: The registry, after the attack.
        made: Kinds of proposals by the numbers of the changes that were made of them.
    """
    improvements, started = registry.improvements, time.monotonic()
    before = improvements.changes(AGENT)
    found = Undone(len(made))
    at_first = present(registry, AGENT)
    if at_first != without(registry, before, ()):
        found.failures["before anything was undone"] = 1
    for number, kind in made.items():
        caused = caused_by(before, number)
        wanted = without(registry, before, caused)
        found.with_consequences += len(caused) > 1
        undo = improvements.undo(number, why="the benchmark")
        is_undone = present(registry, AGENT) == wanted
        improvements.undo(undo.number, why="the benchmark")
        if not is_undone or present(registry, AGENT) != at_first:
            found.failures[kind] = found.failures.get(kind, 0) + 1
    found.seconds = time.monotonic() - started
    return found
