"""The rules that are compared: ours by the shipped profiles, and others.

All see the same uses, one after another, and are asked after each. A rule names the tier that the
tool stands at from then on; it keeps its own state of one life.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache, partial

from toolguild.policies import Tier, load_profile
from toolguild.policies.decline import Decline
from toolguild.policies.promotion import next_tier, uses_missing

__all__ = ["RULES", "FiveInARow", "Life", "OurRule", "Wilson", "Zeph"]

_Z = 1.6448536269514722
"""Of a one-sided bound at 95 %."""
_BARS = {Tier.RESTRICTED: 0.95, Tier.FULL: 0.99}


class Life(ABC):
    """One tool under one rule."""

    tier = Tier.SANDBOX
    quarantined = False

    def __init__(self) -> None:
        """Begin at the lowest tier, unused."""
        self.uses = 0
        self.changes: list[tuple[int, Tier | None]] = []
        """After which use it came to which tier; None for quarantine."""

    @abstractmethod
    def see(self, *, success: bool) -> None:
        """Take one use, and promote or demote as the rule says."""

    def see_successes(self, count: int) -> None:
        """Take so many successes, one after another."""
        for _ in range(count):
            self.see(success=True)

    def move(self, tier: Tier | None) -> None:
        """Note a change."""
        self.tier, self.quarantined = tier or Tier.SANDBOX, tier is None
        self.changes.append((self.uses, tier))


def _below(tier: Tier) -> Tier | None:
    """Return the tier below; None for the lowest."""
    return next((one for one in Tier if one.rank == tier.rank - 1), None)


@lru_cache(maxsize=4096)
def _uses_for(profile: str, tier: Tier, failures: int) -> float:
    """Return how many clean uses a record with so many failures needs for a tier.

    More of them never close the gates again, so that this alone decides, use by use.
    """
    trust = load_profile(profile).trust
    missing = uses_missing(0, failures, trust.asked(tier), trust.alpha)
    return math.inf if missing is None else missing


class OurRule(Life):
    """A shipped profile, at its most lenient: approved at once, no age or cooldown to wait for."""

    def __init__(self, profile: str) -> None:
        """Begin a life."""
        super().__init__()
        self._profile = profile
        self._trust = load_profile(profile).trust
        self._begin_record()

    def _begin_record(self) -> None:
        self._successes = self._failures = 0
        self._watched = [
            (tier, Decline(self._trust.asked(tier).keep))
            for tier in reversed(Tier)
            if tier <= self.tier
        ]
        self._lost: set[Tier] = set()

    def _rise(self, tier: Tier) -> None:
        self.move(tier)
        self._begin_record()

    def _fall(self) -> None:
        """Fall to where the uses do not speak against it, which they go on to do there."""
        self._watched = [
            (tier, watched) for tier, watched in self._watched if tier not in self._lost
        ]
        self.move(self._watched[0][0] if self._watched else None)
        self._successes = self._failures = 0

    def see(self, *, success: bool) -> None:
        """Take one use; see `Life`."""
        if success:
            self.see_successes(1)
            return
        self.uses += 1
        self._failures += 1
        for tier, decline in self._watched:
            if decline.see(success=False) > self._trust.uses_between_false_alarms:
                self._lost.add(tier)
        if self.tier in self._lost:
            self._fall()

    def see_successes(self, count: int) -> None:
        """Take so many successes; see `Life`."""
        while count and not self.quarantined:
            above = next_tier(self.tier)
            missing = math.inf
            if above:
                missing = _uses_for(self._profile, above, self._failures) - self._successes
            # One that closed a gate by failing has to be seen once more before it is promoted.
            taken = int(min(count, max(1, missing)))
            count -= taken
            self.uses += taken
            self._successes += taken
            for _, decline in self._watched:
                decline.see_successes(taken)
            if above and taken >= missing:
                self._rise(above)


class Zeph(Life):
    """Full trust where a posterior mean exceeds 0.95 after 50 uses; taken back below 0.40.

    A uniform prior, all uses since the beginning; there is one step, from no trust to all of it.
    """

    def __init__(self) -> None:
        """Begin a life."""
        super().__init__()
        self._successes = 0

    def see(self, *, success: bool) -> None:
        """Take one use; see `Life`."""
        self.uses += 1
        self._successes += success
        mean = (self._successes + 1) / (self.uses + 2)
        if self.uses < 50:
            return
        if self.tier is Tier.SANDBOX and mean > 0.95:
            self.move(Tier.FULL)
        elif self.tier is Tier.FULL and mean < 0.40:
            self.move(Tier.SANDBOX)


class Wilson(Life):
    """Wilson's bounds at 95 % (1927), as if each look were the only one.

    Promoted where the lower one reaches the tier's bar, demoted where the upper one falls below
    it; each over the uses at the present tier, at least 20 of them.
    """

    def __init__(self) -> None:
        """Begin a life."""
        super().__init__()
        self._successes = self._at_tier = 0

    def _enter(self, tier: Tier) -> None:
        self.move(tier)
        self._successes = self._at_tier = 0

    def see(self, *, success: bool) -> None:
        """Take one use; see `Life`."""
        self.uses += 1
        self._successes += success
        self._at_tier += 1
        if self._at_tier < 20:
            return
        low, high = _wilson(self._successes, self._at_tier)
        above, under = next_tier(self.tier), _below(self.tier)
        if above and low >= _BARS[above]:
            self._enter(above)
        elif under and high < _BARS[self.tier]:
            self._enter(under)


def _wilson(successes: int, uses: int) -> tuple[float, float]:
    rate, square = successes / uses, _Z * _Z
    middle = rate + square / (2 * uses)
    reach = _Z * math.sqrt(rate * (1 - rate) / uses + square / (4 * uses * uses))
    return (middle - reach) / (1 + square / uses), (middle + reach) / (1 + square / uses)


class FiveInARow(Life):
    """A tier up after five successes in a row, a tier down after five failures in a row."""

    def __init__(self) -> None:
        """Begin a life."""
        super().__init__()
        self._row = 0

    def see(self, *, success: bool) -> None:
        """Take one use; see `Life`."""
        self.uses += 1
        same = (self._row > 0) == success
        self._row = (self._row if same else 0) + (1 if success else -1)
        if abs(self._row) < 5:
            return
        tier = next_tier(self.tier) if success else _below(self.tier)
        self._row = 0
        if tier:
            self.move(tier)


RULES: dict[str, Callable[[], Life]] = {
    "simple": partial(OurRule, "simple"),
    "balanced": partial(OurRule, "balanced"),
    "strict": partial(OurRule, "strict"),
    "Zeph's rule": Zeph,
    "Wilson": Wilson,
    "five in a row": FiveInARow,
}
"""Each begins a life."""
