"""How surprising the differences between two sets of scores would be, were there none in truth.

The paired sign-flip permutation test (Fisher, "The Design of Experiments", 1935, section 21): if
neither of two is better, each pair's difference is as likely to be `-d` as `d`. The p-value is the
share of all assignments of signs of which the sum is at least as extreme as the one observed.

The distribution of that sum is built up difference by difference, equal sums counted together, so
that many pairs of scores that are 0 or 1 are still counted exactly. Where there are too many
different sums, signs are drawn from a seed, and the p-value is `(hits + 1) / (draws + 1)`, which is
never zero (Phipson & Smyth, "Permutation P-values should never be zero", Stat. Appl. Genet. Mol.
Biol. 9(1), 2010).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

__all__ = ["PValues", "sign_flip_test"]

_UNITS = 10**9
"""Of one score: sums of whole numbers tie exactly, where those of floats are off by their last
digits."""
_MOST_STEPS = 500_000
"""Sums that are updated for an exact count, altogether."""
_DRAWS = 9_999
_SEED = 0


@dataclass(frozen=True, slots=True)
class PValues:
    """Each above 0, at most 1."""

    lower: float
    """Of a sum that is as low or lower: small where the differences are truly negative."""
    two_sided: float
    """Of a sum that is as far from zero or farther, on either side."""


def sign_flip_test(differences: Sequence[float]) -> PValues:
    """Return how often signs that are chance give sums as extreme as these differences'.

    Args:
        differences: One for each pair, after less before, from -1 to 1, counted to nine digits.
    """
    units = [round(difference * _UNITS) for difference in differences]
    # A pair without a difference is in every sum alike. Sorted, so that the order of the pairs
    # makes none to what is drawn.
    sizes = sorted(abs(unit) for unit in units if unit)
    observed = sum(units)
    sums = _all_sums(sizes)
    if sums is None:
        return _drawn(sizes, observed)
    total = 2 ** len(sizes)
    lower = sum(count for value, count in sums.items() if value <= observed)
    both = sum(count for value, count in sums.items() if abs(value) >= abs(observed))
    return PValues(lower / total, both / total)


def _all_sums(sizes: Sequence[int]) -> Counter[int] | None:
    """Return how many assignments of signs have each sum; None where that takes too long."""
    sums = Counter({0: 1})
    steps = 0
    for size in sizes:
        steps += 2 * len(sums)
        if steps > _MOST_STEPS:
            return None
        longer: Counter[int] = Counter()
        for value, count in sums.items():
            longer[value + size] += count
            longer[value - size] += count
        sums = longer
    return sums


def _drawn(sizes: Sequence[int], observed: int) -> PValues:
    draw = random.Random(_SEED)  # noqa: S311 - the same figures each time; nothing is kept secret
    whole = sum(sizes)
    lower = both = 0
    for _ in range(_DRAWS):
        signs = map(int, f"{draw.getrandbits(len(sizes)):0{len(sizes)}b}")
        value = 2 * sum(compress(sizes, signs)) - whole
        lower += value <= observed
        both += abs(value) >= abs(observed)
    return PValues((lower + 1) / (_DRAWS + 1), (both + 1) / (_DRAWS + 1))
