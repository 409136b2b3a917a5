"""Decisions as pure functions over plain data; imports nothing else of toolguild.

The rules for code are in `toolguild.policies.code_rules`, to be imported from there: they need
pydantic, and what is handed on here is also imported where programs start in a hurry.
"""

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
