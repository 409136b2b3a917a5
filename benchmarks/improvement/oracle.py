"""What an agent is to be told, and which tools are to be in use, worked out anew.

Not by the code that is under test: from the bare list of changes, each rule written out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from toolguild.registry import Registry, State
from toolguild.registry.improvement import ArtefactKind, Change, ChangeKind

__all__ = ["Situation", "caused_by", "present", "without"]

_MAKES = frozenset(
    {ChangeKind.INSTRUCTIONS, ChangeKind.LESSONS, ChangeKind.EXAMPLES, ChangeKind.TOOLS}
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What makes a difference to an agent."""

    told: tuple[str, ...]
    """Digests, by kind and age."""
    tools: frozenset[tuple[str, str]]
    """What each name means that is in use: name and digest."""


def present(registry: Registry, agent: str) -> Situation:
    """Return what the registry says."""
    standing = registry.improvements.standing(agent)
    instructions = [standing.instructions] if standing.instructions else []
    told = [one.digest for one in (*instructions, *standing.lessons, *standing.examples)]
    tools = registry.tools(state=State.ACTIVE)
    return Situation(tuple(told), frozenset((one.spec.name, one.digest) for one in tools))


def caused_by(changes: Sequence[Change], number: int) -> set[int]:
    """Return a change and those that rest on it: that remove, replace or retire what it brought."""
    found = {number}
    brought: dict[str, int] = {}
    instructions: int | None = None
    for change in _making(changes):
        new = change.new
        rests_on = {brought[one] for one in (*new.removes, *new.retires) if one in brought}
        replaces = any(one.kind is ArtefactKind.INSTRUCTIONS for one in new.adds)
        if replaces and instructions is not None:
            rests_on.add(instructions)
        if rests_on & found:
            found.add(change.number)
        brought |= dict.fromkeys((*(one.digest for one in new.adds), *new.brings), change.number)
        instructions = change.number if replaces else instructions
    return found


def without(registry: Registry, changes: Sequence[Change], dropped: Collection[int]) -> Situation:
    """Return what there is to be where some changes were never made."""
    kept = [change for change in _making(changes) if change.number not in dropped]
    return Situation(_told(kept), _tools(registry, changes, kept))


def _making(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.new.kind in _MAKES]


def _told(kept: Iterable[Change]) -> tuple[str, ...]:
    told: list[tuple[str, str]] = []
    for change in kept:
        told = [one for one in told if one[1] not in change.new.removes]
        for artefact in change.new.adds:
            if artefact.kind is ArtefactKind.INSTRUCTIONS:
                told = [one for one in told if one[0] != ArtefactKind.INSTRUCTIONS]
            if (artefact.kind, artefact.digest) not in told:
                # It may have been removed between two that add it, by a change that is dropped.
                told.append((artefact.kind, artefact.digest))
    order = [ArtefactKind.INSTRUCTIONS, ArtefactKind.LESSON, ArtefactKind.EXAMPLE]
    return tuple(digest for kind in order for of, digest in told if of == kind)


def _tools(
    registry: Registry, changes: Iterable[Change], kept: Iterable[Change]
) -> frozenset[tuple[str, str]]:
    in_use: dict[str, bool] = {}
    for change in _making(changes):
        in_use |= dict.fromkeys(change.new.brings, False)
    for change in kept:
        in_use |= dict.fromkeys(change.new.brings, True) | dict.fromkeys(change.new.retires, False)
    meant: dict[str, str] = {}
    for name in {one.spec.name for one in registry.tools()}:
        for version in registry.versions(name):
            # The newest of those in use; what no change speaks of is as it was.
            if in_use.get(version.digest, version.state is State.ACTIVE):
                meant[name] = version.digest
    return frozenset(meant.items())
