"""Decisions as pure functions over plain data; imports nothing else of toolguild."""

from toolguild.policies.code_rules import CodeProfile, code_profile_names, load_code_profile
from toolguild.policies.errors import PolicyFileError, ToolguildError
from toolguild.policies.tiers import Capability, Tier, granted, lowest_tier_allowing

__all__ = [
    "Capability",
    "CodeProfile",
    "PolicyFileError",
    "Tier",
    "ToolguildError",
    "code_profile_names",
    "granted",
    "load_code_profile",
    "lowest_tier_allowing",
]
