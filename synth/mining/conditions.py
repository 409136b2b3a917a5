"""What a data flow asks of a place: each condition narrows the places that the flow claims.

The same conditions are put to places that the flow was made from and to places that were held out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from toolguild.synth.mining.call_log import INSTEAD
from toolguild.synth.mining.loops import Chosen, LoopReading
from toolguild.synth.mining.windows import Derivation, SameAs, Window
from toolguild.synth.plans import spoken

__all__ = [
    "Calm",
    "ChoosesFrom",
    "Compares",
    "Condition",
    "Fixed",
    "Follows",
    "GoesOver",
    "KnownBefore",
    "Shared",
    "Slot",
]

Slot: TypeAlias = tuple[int, str]
"""Index of an item in a window, and the name of one of its arguments."""


class Condition(Protocol):
    """Something that holds in a window or does not."""

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""

    def least_share(self, min_confidence: float) -> float:
        """Return the share of the windows in which it must hold, or the flow is an accident."""


@dataclass(frozen=True, slots=True)
class Calm:
    """No call that may write comes after the user spoke."""

    reason = "writes after the user spoke"

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return not window.acts_on_an_answer()

    def least_share(self, min_confidence: float) -> float:
        """Return 0: where a consent may have been asked for is no matter of the data."""
        return 0.0


@dataclass(frozen=True, slots=True)
class GoesOver:
    """A run of calls is a loop over this list."""

    item: int
    reading: LoopReading

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return self.reading in window.items[self.item].readings

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"does not go over {spoken(self.reading.over)}"

    def least_share(self, min_confidence: float) -> float:
        """Return 0: runs of one tool may go over different lists, each a flow of its own."""
        return 0.0


@dataclass(frozen=True, slots=True)
class ChoosesFrom:
    """A run of calls goes over rows of this list, some or all."""

    item: int
    chosen: Chosen

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return self.chosen.is_read_in(window.items[self.item].readings)

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"does not go over rows of {spoken(self.chosen.rows_at)}"

    def least_share(self, min_confidence: float) -> float:
        """Return 0: runs of one tool may go over different lists, each a flow of its own."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Compares:
    """Of a list that a run of calls chooses from, a comparison tells the rows."""

    item: int
    reading: LoopReading

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return window.goes_over(self.item, self.reading)

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"does not go over {spoken(self.reading.over)}"

    def least_share(self, min_confidence: float) -> float:
        """Return the given share: in the other places the agent chose by something else."""
        return min_confidence


@dataclass(frozen=True, slots=True)
class Follows:
    """An argument equals a part of an earlier result, or an earlier argument."""

    slot: Slot
    derivation: Derivation

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return window.follows(self.slot, self.derivation)

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"{_spoken_slot(self.slot)} does not follow from {_source(self.derivation)}"

    def least_share(self, min_confidence: float) -> float:
        """Return the given share: in the other places the agent picked something else."""
        return min_confidence


@dataclass(frozen=True, slots=True)
class Fixed:
    """An argument has this value."""

    slot: Slot
    value: str
    """In canonical form."""

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return window.text(self.slot) == self.value

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"{_spoken_slot(self.slot)} is not the same everywhere"

    def least_share(self, min_confidence: float) -> float:
        """Return 1: what varies is no constant."""
        return 1.0


@dataclass(frozen=True, slots=True)
class KnownBefore:
    """An argument could be given before the first call."""

    slot: Slot

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return window.knew_beforehand(*self.slot)

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"{_spoken_slot(self.slot)} was not known before the first call"

    def least_share(self, min_confidence: float) -> float:
        """Return 0: a tool may be of use only to those who know enough."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Shared:
    """Two arguments that are given as one parameter have the same value."""

    first: Slot
    slot: Slot

    def holds(self, window: Window) -> bool:
        """Say whether it holds there."""
        return window.text(self.slot) == window.text(self.first)

    @property
    def reason(self) -> str:
        """Why a window where it does not hold is not claimed."""
        return f"{_spoken_slot(self.slot)} is not {_spoken_slot(self.first)}"

    def least_share(self, min_confidence: float) -> float:
        """Return 1: what differs somewhere is two parameters."""
        return 1.0


def _spoken_slot(slot: Slot) -> str:
    item, argument = slot
    if argument.startswith(INSTEAD):
        name = argument.removeprefix(INSTEAD)
        return f"argument {name} of what is called instead of call {item + 1}"
    return f"argument {argument} of call {item + 1}"


def _source(derivation: Derivation) -> str:
    if isinstance(derivation, SameAs):
        return _spoken_slot((derivation.item, derivation.argument))
    return spoken(derivation)
