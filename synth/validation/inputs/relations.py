"""Relations between two arguments that hold in all recorded calls, such as an index and its list.

An input drawn without regard to them is mostly one that a tool turns away at its door.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from toolguild.sandbox import JsonObject
from toolguild.synth.mining import canonical
from toolguild.synth.validation.inputs.choices import Pick
from toolguild.synth.validation.inputs.relation_kinds import KINDS, Kind

__all__ = ["Relation", "seen_relations"]

_LEAST_SEEN = 3
"""Different recorded calls in which a relation must have been seen, without one against it."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between two parameters."""

    kind: Kind
    first: str
    second: str

    def holds(self, arguments: JsonObject) -> bool:
        """Whether it holds; it does where one of the two is missing."""
        if self.first not in arguments or self.second not in arguments:
            return True
        return self.kind.holds(arguments[self.first], arguments[self.second])

    def mended(self, arguments: JsonObject, pick: Pick, keeping: str | None = None) -> JsonObject:
        """Return arguments with one of the two changed, never `keeping`, so that it holds."""
        if self.holds(arguments):
            return arguments
        a, b = arguments[self.first], arguments[self.second]
        changes_first = keeping == self.second or (keeping != self.first and pick(2) == 0)
        if changes_first:
            return {**arguments, self.first: self.kind.first(a, b, pick)}
        return {**arguments, self.second: self.kind.second(a, b, pick)}


def seen_relations(recorded: Sequence[JsonObject]) -> list[Relation]:
    """Return the relations that held in all of at least three different recorded calls.

    Of several between the same two parameters the strictest.
    """
    objects = list({canonical(arguments): arguments for arguments in recorded}.values())
    names = [name for name in (objects[0] if objects else {}) if all(name in o for o in objects)]
    if len(objects) < _LEAST_SEEN:
        return []
    found: dict[frozenset[str], Relation] = {}
    for first, second in permutations(names, 2):
        pairs = [(one[first], one[second]) for one in objects]
        if len({canonical([*pair]) for pair in pairs}) < _LEAST_SEEN:
            continue
        for rank, kind in enumerate(KINDS):
            if all(kind.holds(a, b) for a, b in pairs):
                both = frozenset((first, second))
                known = found.get(both)
                if known is None or rank < KINDS.index(known.kind):
                    found[both] = Relation(kind, first, second)
                break
    return list(found.values())
