"""What chance alone would explain: exact counts of the ways in which rows could have been chosen.

A comparison separates some choice of rows in nearly every list, so that it fits proves little. What
counts is how seldom it would fit if the agents had chosen otherwise. Logarithms throughout: there
are many ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, log

from toolguild.synth.mining.chosen_rows import Choice

__all__ = ["is_arbitrary", "is_one_bound_by_accident"]

_MAX_CHANCE_OF_CHOICES = 0.01
_MAX_CHANCE_OF_BOUND = 0.05


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
