"""What trust takes and what it takes to keep it, as one frozen value: the table `[trust]`.

Nothing here needs pydantic at import, for the reason that `profile` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from toolguild.policies.tiers import Tier

__all__ = ["MAX_USES_BETWEEN", "Asked", "Budget", "Trust"]

MAX_USES_BETWEEN = 1_000_000_000
"""Between two false alarms; with many more, evidence for a decline would be no float any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one tier asks for."""

    keep: float
    """Success rate below which the tier is lost; for the lowest tier, the right to be called."""
    uses: int = 0
    """Clean, distinct uses at the tier below, at least."""
    rate: float = 0.0
    """Success rate that these have to show."""
    bound: float = 0.0
    """What the always-valid lower bound of their success rate has to reach; 0 asks for none."""
    age_h: float = 0.0
    """Hours at the tier below."""
    approval: bool = False
    """Whether a person has to approve."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is out of its range; the message starts with its name.
        """
        if not 0 < self.keep < 1:
            msg = f"keep: {self.keep} is no rate between 0 and 1"
            raise ValueError(msg)
        for name in ("rate", "bound"):
            if not 0 <= getattr(self, name) < 1:
                msg = f"{name}: {getattr(self, name)} is no rate from 0 to below 1"
                raise ValueError(msg)
        for name in ("uses", "age_h"):
            if not getattr(self, name) >= 0:
                msg = f"{name}: {getattr(self, name)} is below 0"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may change; what exceeds it waits in order."""

    new_tools_a_cycle: int
    """Versions that may come into use in one run of `synthesize`, `tools import` or `tools
    review`."""
    new_tools_a_day: int
    """In any 24 hours, whatever brings them."""
    promotions_a_cycle: int
    promotions_a_day: int

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is negative; the message starts with its name.
        """
        for one in fields(self):
            if getattr(self, one.name) < 0:
                msg = f"{one.name}: {getattr(self, one.name)} is below 0"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Trust:
    """How tools rise and fall."""

    sandbox: Asked
    restricted: Asked
    full: Asked
    budget: Budget
    alpha: float
    """Chance that a lower bound ever exceeds the true rate, however often it is looked at."""
    uses_between_false_alarms: int
    """Of a tool that is as good as its tier asks, on average at least."""
    cooldown_h: float
    """Hours after a demotion in which nothing is promoted."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is out of its range; the message starts with its name.
        """
        if not 0 < self.alpha < 1:
            msg = f"alpha: {self.alpha} is no chance between 0 and 1"
            raise ValueError(msg)
        if not 1 <= self.uses_between_false_alarms <= MAX_USES_BETWEEN:
            told = self.uses_between_false_alarms
            msg = f"uses_between_false_alarms: {told} is not from 1 to {MAX_USES_BETWEEN:,}"
            raise ValueError(msg)
        if not self.cooldown_h >= 0:
            msg = f"cooldown_h: {self.cooldown_h} is below 0"
            raise ValueError(msg)

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> Trust:
        """Return the rules that a complete table gives.

        Raises:
            ValueError, TypeError, KeyError: it is not as a profile's table is.
        """
        parts = {tier.value: Asked for tier in Tier} | {"budget": Budget}
        read: dict[str, Any] = {
            name: parts[name](**value) if name in parts else value for name, value in table.items()
        }
        return cls(**read)

    def asked(self, tier: Tier) -> Asked:
        """Return what a tier asks for."""
        return {
            Tier.SANDBOX: self.sandbox,
            Tier.RESTRICTED: self.restricted,
            Tier.FULL: self.full,
        }[tier]
