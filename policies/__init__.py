"""Decisions as pure functions over plain data; imports nothing else of toolguild."""

from toolguild.policies.errors import PolicyFileError, ToolguildError
from toolguild.policies.tiers import Capability, Tier, granted, lowest_tier_allowing

__all__ = [
    "Capability",
    "PolicyFileError",
    "Tier",
    "ToolguildError",
    "granted",
    "lowest_tier_allowing",
]
