"""What places tell of an explanation of chosen rows, and what chance alone would explain.

Some key or comparison separates the chosen rows in nearly every list, so that one fits proves
little. What counts is how seldom it would fit if the agents had chosen otherwise: exact counts of
the ways in which rows could have been chosen. Logarithms throughout: there are many ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, log

from toolguild.synth.mining.chosen_rows import Choice, ChoicePlace
from toolguild.synth.mining.windows import Window

__all__ = ["Evidence", "is_arbitrary", "is_one_bound_by_accident"]

_MAX_CHANCE_OF_CHOICES = 0.01
_MAX_CHANCE_OF_BOUND = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an explanation does for the tasks, and not for the places: those of one are alike.

    A task is explained if most of its places are: that one of two is would be likelier by chance.
    """

    share: float
    """The share of all tasks that it explains."""
    choices: Sequence[Choice]
    """One for each task in which rows were left out, the one with the fewest ways."""
    explained_choices: Sequence[Choice]
    """The same for those that are explained."""
    windows: Sequence[Window]
    """Where rows were left out and it says which."""

    @classmethod
    def of(cls, fits: Sequence[bool], places: Sequence[ChoicePlace]) -> Evidence:
        """Return what some places tell of an explanation.

        Args:
            fits: For each place, whether it tells the rows that were chosen there.
            places: Places where rows of one list were chosen, one or more.
        """
        of_task: defaultdict[str, list[tuple[ChoicePlace, bool]]] = defaultdict(list)
        for place, fit in zip(places, fits, strict=True):
            of_task[place.task].append((place, fit))
        telling = [
            [(place, fit) for place, fit in task if place.is_telling]
            for task in of_task.values()
            if any(place.is_telling for place, _ in task)
        ]
        return cls(
            share=sum(map(_is_explained, of_task.values())) / len(of_task),
            choices=[_easiest(task) for task in telling],
            explained_choices=[_easiest(task) for task in telling if _is_explained(task)],
            windows=[place.window for task in telling for place, fit in task if fit],
        )

    @property
    def explained(self) -> int:
        """How many tasks in which rows were left out are explained."""
        return len(self.explained_choices)


def _is_explained(task: Sequence[tuple[ChoicePlace, bool]]) -> bool:
    return 2 * [fit for _, fit in task].count(True) > len(task)


def _easiest(task: Sequence[tuple[ChoicePlace, bool]]) -> Choice:
    return min([place.choice for place, _ in task], key=lambda choice: choice.ways)


def is_arbitrary(choices: Sequence[Choice], explained: int, explanations: int) -> bool:
    """Say whether choices at random would be explained as well in more than 1 % of cases.

    A random choice is the one that an explanation tells with one chance in all ways to choose as
    many rows. That so many of the choices are explained has at most the chance that the easiest of
    them are, for each selection of so many, and for each explanation that was tried.

    Args:
        choices: One for each task.
        explained: How many of them are explained.
        explanations: How many explanations were tried.
    """
    easiest = sorted(choice.ways for choice in choices)[:explained]
    chance = log(explanations) + log(comb(len(choices), explained)) - sum(easiest)
    return chance > log(_MAX_CHANCE_OF_CHOICES)


def is_one_bound_by_accident(choices: Sequence[Choice], of: int) -> bool:
    """Say whether one bound would fit by accident in more than 5 % of cases.

    Who always takes the cheapest one goes by no bound, but one may fit. If prices are drawn from
    the same lot in every task, all ways to deal out the chosen ones among the tasks' prices, from
    the least up, are equally likely; in as many of them as there are ways to choose within the
    tasks, each task's own are all below those that any task left out.

    Args:
        choices: One for each task in which the bound fits.
        of: How many tasks there are.
    """
    rows = sum(choice.rows for choice in choices)
    chosen = sum(choice.chosen for choice in choices)
    within = sum(choice.ways for choice in choices)
    chance = log(comb(of, len(choices))) + within - log(comb(rows, chosen))
    return chance > log(_MAX_CHANCE_OF_BOUND)
