"""Scored runs of an agent, and lessons, as improvement reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from toolguild.agent.improvement.artefacts import Lesson
from toolguild.registry.improvement import ScoredRun, Standing

AGENT = "desk"
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)


def scored(
    number: int, *, score: float = 0.0, task: str = "Refund an order.", **rest: Any
) -> ScoredRun:
    """Return a run: a failed one unless it is given a score, an hour after the one before."""
    at = BEGINNING + timedelta(hours=number)
    return ScoredRun(AGENT, f"run-{number}", task, score, at, number=number, **rest)


def lesson(text: str, **rest: Any) -> Lesson:
    return Lesson(lesson=text, **{"task": "Refund an order.", "error": "", **rest})


def told(lessons: Sequence[Lesson]) -> Standing:
    """Return what an agent is told that is told these lessons alone."""
    return Standing(lessons=tuple(one.artefact for one in lessons))
