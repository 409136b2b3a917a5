"""The few scored runs that a model is shown, of all that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.registry.improvement import ScoredRun
from toolguild.sandbox import Json, JsonObject

__all__ = ["ShownRuns", "cut"]

_MOST_FAILED = 6
_MOST_SUCCESSFUL = 3
_MOST_TEXT = 500
"""Characters of each text of a run."""
_MOST_STEPS = 6
_MOST_STEP = 200
"""Characters of a step."""
_VALUES = re.compile(r"\w*\d\w*|\W+")
"""In what errors of one kind differ: numbers, ids and punctuation."""


@dataclass(frozen=True, slots=True)
class ShownRuns:
    """The most telling runs: the newest of each kind of error, and of each kind of task."""

    failed: tuple[ScoredRun, ...]
    successful: tuple[ScoredRun, ...]

    @classmethod
    def of(cls, runs: Sequence[ScoredRun], success: float) -> ShownRuns:
        """Choose among runs.

        Args:
            runs: The oldest first; those without a number are left out, as none can name them.
            success: The score from which a run is a success.
        """
        newest = [run for run in reversed(runs) if run.number]
        failed = [run for run in newest if run.score < success]
        successful = [run for run in newest if run.score >= success]
        errors = [_kind(run.error or run.why) for run in failed]
        tasks = [_kind(run.task) for run in successful]
        return cls(
            _distinct_first(failed, errors, _MOST_FAILED),
            _distinct_first(successful, tasks, _MOST_SUCCESSFUL),
        )

    @property
    def failed_numbers(self) -> frozenset[int]:
        """Of the runs that failed."""
        return frozenset(run.number for run in self.failed)

    @property
    def numbers(self) -> frozenset[int]:
        """Of all."""
        return self.failed_numbers.union(run.number for run in self.successful)

    def to_json(self) -> JsonObject:
        """Return the runs as data for a model."""
        failed: list[Json] = [_told(run) for run in self.failed]
        successful: list[Json] = [_told(run) for run in self.successful]
        return {"failed_runs": failed, "successful_runs": successful}


def cut(text: str, most: int = _MOST_TEXT) -> str:
    """Return the beginning of a text, and a mark where there is more."""
    return text if len(text) <= most else f"{text[:most]} [...]"


def _kind(text: str) -> str:
    return _VALUES.sub(" ", text[:_MOST_TEXT].casefold()).strip()


def _distinct_first(
    runs: Sequence[ScoredRun], kinds: Sequence[str], most: int
) -> tuple[ScoredRun, ...]:
    """Return the first of each kind; where there are too few kinds, others fill the places."""
    first: dict[str, ScoredRun] = {}
    others = [
        run for run, kind in zip(runs, kinds, strict=True) if first.setdefault(kind, run) is not run
    ]
    return (*first.values(), *others)[:most]


def _told(run: ScoredRun) -> JsonObject:
    return {
        "number": run.number,
        "task": cut(run.task),
        "score": run.score,
        "why": cut(run.why),
        "error": cut(run.error),
        "last_steps": [cut(step, _MOST_STEP) for step in run.steps[-_MOST_STEPS:]],
        "result": cut(run.result),
    }
