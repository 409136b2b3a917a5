"""Which registered version stands where a draft differs from it in words alone.

Models word the same tool differently each time that they are asked. A version has a tier and a
record of its own, so that new words are worth a new version only once: where they take the place
of words that no model wrote, and nothing is lost.
"""

from __future__ import annotations

from toolguild.policies import Tier
from toolguild.registry import Registry, State, ToolSpec, ToolVersion, UnknownToolError
from toolguild.synth.drafting import Authorship
from toolguild.synth.tool_spec import without_words

__all__ = ["kept_version", "same_but_for_words"]


def same_but_for_words(spec: ToolSpec, registry: Registry) -> list[ToolVersion]:
    """Return the versions of a tool that differ from a specification in words at most."""
    try:
        versions = registry.versions(spec.name)
    except UnknownToolError:
        return []
    bare = without_words(spec)
    return [version for version in versions if without_words(version.spec) == bare]


def kept_version(
    spec: ToolSpec, authorship: Authorship | None, registry: Registry
) -> ToolVersion | None:
    """Return the version that stays where a specification would replace its words; None for none.

    A model's words stay, whoever would replace them. Words that no model wrote give way to a
    model's in the version that the tool's name points at, while it is active and has not risen.

    Args:
        spec: What would be registered.
        authorship: The model that wrote it, or its words; None where none did.
        registry: Where it would be.
    """
    same = same_but_for_words(spec, registry)
    if not same:
        return None
    standing = registry.tool(spec.name)
    is_worded = any("model" in version.provenance for version in same)
    if not is_worded and (authorship is None or _may_give_way(standing, same)):
        return None
    return standing if standing in same else same[-1]


def _may_give_way(standing: ToolVersion, same: list[ToolVersion]) -> bool:
    return standing in same and standing.tier is Tier.SANDBOX and standing.state is State.ACTIVE
