"""What came of the same tasks under two guidances, and whether the second one is no worse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Self

from toolguild.agent.improvement.attempts import TaskCase
from toolguild.agent.improvement.trials.significance import sign_flip_test
from toolguild.sandbox import JsonObject

__all__ = ["CaseScores", "CategoryMeans", "Comparison"]

_ROUNDING = 1e-9
"""Two means of scores that differ by less are equal: floats that sum up to the same in truth may
differ in their last digits, which are some 1e-16 each."""


@dataclass(frozen=True, slots=True)
class CaseScores:
    """The scores of one case under both guidances, one for each time that it was worked on."""

    case: TaskCase
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CategoryMeans:
    """How well the tasks of one category went."""

    name: str
    """Empty for tasks without one."""
    critical: bool
    cases: int
    before: float
    """Mean score."""
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside what is in effect, on tasks that neither was made from."""

    cases: int
    before: float
    """Mean score of the present guidance."""
    after: float
    """Mean score of the candidate."""
    rate_before: float
    """Share of the runs that succeed with the present guidance."""
    rate_after: float
    categories: tuple[CategoryMeans, ...]
    """By name."""
    p_worse: float
    """One-sided p-value: small where the candidate is worse beyond chance. It is told, and excuses
    nothing."""
    p_different: float
    """Two-sided: small where it is either better or worse beyond chance."""

    @classmethod
    def of(cls, scores: Sequence[CaseScores], success: float) -> Self:
        """Compare.

        Args:
            scores: Of one case at least, each with one score at least under both.
            success: The score from which a run succeeds.
        """
        by_category: dict[str, list[CaseScores]] = {}
        for one in scores:
            by_category.setdefault(one.case.category, []).append(one)
        before, after = _means(scores)
        p_values = sign_flip_test([fmean(one.after) - fmean(one.before) for one in scores])
        return cls(
            cases=len(scores),
            before=before,
            after=after,
            rate_before=_rate((one.before for one in scores), success),
            rate_after=_rate((one.after for one in scores), success),
            categories=tuple(_category(name, by_category[name]) for name in sorted(by_category)),
            p_worse=p_values.lower,
            p_different=p_values.two_sided,
        )

    @property
    def is_no_worse(self) -> bool:
        """Whether neither the mean of all nor that of a critical category is lower."""
        return not self.why

    @property
    def why(self) -> str:
        """What became worse, in a sentence; empty where nothing did that counts."""
        means = [("", self.before, self.after)]
        means += [
            (f" of the critical {_words(one.name)}", one.before, one.after)
            for one in self.categories
            if one.critical
        ]
        worse = [
            f"the mean score{of} fell by {before - after:.2g}, from {before:.4g} to {after:.4g}"
            for of, before, after in means
            if after < before - _ROUNDING
        ]
        tasks = "1 held-out task" if self.cases == 1 else f"{self.cases} held-out tasks"
        return f"on {tasks} {'; '.join(worse)}" if worse else ""

    def evidence(self) -> JsonObject:
        """Return what a change is deployed by; `rate` is what the agent must not fall below."""
        return {
            "rate": self.rate_before,
            "rate_of_candidate": self.rate_after,
            "mean": self.before,
            "mean_of_candidate": self.after,
            "cases": self.cases,
            "categories": [
                {
                    "name": one.name,
                    "critical": one.critical,
                    "cases": one.cases,
                    "mean": one.before,
                    "mean_of_candidate": one.after,
                }
                for one in self.categories
            ],
            "p_worse": self.p_worse,
            "p_different": self.p_different,
        }


def _means(scores: Sequence[CaseScores]) -> tuple[float, float]:
    """Return the mean scores before and after, each case counted alike."""
    return fmean(fmean(one.before) for one in scores), fmean(fmean(one.after) for one in scores)


def _category(name: str, scores: Sequence[CaseScores]) -> CategoryMeans:
    critical = any(one.case.critical for one in scores)
    return CategoryMeans(name, critical, len(scores), *_means(scores))


def _rate(scores: Iterable[Sequence[float]], success: float) -> float:
    return fmean(fmean(score >= success for score in of_case) for of_case in scores)


def _words(category: str) -> str:
    return f"category {category!r}" if category else "tasks without a category"
