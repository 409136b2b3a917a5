"""What a record says of a tool's true success rate, however often somebody looks at it.

A bound for a fixed number of uses is no bound for whoever checks after each use: by chance the
record looks good at some moment. An e-process bets against the claim that the rate is no higher
than a bar. Whatever the number of looks, a claim that holds is ever bet up to `1 / alpha` with a
chance of `alpha` at most (Ville 1939).

The bet is the likelihood of the record, averaged over the rates between the bar and 1, over its
likelihood at the bar (the method of mixtures of Robbins, Ann. Math. Statist. 41, 1970). Each rate
above the bar makes a supermartingale under each rate up to the bar, even where that changes from
use to use, so their average does (Ramdas et al., Game-Theoretic Statistics and Safe
Anytime-Valid Inference, Statist. Sci. 38, 2023).
"""

from __future__ import annotations

import itertools
import math

__all__ = ["log_e_value", "lower_bound"]

_STEPS = 60
"""Halvings: to the last digit of a float."""
_NEGLIGIBLE = 1e-17


def log_e_value(successes: int, failures: int, bar: float) -> float:
    """Return the logarithm of the e-value against "the success rate is at most the bar".

    With s successes, f failures, and the incomplete beta function I it is the logarithm of

        B(s+1, f+1) (1 - I_bar(s+1, f+1)) / ((1 - bar) bar^s (1 - bar)^f)

    where 1 - I_bar(s+1, f+1) is the chance of more than f failures in s+f+1 uses at the bar.

    Args:
        successes: Uses that went well.
        failures: Uses that did not.
        bar: The rate that is claimed not to be exceeded, between 0 and 1, both excluded.

    Raises:
        ValueError: a count is negative, or the bar is out of range.
    """
    if successes < 0 or failures < 0 or not 0 < bar < 1:
        msg = f"no record and bar: {successes} successes, {failures} failures, bar {bar}"
        raise ValueError(msg)
    likelihood = successes * math.log(bar) + failures * math.log1p(-bar)
    mixture = _log_beta(successes + 1, failures + 1) + _log_more_failures(successes, failures, bar)
    return mixture - math.log1p(-bar) - likelihood


def lower_bound(successes: int, failures: int, alpha: float = 0.05) -> float:
    """Return the always-valid lower bound of a success rate: what `log_e_value` rules out below it.

    Under repeated looks it exceeds the true rate, ever, with a chance of `alpha` at most.

    Args:
        successes: Uses that went well.
        failures: Uses that did not.
        alpha: The chance of being wrong, between 0 and 1.

    Returns:
        A rate from 0 to 1; 0 where nothing went well.
    """
    needed = -math.log(alpha)
    low, high = 0.0, successes / (successes + failures) if successes else 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if not 0 < middle < 1:
            break
        if log_e_value(successes, failures, middle) >= needed:
            low = middle
        else:
            high = middle
    return low


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_more_failures(successes: int, failures: int, rate: float) -> float:
    """Return the logarithm of the chance of more failures than these in one use more, at a rate."""
    uses = successes + failures + 1
    if failures + 1 < uses * (1 - rate):
        # They are likely: 1 minus what is left is exact, and a shorter sum.
        return math.log1p(-math.exp(_log_chance(range(failures, -1, -1), uses, rate)))
    return _log_chance(range(failures + 1, uses + 1), uses, rate)


def _log_chance(counts: range, uses: int, rate: float) -> float:
    """Return the logarithm of the chance of any of these counts of failures, likeliest first."""
    odds = math.log1p(-rate) - math.log(rate)
    first = counts[0]
    log_first = (
        math.lgamma(uses + 1)
        - math.lgamma(first + 1)
        - math.lgamma(uses - first + 1)
        + first * math.log1p(-rate)
        + (uses - first) * math.log(rate)
    )
    log_term, total = 0.0, 1.0
    for before, count in itertools.pairwise(counts):
        more = count > before
        step = (
            math.log((uses - before) / count) + odds
            if more
            else math.log(before / (uses - count)) - odds
        )
        log_term += step
        term = math.exp(log_term)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return log_first + math.log(total)
