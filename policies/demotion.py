"""Which tier a version may keep. Nothing stands before a demotion: its uses alone decide."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.policies.decline import has_declined
from toolguild.policies.tiers import Tier
from toolguild.policies.trust import Trust

__all__ = ["tier_kept"]


def tier_kept(tier: Tier, uses: Sequence[bool], trust: Trust) -> Tier | None:
    """Return the highest tier, up to the present one, that its uses do not speak against.

    Args:
        tier: Where it stands.
        uses: Its distinct live uses since it was promoted, the oldest first; True for a success.
        trust: What tiers ask for.

    Returns:
        The tier; None where it is to be quarantined.
    """
    below = (one for one in reversed(Tier) if one <= tier)
    threshold = trust.uses_between_false_alarms
    return next(
        (one for one in below if not has_declined(uses, trust.asked(one).keep, threshold)), None
    )
