"""Which tasks of a suite are held out; nothing is to be learned from those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.agent.improvement.suites.files import SuiteError
from toolguild.agent.improvement.suites.forms import CaseForm
from toolguild.registry.canonical import text_digest

__all__ = ["Listed", "held_out"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A task, and what its suite says of where it belongs."""

    place: str
    """For messages."""
    form: CaseForm
    held_out: bool | None
    """None where the suite does not say."""


def held_out(tasks: Sequence[Listed]) -> list[bool]:
    """Return for each task whether it is held out.

    Where the suite says it of any task, the others are there for practice. Where it does not, of
    each category that half whose ids have the lower digests is held out, and the odd task with it.

    Raises:
        SuiteError: two tasks have one id, or the same task is held out and practised.
    """
    _require_own_ids(tasks)
    if any(one.held_out is not None for one in tasks):
        held = [one.held_out is True for one in tasks]
    else:
        chosen = _chosen(tasks)
        held = [one.form.id in chosen for one in tasks]
    _require_no_leak(tasks, held)
    return held


def _chosen(tasks: Sequence[Listed]) -> frozenset[str]:
    by_category: dict[str, list[str]] = {}
    for one in tasks:
        by_category.setdefault(one.form.category, []).append(one.form.id)
    return frozenset(
        chosen
        for ids in by_category.values()
        for chosen in sorted(ids, key=text_digest)[: (len(ids) + 1) // 2]
    )


def _require_own_ids(tasks: Sequence[Listed]) -> None:
    places: dict[str, str] = {}
    for one in tasks:
        first = places.setdefault(one.form.id, one.place)
        if first != one.place:
            msg = f"{one.place}: id: {one.form.id!r} is that of {first}, too; give each its own"
            raise SuiteError(msg)


def _require_no_leak(tasks: Sequence[Listed], held: Sequence[bool]) -> None:
    sides: dict[str, tuple[str, bool]] = {}
    for one, is_held in zip(tasks, held, strict=True):
        # As little as white space and case makes no other task.
        bare = " ".join(one.form.task.casefold().split())
        place, side = sides.setdefault(bare, (one.place, is_held))
        if side is not is_held:
            msg = (
                f"{one.place}: task: is the one of {place}, and only one of them is held out, so"
                " that it could be learned by heart; say of both whether they are held_out"
            )
            raise SuiteError(msg)
