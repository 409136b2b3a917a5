"""Lessons that an agent was told once and is not told any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from toolguild.agent.improvement.artefacts import Lesson
from toolguild.registry.improvement import ArtefactKind, Change, Standing
from toolguild.registry.improvement.history import with_effect

__all__ = ["PastLesson", "past_lessons", "runs_learned_from"]


@dataclass(frozen=True, slots=True)
class PastLesson:
    """A lesson that was undone, or removed."""

    lesson: Lesson
    gone: datetime


def past_lessons(changes: Sequence[Change], standing: Standing) -> list[PastLesson]:
    """Return the lessons that an agent is not told any more.

    Args:
        changes: The agent's, the oldest first, whether they hold or not.
        standing: What they come to.
    """
    lessons: dict[str, Lesson] = {}
    gone: dict[str, datetime] = {}
    spoke_of: dict[int, set[str]] = {}
    for change in with_effect(changes):
        for artefact in change.new.adds:
            if artefact.kind is ArtefactKind.LESSON:
                lessons[artefact.digest] = Lesson.of(artefact)
        spoke_of[change.number] = {one.digest for one in change.new.adds} | {*change.new.removes}
        ended = {*change.new.removes}.union(*(spoke_of.get(one, ()) for one in change.undoes))
        gone.update(dict.fromkeys(ended, change.at))
    present = standing.artefacts
    return [
        PastLesson(lesson, gone[digest])
        for digest, lesson in lessons.items()
        if digest not in present and digest in gone
    ]


def runs_learned_from(changes: Sequence[Change]) -> dict[str, frozenset[int]]:
    """Return the numbers of the runs that each lesson was made of, by the lesson's digest.

    Those of a lesson that stands for others are theirs.

    Args:
        changes: The agent's, the oldest first, whether they hold or not.
    """
    learned_from: dict[str, frozenset[int]] = {}
    for change in with_effect(changes):
        for artefact in change.new.adds:
            if artefact.kind is ArtefactKind.LESSON:
                merged = (learned_from.get(one, ()) for one in Lesson.of(artefact).merges)
                learned_from[artefact.digest] = frozenset(change.new.runs).union(*merged)
    return learned_from
