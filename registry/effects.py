"""What tools outside the registry do to the world, and which tier may call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from toolguild.policies import Capability, Tier, lowest_tier_allowing
from toolguild.registry.model import ToolVersion
from toolguild.sandbox import Json, JsonObject

__all__ = ["Effect", "ExternalTool", "Refusal", "effects_of", "process_tier", "standing"]

Effect: TypeAlias = Literal["read", "write", "network", "unknown"]


@dataclass(frozen=True, slots=True)
class ExternalTool:
    """One of the caller's own tools, which composites may call where their tier allows it."""

    function: Callable[..., Json]
    """Called on the host with the arguments as keywords. A text that it returns is decoded where
    it is JSON, because that is how real tools answer models."""
    effect: Effect = "unknown"
    description: str = ""
    parameters: JsonObject = field(default_factory=dict)
    """JSON Schema of the arguments object; the empty one takes any arguments."""
    same_thread: bool = False
    """Whether to call the function in the thread that called the toolbox, as those must be that
    use objects bound to a thread, such as connections of `sqlite3`. Otherwise it is called in a
    thread of its own, and given up on when the time of the call is over; here nothing can."""
    categories: tuple[str, ...] = ()
    """What it is for, in a word each, for those who choose among many tools."""

    @property
    def capability(self) -> Capability:
        """What a composite must be allowed to do to call it; unknown counts as write."""
        return Capability.WRITE if self.effect == "unknown" else Capability(self.effect)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An effect that a run was not allowed to have."""

    effect: Capability
    tool: str = ""
    """The called tool that would have had it; empty where it was the run's own code."""


def standing(version: ToolVersion, find: Callable[[str], ToolVersion | None]) -> Tier:
    """Return the tier that a version is trusted with: its own, or a lower one of a tool inside.

    Args:
        version: A version, composite or not.
        find: Gives the registered version that a name in `calls` means, and None for other names.
    """
    seen: set[str] = set()
    pending, lowest = [version], version.tier
    while pending:
        current = pending.pop()
        lowest = min(lowest, current.tier)
        inner = [find(name) for name in current.spec.calls if name not in seen]
        seen.update(current.spec.calls)
        pending += [tool for tool in inner if tool is not None]
    return lowest


def effects_of(
    version: ToolVersion,
    find: Callable[[str], ToolVersion | None],
    external: Mapping[str, ExternalTool],
) -> frozenset[Capability] | None:
    """Return what a version may do to the world, with all that it calls; None if a part is missing.

    Args:
        version: A version, composite or not.
        find: Gives the registered version that a name in `calls` means, and None for other names.
        external: The caller's own tools.
    """
    found = set(version.spec.needs)
    seen: set[str] = set()
    pending = [*version.spec.calls]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in external:
            found.add(external[name].capability)
        elif (part := find(name)) is not None:
            found |= part.spec.needs
            pending += part.spec.calls
        else:
            return None
    return frozenset(found)


def process_tier(version: ToolVersion, trusted: Tier) -> Tier:
    """Return the tier to run a version's own code at: no higher than it needs, nor is trusted."""
    return min(trusted, lowest_tier_allowing(version.spec.needs))
