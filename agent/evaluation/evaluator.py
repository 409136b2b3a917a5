"""What an evaluator is, and several of them together."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Evaluator", "Score", "Weighted"]


@dataclass(frozen=True, slots=True)
class Score:
    """How well a task was done."""

    value: float
    """From 0 to 1."""
    why: str = ""
    """What is missing, in a sentence; empty where nothing is."""

    def __post_init__(self) -> None:
        """Check the range.

        Raises:
            ValueError: it is none from 0 to 1.
        """
        if not 0 <= self.value <= 1:
            msg = f"{self.value} is no score from 0 to 1"
            raise ValueError(msg)


class Evaluator(ABC):
    """Judges results of one task."""

    @abstractmethod
    async def score(self, task: str, result: str) -> Score:
        """Return how well a task was done.

        Args:
            task: What was to be done.
            result: What came of it, as the user got it.
        """


@dataclass(frozen=True)
class Weighted(Evaluator):
    """Several evaluators, each of which counts for its share."""

    parts: Sequence[tuple[float, Evaluator]]
    """With a positive weight each."""

    def __post_init__(self) -> None:
        """Check the weights.

        Raises:
            ValueError: there is none, or one is not positive and finite.
        """
        if not self.parts or not all(0 < weight < math.inf for weight, _ in self.parts):
            msg = "several evaluators together take a positive weight each"
            raise ValueError(msg)

    async def score(self, task: str, result: str) -> Score:
        """Return the weighted mean, and all that is missing."""
        total = sum(weight for weight, _ in self.parts)
        scores = [(weight / total, await part.score(task, result)) for weight, part in self.parts]
        value = math.fsum(share * score.value for share, score in scores)
        why = "; ".join(score.why for _, score in scores if score.why)
        return Score(min(value, 1.0), why)
