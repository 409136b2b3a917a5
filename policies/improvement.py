"""How far an agent may change itself, as one frozen value: the table `[improvement]` of a profile.

Nothing here needs pydantic at import, for the reason that `profile` gives.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ImprovementRules"]

_SHARES = ("success", "example", "similarity")
_COUNTS = (
    "clauses",
    "lessons",
    "lessons_shown",
    "lesson_trial",
    "examples",
    "examples_shown",
    "example_days",
    "changes_a_cycle",
    "changes_a_day",
    "runs_between_false_alarms",
)


@dataclass(frozen=True, slots=True)
class ImprovementRules:
    """What separates good runs from bad ones, and how much may be changed because of them."""

    success: float
    """Score from which a run counts as a success."""
    example: float
    """Score from which a run may become an example."""
    similarity: float
    """Of the instructions with the original ones; below it a person has to decide."""
    clauses: int
    """Clauses of the instructions that one change may add, drop or rewrite."""
    lessons: int
    """Lessons, beyond which they are consolidated."""
    lessons_shown: int
    """Lessons that a run is told, at most."""
    lesson_trial: int
    """Runs that a lesson is told before its use is judged."""
    examples: int
    """Examples that are kept, at most."""
    examples_shown: int
    """Examples that a run is shown, at most."""
    example_days: int
    """Days after which an example is stale."""
    changes_a_cycle: int
    changes_a_day: int
    """In any 24 hours, of one agent."""
    runs_between_false_alarms: int
    """Of an agent that is as good as before a change, on average at least."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is out of its range; the message starts with its name.
        """
        for name in _SHARES:
            if not 0 < getattr(self, name) <= 1:
                msg = f"{name}: {getattr(self, name)} is no share above 0, up to 1"
                raise ValueError(msg)
        for name in _COUNTS:
            if getattr(self, name) < 0:
                msg = f"{name}: {getattr(self, name)} is below 0"
                raise ValueError(msg)
        if self.runs_between_false_alarms < 1:
            msg = f"runs_between_false_alarms: {self.runs_between_false_alarms} is below 1"
            raise ValueError(msg)
