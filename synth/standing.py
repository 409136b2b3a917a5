"""Which registered version stands where a draft differs from it in words alone.

Models word the same tool differently each time that they are asked. A version has a tier and a
record of its own, so that new words are worth a new version only once: where they take the place
of words that no model wrote, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.policies import Tier
from toolguild.registry import Registry, State, ToolSpec, ToolVersion, UnknownToolError
from toolguild.synth.drafting import Authorship
from toolguild.synth.tool_spec import without_words

__all__ = ["kept_version", "registered", "same_but_for_words", "takes_words"]


def registered(spec: ToolSpec, registry: Registry) -> ToolVersion | None:
    """Return the version that has this very specification; None where none has."""
    try:
        return registry.tool(f"{spec.name}@{spec.digest}")
    except UnknownToolError:
        return None


def same_but_for_words(spec: ToolSpec, registry: Registry) -> list[ToolVersion]:
    """Return the versions of a tool that differ from a specification in words at most."""
    try:
        versions = registry.versions(spec.name)
    except UnknownToolError:
        return []
    bare = without_words(spec)
    return [version for version in versions if without_words(version.spec) == bare]


def takes_words(spec: ToolSpec, registry: Registry) -> bool:
    """Say whether a tool may get words of a model.

    It may where it is not registered in any words, or where no model wrote those that it is
    registered in, and the version that its name points at is active and has not risen.
    """
    same = same_but_for_words(spec, registry)
    if not same:
        return True
    standing = registry.tool(spec.name)
    return (
        not _is_worded(same)
        and standing in same
        and standing.tier is Tier.SANDBOX
        and standing.state is State.ACTIVE
    )


def kept_version(
    spec: ToolSpec, authorship: Authorship | None, registry: Registry
) -> ToolVersion | None:
    """Return the version that stays where a specification would replace its words; None for none.

    Args:
        spec: What would be registered.
        authorship: The model that wrote it, or its words; None where none did.
        registry: Where it would be.
    """
    same = same_but_for_words(spec, registry)
    stays = _is_worded(same) if authorship is None else not takes_words(spec, registry)
    if not stays:
        return None
    standing = registry.tool(spec.name)
    return standing if standing in same else same[-1]


def _is_worded(versions: Sequence[ToolVersion]) -> bool:
    """Say whether a model wrote one of these, or its words."""
    return any("model" in version.provenance for version in versions)
