"""Tiers are ordered by trust, not by the letters of their names."""

import itertools

import pytest

from toolguild.policies import Capability, Tier, beyond, granted, lowest_tier_allowing

ORDER = [Tier.SANDBOX, Tier.RESTRICTED, Tier.FULL]


@pytest.mark.parametrize(("one", "other"), list(itertools.product(ORDER, repeat=2)))
def test_every_comparison_follows_the_order_of_trust(one: Tier, other: Tier) -> None:
    first, second = ORDER.index(one), ORDER.index(other)
    assert (one < other) is (first < second)
    assert (one <= other) is (first <= second)
    assert (one > other) is (first > second)
    assert (one >= other) is (first >= second)


def test_the_highest_and_the_lowest_are_found() -> None:
    assert max(Tier) is Tier.FULL
    assert min(Tier) is Tier.SANDBOX
    assert sorted([Tier.FULL, Tier.RESTRICTED, Tier.SANDBOX]) == ORDER


def test_a_higher_tier_has_all_that_a_lower_one_has() -> None:
    for lower, higher in itertools.pairwise(ORDER):
        assert lower.capabilities < higher.capabilities


@pytest.mark.parametrize(
    ("needs", "tier"),
    [
        ([], Tier.SANDBOX),
        ([Capability.READ], Tier.SANDBOX),
        ([Capability.WRITE], Tier.RESTRICTED),
        ([Capability.NETWORK, Capability.READ], Tier.FULL),
    ],
)
def test_the_lowest_tier_that_will_do_is_found(needs: list[Capability], tier: Tier) -> None:
    assert lowest_tier_allowing(needs) is tier
    assert granted(needs, tier) == set(needs)


def test_what_needs_do_not_cover_is_beyond_them() -> None:
    read, write, network = Capability.READ, Capability.WRITE, Capability.NETWORK
    assert beyond({read, write}, {write}) == set()
    assert beyond({read, write}, {read}) == {write}
    assert beyond({network}, {read, write}) == {network}
