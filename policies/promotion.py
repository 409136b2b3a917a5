"""What stands between a version and the next tier: gates, and what would open each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from toolguild.policies.drift import in_short
from toolguild.policies.evidence import Evidence
from toolguild.policies.success_rate import log_e_value, lower_bound
from toolguild.policies.tiers import Tier
from toolguild.policies.trust import Asked, Trust

__all__ = ["OPENED_BY_APPROVAL", "Gate", "Standing", "next_tier", "promotion_gates", "uses_missing"]

_APPROVAL, _DATA_FLOW = "approval", "data flow"
OPENED_BY_APPROVAL = frozenset({_APPROVAL, _DATA_FLOW})
"""Names of the gates that a person's word opens."""

_MOST_USES = 1_000_000
"""More than that many clean uses nobody waits for."""
_MOST_FLOWS = 5
"""Of the ways of data, so many are told of."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of a version when its promotion is asked for."""

    tier: Tier
    successes: int
    """Distinct live uses at this tier, under the present conditions, that went well."""
    failures: int
    """Those that did not."""
    hours_at_tier: float
    hours_since_demotion: float | None = None
    """None where it never was demoted."""
    mutants_found: float | None = None
    """Share of the faults put into it that its validation found; None where none were put in."""
    thin: tuple[str, ...] = ()
    """Why the evidence of its validation is thin."""
    open_counterexamples: int = 0
    """Failures that nobody has explained yet."""
    changed_parts: tuple[str, ...] = ()
    """Tools that it calls and that are others now than those it was proven with."""
    drifted: tuple[str, ...] = ()
    """How results are others than it was validated on, as far as it was not validated again."""
    lowest_part: Tier | None = None
    """The lowest tier of the tools of ours that it calls; None where it calls none."""
    approved: bool = False
    """Whether a person other than who asked has approved this very step."""
    promotions_left: int | None = None
    """Of the budget; None where there is no limit."""
    flows: tuple[str, ...] = ()
    """Ways of data from what reads to the network in it, in words."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a promotion."""

    name: str
    passed: bool
    asked: str
    found: str
    missing: str = ""
    """What would open it, in words; empty where it is open."""


def next_tier(tier: Tier) -> Tier | None:
    """Return the tier above; None for the highest."""
    return next((above for above in Tier if above.rank == tier.rank + 1), None)


def promotion_gates(standing: Standing, trust: Trust, evidence: Evidence) -> list[Gate]:
    """Return the gates between a version and the next tier; all have to be open.

    Args:
        standing: What is known of the version.
        trust: What tiers ask for.
        evidence: How much evidence a tool takes.

    Raises:
        ValueError: there is no tier above.
    """
    target = next_tier(standing.tier)
    if target is None:
        msg = f"there is no tier above {standing.tier}"
        raise ValueError(msg)
    asked = trust.asked(target)
    gates = [*_record_gates(standing, asked, trust.alpha)]
    gates += _evidence_gates(standing, target, evidence)
    gates += _surroundings_gates(standing, target, asked, trust)
    gates += _person_gates(standing, target, asked)
    return gates


def uses_missing(successes: int, failures: int, asked: Asked, alpha: float) -> int | None:
    """Return how many more clean, distinct uses a record needs; None where it would need too many.

    Args:
        successes: Uses that went well.
        failures: Uses that did not.
        asked: What the tier asks for.
        alpha: Chance of error of the lower bound.
    """

    def suffices(more: int) -> bool:
        return _has_record(successes + more, failures, asked, alpha)

    high = 0 if suffices(0) else 1
    while not suffices(high):
        high *= 2
        if high > _MOST_USES:
            return None
    low = high // 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return high


def _has_record(successes: int, failures: int, asked: Asked, alpha: float) -> bool:
    uses = successes + failures
    if uses < asked.uses or successes < asked.rate * uses:
        return False
    return not asked.bound or log_e_value(successes, failures, asked.bound) >= -math.log(alpha)


def _record_gates(standing: Standing, asked: Asked, alpha: float) -> Iterator[Gate]:
    uses = standing.successes + standing.failures
    missing = uses_missing(standing.successes, standing.failures, asked, alpha)
    told = "too many failures" if missing is None else f"needs {missing} more clean, distinct uses"
    rate = standing.successes / uses if uses else 0.0
    at_least = f"at tier {standing.tier}, at least {asked.uses}"
    yield _gate("uses", uses >= asked.uses, at_least, str(uses), told)
    shown = f"{rate:.1%}" if uses else "none"
    enough = standing.successes >= asked.rate * uses
    yield _gate("success rate", enough, f"{asked.rate:.0%}", shown, told)
    if asked.bound:
        bound = lower_bound(standing.successes, standing.failures, alpha)
        reached = log_e_value(standing.successes, standing.failures, asked.bound)
        yield _gate(
            "lower bound of it",
            reached >= -math.log(alpha),
            f"{asked.bound:.0%}, always valid at {1 - alpha:.0%}",
            f"{bound:.1%}",
            told,
        )


def _evidence_gates(standing: Standing, target: Tier, evidence: Evidence) -> Iterator[Gate]:
    found = standing.mutants_found
    if found is not None:
        yield _gate(
            "faults found",
            found >= evidence.mutants_found,
            f"{evidence.mutants_found:.0%} of those put into it",
            f"{found:.0%}",
            "validate it with more, or more telling, inputs",
        )
    if target is Tier.FULL:
        thin = (*standing.thin, *(() if found is not None else ("no faults were put into it",)))
        yield _gate(
            "evidence", not thin, "not thin", "; ".join(thin) or "enough", "validate it with more"
        )
    yield _gate(
        "counterexamples",
        not standing.open_counterexamples,
        "none open",
        str(standing.open_counterexamples),
        "explain or mend what failed",
    )
    if standing.lowest_part is not None or standing.changed_parts:
        yield _gate(
            "proof with its parts",
            not standing.changed_parts,
            "as they are now",
            f"{', '.join(standing.changed_parts)} changed" if standing.changed_parts else "yes",
            "validate it again, with the tools that it calls now",
        )
    yield _gate(
        "drift",
        not standing.drifted,
        "none since it was validated",
        in_short(standing.drifted) or "none",
        "validate it on what is recorded now, or make a new version",
    )


def _surroundings_gates(
    standing: Standing, target: Tier, asked: Asked, trust: Trust
) -> Iterator[Gate]:
    part = standing.lowest_part
    if part is not None:
        missing = f"promote what it calls to {target} first"
        yield _gate("tools that it calls", part >= target, f"at {target}", str(part), missing)
    if asked.age_h:
        left = asked.age_h - standing.hours_at_tier
        found = f"{standing.hours_at_tier:.0f} h"
        missing = f"wait {left:.1f} h at this tier"
        yield _gate("age", left <= 0, f"{asked.age_h:g} h", found, missing)
    since = standing.hours_since_demotion
    if since is not None and trust.cooldown_h:
        left = trust.cooldown_h - since
        asked_for = f"{trust.cooldown_h:g} h after a demotion"
        missing = f"wait {left:.1f} h more after the demotion"
        yield _gate("cooldown", left <= 0, asked_for, f"{since:.1f} h", missing)
    if standing.promotions_left is not None:
        left_over = standing.promotions_left
        missing = "wait for the next cycle or day"
        yield _gate("budget", left_over > 0, "a promotion left", str(left_over), missing)


def _person_gates(standing: Standing, target: Tier, asked: Asked) -> Iterator[Gate]:
    missing = "have a person approve it"
    if asked.approval:
        found = "approved" if standing.approved else "not approved"
        yield _gate(_APPROVAL, standing.approved, "by a person", found, missing)
    if standing.flows:
        # Whatever the profile says of approvals. Below the highest tier it is refused when called.
        passed = standing.approved or target is not Tier.FULL
        asked_for = "none, or approved" if target is Tier.FULL else "none, or refused when called"
        yield _gate(_DATA_FLOW, passed, asked_for, _listed(standing.flows), missing)


def _listed(flows: tuple[str, ...]) -> str:
    more = len(flows) - _MOST_FLOWS
    return "; ".join((*flows[:_MOST_FLOWS], *((f"and {more} more",) if more > 0 else ())))


def _gate(name: str, passed: bool, asked: str, found: str, missing: str) -> Gate:
    return Gate(name, passed, asked, found, "" if passed else missing)
