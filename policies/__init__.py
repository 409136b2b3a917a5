"""Decisions as pure functions over plain data; imports nothing else of toolguild.

The lists for code are in `toolguild.policies.code_rules`, to be imported from there: they need
pydantic, and what is handed on here is also imported where programs start in a hurry.
"""

from toolguild.policies.errors import PolicyFileError, ToolguildError
from toolguild.policies.evidence import Evidence
from toolguild.policies.profile import (
    DEFAULT_PROFILE,
    Profile,
    house_profile,
    load_profile,
    shipped_profiles,
)
from toolguild.policies.tiers import Capability, Tier, beyond, granted, lowest_tier_allowing
from toolguild.policies.trust import Trust

__all__ = [
    "DEFAULT_PROFILE",
    "Capability",
    "Evidence",
    "PolicyFileError",
    "Profile",
    "Tier",
    "ToolguildError",
    "Trust",
    "beyond",
    "granted",
    "house_profile",
    "load_profile",
    "lowest_tier_allowing",
    "shipped_profiles",
]
