"""How much of the logs something takes up, and what would be saved there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.traces import ToolCall

__all__ = ["ITSELF", "Extent", "Saving", "Unit", "Weight", "Weights", "unit_of"]

Unit: TypeAlias = tuple[str, int, int]
"""The smallest part of a trace that a tool can replace: trace, step, and line of its code or 0."""


def unit_of(trace_id: str, call: ToolCall) -> Unit:
    """Return the part of a trace that a call is."""
    return trace_id, call.place.step, 0


@dataclass(frozen=True, slots=True)
class Saving:
    """What a tool would have saved in the traces that it was mined from."""

    calls: int = 0
    """Tool calls that one call of the tool replaces, less that call."""
    characters: int = 0
    """Characters that the agent would not have had to write."""

    def __add__(self, other: Saving) -> Saving:
        return Saving(self.calls + other.calls, self.characters + other.characters)


@dataclass(frozen=True, slots=True)
class Weight:
    """What a mined run stands for where the logs are too large to mine all of them."""

    runs: float = 1.0
    """Runs of the logs for each such run that was mined."""
    tasks: float = 1.0
    """Tasks of the logs for each such task that was mined."""


Weights: TypeAlias = Mapping[str, Weight]
"""What runs stand for, by trace id; those that are not named stand for themselves."""
ITSELF = Weight()
"""What is said of a run that was not sampled."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the logs something takes up."""

    places: int
    tasks: int
    saving: Saving
