"""What counts as drift of a tool's results, and what follows for the tools that depend on it.

The table `[drift]` of a profile. Nothing here needs pydantic at import, for the reason that
`profile` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Change",
    "Consequence",
    "DriftRules",
    "FieldChange",
    "consequence_of",
    "in_short",
    "is_drift",
]

_MAX_TOLD = 3
"""Changes that are spelt out where all of them are kept elsewhere."""


class Change(StrEnum):
    """How a field of a tool's results is different from the recordings."""

    RENAMED = "renamed"
    MISSING = "missing"
    NEW = "new"
    KIND = "kind"
    """Its values are of a kind of which none was recorded; of a whole result also that the call
    fails now, or no longer does."""
    STEADY_VALUE = "steady value"
    """Another value, of a read-only call that gave the same one in every recorded run, of which
    there are several."""
    VALUE = "value"
    """Another value, of a call that may well give another one each time."""


_OF_FORM = frozenset({Change.RENAMED, Change.MISSING, Change.NEW, Change.KIND})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a tool's results, and in how many calls it is different."""

    tool: str
    field: str
    """Keys joined by dots, `[]` for any item: `address.province`; empty for the whole result."""
    change: Change
    to: str
    """The new name in full, or the new kind of values; empty where there is nothing to say."""
    changed: int
    """Distinct calls in which it is different."""
    comparable: int
    """Distinct calls that were recorded and came again with the field to be compared."""

    @property
    def words(self) -> str:
        """What is different, as in `address.province -> address.state`."""
        field = self.field or "the whole result"
        match self.change:
            case Change.RENAMED:
                return f"{field} -> {self.to}"
            case Change.KIND:
                return f"{field} is {self.to} now"
            case Change.STEADY_VALUE:
                return f"{field} has another value than in every recorded run"
            case Change.VALUE:
                return f"{field} has another value"
        return f"{field} is {self.change}"

    def __str__(self) -> str:
        counts = f"in {self.changed} of {self.comparable} comparable calls"
        return f"{self.tool}: {self.words}, {counts}"


@dataclass(frozen=True, slots=True)
class DriftRules:
    """When a difference is drift."""

    calls: int
    """Distinct calls in which a field has to be different, at least."""
    share: float
    """Their share of the comparable calls, at least: single records change in any database, and
    may gain or lose a field by it."""
    values: bool
    """Whether steady values that are others count. They do not by default: databases live, and
    tools are validated on generated values beside the recorded ones."""
    quarantine: bool
    """Whether a tool is quarantined that fails under the drift in every recorded run. In `sandbox`
    it could still be called, and would fail each time."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is out of its range; the message starts with its name.
        """
        if self.calls < 1:
            msg = f"calls: {self.calls} is below 1"
            raise ValueError(msg)
        if not 0 <= self.share <= 1:
            msg = f"share: {self.share} is no share from 0 to 1"
            raise ValueError(msg)


def is_drift(change: FieldChange, rules: DriftRules) -> bool:
    """Say whether a difference is drift: what was proven on the recordings may not hold now."""
    counts = change.change in _OF_FORM or (rules.values and change.change is Change.STEADY_VALUE)
    enough = change.changed >= max(rules.calls, rules.share * change.comparable)
    return counts and enough


def in_short(changes: Sequence[str]) -> str:
    """Return the first of several changes in words, and how many more there are."""
    told = [*changes[:_MAX_TOLD]]
    if more := len(changes) - len(told):
        told.append(f"{more} more")
    return "; ".join(told)


class Consequence(StrEnum):
    """What becomes of a version that calls a tool whose results drifted."""

    UNTOUCHED = "untouched"
    REOPENED = "re-opened"
    QUARANTINED = "quarantined"


def consequence_of(
    *, reached: int, runs: int, differing: int, broken: int, rules: DriftRules
) -> Consequence:
    """Return what becomes of a version, by what its recorded runs do under the drift.

    Where none of them can be replayed, nothing shows that it does not depend on the field.

    Args:
        reached: Recorded runs in which it calls the tool.
        runs: Those that were replayed, with and without the drift.
        differing: Those in which it does something else under the drift.
        broken: Those among them in which it fails, and did not before.
        rules: The profile's.
    """
    if not differing and (runs or not reached):
        return Consequence.UNTOUCHED
    if rules.quarantine and 0 < broken == runs:
        return Consequence.QUARANTINED
    return Consequence.REOPENED
