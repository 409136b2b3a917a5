"""Tiers of trust and the capabilities that each of them allows."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["Capability", "Tier", "beyond", "granted", "lowest_tier_allowing"]


class Capability(StrEnum):
    """One kind of effect that a tool can have on the world outside its own memory."""

    READ = "read"
    WRITE = "write"
    NETWORK = "network"


class Tier(StrEnum):
    """How far a tool version is trusted; ordered from `SANDBOX` (least) to `FULL` (most)."""

    SANDBOX = "sandbox"
    RESTRICTED = "restricted"
    FULL = "full"

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What a tool of this tier may be granted."""
        return _CAPABILITIES[self]

    @property
    def rank(self) -> int:
        """Position in the order of trust, 0 for the lowest tier."""
        return _ORDER.index(self)

    # All four, because a StrEnum has them already, and compares the names alphabetically.

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, Tier) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, Tier) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, Tier) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, Tier) else NotImplemented


_CAPABILITIES = {
    Tier.SANDBOX: frozenset({Capability.READ}),
    Tier.RESTRICTED: frozenset({Capability.READ, Capability.WRITE}),
    Tier.FULL: frozenset(Capability),
}
_ORDER = tuple(_CAPABILITIES)


def granted(needs: Iterable[Capability], tier: Tier) -> frozenset[Capability]:
    """Return what a tool gets at a tier: what it needs *and* what the tier allows."""
    return frozenset(needs) & tier.capabilities


def lowest_tier_allowing(needs: Iterable[Capability]) -> Tier:
    """Return the lowest tier whose capabilities cover all the needs."""
    wanted = frozenset(needs)
    return next(tier for tier in _ORDER if wanted <= tier.capabilities)


def beyond(effects: Iterable[Capability], needs: Iterable[Capability]) -> frozenset[Capability]:
    """Return the effects that a tool's needs do not cover; who may write may also read."""
    declared = frozenset(needs)
    if Capability.WRITE in declared:
        declared |= {Capability.READ}
    return frozenset(effects) - declared
