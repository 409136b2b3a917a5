"""Gates of a promotion: what each asks, and what would open it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import Evidence, Tier, load_profile
from toolguild.policies.promotion import Standing, next_tier, promotion_gates, uses_missing

EVIDENCE = Evidence(mutants_found=0.8, inputs=100)
TRUST = {name: load_profile(name).trust for name in ("simple", "balanced", "strict")}
READY = Standing(
    Tier.RESTRICTED,
    successes=500,
    failures=0,
    hours_at_tier=1000,
    hours_since_demotion=1000,
    mutants_found=1.0,
    lowest_part=Tier.FULL,
    approved=True,
    promotions_left=1,
)
PROFILES = pytest.mark.parametrize("profile", TRUST)


def closed(standing: Standing, profile: str = "balanced") -> dict[str, str]:
    gates = promotion_gates(standing, TRUST[profile], EVIDENCE)
    assert all(gate.missing == "" for gate in gates if gate.passed)
    return {gate.name: gate.missing for gate in gates if not gate.passed}


@PROFILES
def test_results_that_drifted_close_a_gate_until_it_was_validated(profile: str) -> None:
    told = closed(replace(READY, drifted=("get_user: a -> b",)), profile)
    assert set(told) == {"drift"}
    assert "validate it" in told["drift"]


@PROFILES
@pytest.mark.parametrize("tier", [Tier.SANDBOX, Tier.RESTRICTED])
def test_a_long_clean_record_opens_every_gate(profile: str, tier: Tier) -> None:
    assert closed(replace(READY, tier=tier), profile) == {}


@pytest.mark.parametrize(
    ("profile", "tier", "uses"),
    [
        ("simple", Tier.SANDBOX, 10),
        ("simple", Tier.RESTRICTED, 10),
        ("balanced", Tier.SANDBOX, 20),
        ("balanced", Tier.RESTRICTED, 43),
        ("strict", Tier.SANDBOX, 88),
        ("strict", Tier.RESTRICTED, 449),
    ],
)
def test_so_many_clean_uses_are_needed_and_what_is_missing_is_counted(
    profile: str, tier: Tier, uses: int
) -> None:
    assert closed(replace(READY, tier=tier, successes=uses), profile) == {}
    told = closed(replace(READY, tier=tier, successes=uses - 7), profile)
    assert set(told.values()) == {"needs 7 more clean, distinct uses"}


@given(st.integers(0, 200), st.integers(0, 20), st.sampled_from(sorted(TRUST)))
def test_what_is_missing_is_what_opens_the_gates_and_no_less(
    successes: int, failures: int, profile: str
) -> None:
    trust = TRUST[profile]
    asked = trust.restricted
    missing = uses_missing(successes, failures, asked, trust.alpha)
    assert missing is not None

    def is_open(more: int) -> bool:
        standing = replace(READY, tier=Tier.SANDBOX, successes=successes + more, failures=failures)
        return closed(standing, profile) == {}

    assert is_open(missing)
    assert missing == 0 or not is_open(missing - 1)
    # Once open, successes never close them again: the simulation counts on that.
    assert is_open(missing + 1)
    assert is_open(missing + 50)


@pytest.mark.parametrize(
    ("change", "gate", "missing"),
    [
        ({"mutants_found": 0.7}, "faults found", "validate it"),
        ({"mutants_found": None}, "evidence", "validate it"),
        ({"thin": ("two inputs only",)}, "evidence", "validate it"),
        ({"open_counterexamples": 1}, "counterexamples", "explain or mend"),
        ({"lowest_part": Tier.RESTRICTED}, "tools that it calls", "promote what it calls"),
        ({"hours_at_tier": 1.5}, "age", "wait 22.5 h"),
        ({"hours_since_demotion": 23.0}, "cooldown", "wait 1.0 h"),
        ({"promotions_left": 0}, "budget", "wait for the next"),
        ({"approved": False}, "approval", "have a person"),
    ],
)
def test_each_gate_closes_by_itself(change, gate: str, missing: str) -> None:
    told = closed(replace(READY, **change))
    assert [*told] == [gate]
    assert told[gate].startswith(missing)


def test_restricted_asks_neither_a_person_nor_more_than_thin_evidence() -> None:
    standing = replace(READY, tier=Tier.SANDBOX, approved=False, thin=("few",), mutants_found=None)
    assert closed(standing) == {}


def test_there_is_nothing_above_full() -> None:
    assert next_tier(Tier.FULL) is None
    with pytest.raises(ValueError, match="no tier above"):
        promotion_gates(replace(READY, tier=Tier.FULL), TRUST["simple"], EVIDENCE)


@PROFILES
def test_a_flow_to_the_network_takes_a_person_before_full_under_every_profile(profile: str) -> None:
    leaking = replace(READY, flows=("read (line 2) to send (line 3)",))
    assert closed(leaking, profile) == {}
    unseen = closed(replace(leaking, approved=False), profile)
    assert unseen["data flow"] == "have a person approve it"
    below = closed(replace(leaking, tier=Tier.SANDBOX, approved=False), profile)
    assert "data flow" not in below


def test_many_flows_are_counted() -> None:
    many = replace(READY, flows=tuple(f"flow {number}" for number in range(9)))
    [gate] = [
        gate
        for gate in promotion_gates(many, TRUST["simple"], EVIDENCE)
        if gate.name == "data flow"
    ]
    assert gate.found == "flow 0; flow 1; flow 2; flow 3; flow 4; and 4 more"
