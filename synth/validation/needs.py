"""What a tool must be able to do, as far as its text shows it."""

from __future__ import annotations

from toolguild.policies import Capability, Profile
from toolguild.synth.drafting import Draft
from toolguild.synth.validation.static import SourceError, infer_effects

__all__ = ["inferred_needs", "needs_or_none", "original_needs"]


def inferred_needs(source: str, profile: Profile | None = None) -> frozenset[Capability]:
    """Return the capabilities that a tool text uses: what a run of it is to be given.

    Args:
        source: The text.
        profile: Says which modules and functions need what; the shipped one unless given.

    Raises:
        SourceError: the text is no Python, or too big.
    """
    return frozenset(use.capability for use in infer_effects(source, profile=profile))


def needs_or_none(source: str, profile: Profile | None = None) -> frozenset[Capability]:
    """Return the same, and no capability for what is no Python: the static gate will say so."""
    try:
        return inferred_needs(source, profile)
    except SourceError:
        return frozenset()


def original_needs(draft: Draft, profile: Profile | None = None) -> frozenset[Capability]:
    """Return what the code needs that a draft replaces; calls of other tools need nothing of it."""
    needs = (needs_or_none(text, profile) for text in draft.replaced_code)
    return frozenset(capability for one in needs for capability in one)
