"""What follows from an agent's changes: which of them hold, what stands, and what caused what.

Everything is a function of the list of changes, so that undoing is one more change in it: what
stands is what the changes come to that nobody has undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolguild.registry.improvement.model import (
    Artefact,
    ArtefactKind,
    Change,
    ChangeKind,
    NewChange,
    ScoredRun,
    Standing,
)

__all__ = [
    "causes_of",
    "consequences",
    "effective",
    "last_with_effect",
    "standing_of",
    "tools_in_use",
    "with_change",
    "with_effect",
]

_WITHOUT_EFFECT = frozenset({ChangeKind.ALERT, ChangeKind.REFUSED, ChangeKind.CYCLE})


def effective(changes: Sequence[Change]) -> list[Change]:
    """Return the changes that hold, in their order.

    One holds that none undoes which holds itself, and whose causes hold, too: where two are undone
    of which one rests on the other, neither comes back alone.
    """
    undone: set[int] = set()
    for change in reversed(changes):
        if change.number not in undone:
            undone.update(change.undoes)
    held: dict[int, Change] = {}
    for change in changes:
        if change.number not in undone and all(cause in held for cause in change.causes):
            held[change.number] = change
    return [*held.values()]


def with_effect(changes: Iterable[Change]) -> list[Change]:
    """Return the changes by which something is different, or was before they were undone."""
    return [change for change in changes if change.new.kind not in _WITHOUT_EFFECT]


def last_with_effect(changes: Sequence[Change]) -> int:
    """Return the number of the newest change that made a difference; 0 where there is none."""
    return max((change.number for change in with_effect(changes)), default=0)


def standing_of(changes: Sequence[Change]) -> Standing:
    """Return what an agent is told after its changes, the oldest of which comes first."""
    present: dict[str, Artefact] = {}
    original: Artefact | None = None
    alerts: dict[int, None] = {}
    for change in effective(changes):
        if change.new.kind is ChangeKind.ALERT:
            alerts[change.number] = None
        if change.new.kind in _WITHOUT_EFFECT:
            continue
        if change.decides is not None:
            alerts.pop(change.decides, None)
        original = original or _first_instructions(change.new)
        _make(change.new, present)
    return _standing(original, present, tuple(alerts))


def with_change(standing: Standing, new: NewChange) -> Standing:
    """Return what an agent would be told if a change were made.

    An alert makes no difference to that, and has no number yet that it could be listed by.
    """
    if new.kind in _WITHOUT_EFFECT:
        return standing
    present = standing.artefacts
    _make(new, present)
    original = standing.original or _first_instructions(new)
    return _standing(original, present, standing.open_alerts)


def tools_in_use(changes: Sequence[Change]) -> dict[str, bool]:
    """Return whether the tools' versions that changes brought or retired are to be in use."""
    wanted: dict[str, bool] = {}
    told = with_effect(changes)
    for change in told:
        # A version that no change speaks of any more is as it was before the first one that did.
        wanted = {
            **dict.fromkeys(change.new.retires, True),
            **dict.fromkeys(change.new.brings, False),
            **wanted,
        }
    for change in effective(told):
        wanted.update(dict.fromkeys(change.new.brings, True))
        wanted.update(dict.fromkeys(change.new.retires, False))
    return wanted


def causes_of(
    changes: Sequence[Change],
    *,
    rests_on: Iterable[str] = (),
    replaces_instructions: bool = False,
    runs: Iterable[ScoredRun] = (),
) -> tuple[int, ...]:
    """Return the changes that a new one rests on.

    These are the ones that brought what it removes, replaces or calls, and what the runs that it
    was made of were told or called.

    Args:
        changes: Those before it, the oldest first.
        rests_on: Digests of what it removes, retires or calls: artefacts and versions of tools.
        replaces_instructions: Whether it brings other instructions.
        runs: The runs that it was made of.
    """
    wanted = set(rests_on)
    for run in runs:
        wanted.update(run.shown, run.tools)
    present = standing_of(changes).instructions
    if replaces_instructions and present is not None:
        wanted.add(present.digest)
    brought = _brought_by(changes)
    return tuple(sorted({brought[digest] for digest in wanted if digest in brought}))


def consequences(changes: Sequence[Change], number: int) -> tuple[int, ...]:
    """Return a change and all that it caused, as far as they hold, the oldest first."""
    found = {number}
    for change in changes:
        if found.intersection(change.causes) or change.decides in found:
            found.add(change.number)
    holding = {change.number for change in effective(changes)}
    return tuple(sorted(found & holding))


def _brought_by(changes: Sequence[Change]) -> dict[str, int]:
    """Return the newest change in effect that brought each artefact and version of a tool."""
    return {
        digest: change.number
        for change in with_effect(effective(changes))
        for digest in (*(one.digest for one in change.new.adds), *change.new.brings)
    }


def _make(new: NewChange, present: dict[str, Artefact]) -> None:
    """Make a change to what is present."""
    for digest in new.removes:
        present.pop(digest, None)
    for artefact in new.adds:
        if artefact.kind is ArtefactKind.INSTRUCTIONS:
            _drop_instructions(present)
        present[artefact.digest] = artefact


def _drop_instructions(present: dict[str, Artefact]) -> None:
    for digest in [key for key, one in present.items() if one.kind is ArtefactKind.INSTRUCTIONS]:
        del present[digest]


def _first_instructions(new: NewChange) -> Artefact | None:
    return next((one for one in new.adds if one.kind is ArtefactKind.INSTRUCTIONS), None)


def _standing(
    original: Artefact | None, present: dict[str, Artefact], alerts: tuple[int, ...]
) -> Standing:
    instructions = _of_kind(present, ArtefactKind.INSTRUCTIONS)
    return Standing(
        original=original,
        instructions=instructions[0] if instructions else None,
        lessons=_of_kind(present, ArtefactKind.LESSON),
        examples=_of_kind(present, ArtefactKind.EXAMPLE),
        open_alerts=alerts,
    )


def _of_kind(present: dict[str, Artefact], kind: ArtefactKind) -> tuple[Artefact, ...]:
    return tuple(one for one in present.values() if one.kind is kind)
