"""A decline is seen soon; a tool that keeps to its rate is left alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import Tier, load_profile
from toolguild.policies.decline import Decline, has_declined
from toolguild.policies.demotion import tier_kept

TRUST = load_profile().trust
USES = st.lists(st.booleans(), max_size=60)


@pytest.mark.parametrize(("rate", "failures"), [(0.99, 3), (0.95, 4), (0.5, 16)])
def test_one_that_breaks_is_seen_after_so_many_failures(rate: float, failures: int) -> None:
    good = [True] * 200
    assert has_declined([*good, *[False] * failures], rate, 10_000)
    assert not has_declined([*good, *[False] * (failures - 1)], rate, 10_000)


@given(USES, st.floats(0.05, 0.995))
def test_successes_are_no_evidence_for_a_decline(uses: list[bool], rate: float) -> None:
    one, other = Decline(rate), Decline(rate)
    for success in uses:
        before = one.see(success=success)
        other.see(success=success)
        after = other.see(success=True)
        assert after <= max(before, 1.0) + 1e-9
        one.see(success=True)


@given(USES, st.integers(0, 300), st.floats(0.05, 0.995))
def test_many_successes_at_once_are_as_one_by_one(
    uses: list[bool], count: int, rate: float
) -> None:
    one, other = Decline(rate), Decline(rate)
    for success in uses:
        one.see(success=success)
        other.see(success=success)
    for _ in range(count):
        one.see(success=True)
    other.see_successes(count)
    assert one.see(success=False) == pytest.approx(other.see(success=False), rel=1e-6)


def test_false_alarms_are_as_rare_as_promised() -> None:
    """On average, one that just keeps its rate runs as long as the threshold without one."""
    chance, threshold, runs = random.Random(3), 100.0, []  # noqa: S311 - repeatable
    for _ in range(200):
        watched, uses = Decline(0.9), 1
        while watched.see(success=chance.random() < 0.9) <= threshold:
            uses += 1
        runs.append(uses)
    assert sum(runs) / len(runs) > threshold


@pytest.mark.parametrize("rate", [0, 1, -1, 2])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="no rate"):
        Decline(rate)


@pytest.mark.parametrize(
    ("tier", "bad", "kept"),
    [
        (Tier.FULL, 2, Tier.FULL),
        (Tier.FULL, 3, Tier.RESTRICTED),
        (Tier.FULL, 4, Tier.SANDBOX),
        (Tier.RESTRICTED, 3, Tier.RESTRICTED),
        (Tier.RESTRICTED, 4, Tier.SANDBOX),
        (Tier.SANDBOX, 15, Tier.SANDBOX),
        (Tier.SANDBOX, 16, None),
        (Tier.FULL, 16, None),
    ],
)
def test_a_tier_is_lost_down_to_where_the_uses_still_fit(
    tier: Tier, bad: int, kept: Tier | None
) -> None:
    assert tier_kept(tier, [True] * 50 + [False] * bad, TRUST) is kept
    assert tier_kept(tier, [False] * bad + [True] * 50, TRUST) is kept


@given(st.sampled_from(Tier), USES, st.booleans())
def test_nothing_rises_and_more_failures_never_help(
    tier: Tier, uses: list[bool], last: bool
) -> None:
    kept = tier_kept(tier, uses, TRUST)
    assert kept is None or kept <= tier
    after = tier_kept(tier, [*uses, last], TRUST)
    assert (after.rank if after else -1) <= (kept.rank if kept else -1)
