"""When a difference in a tool's results is drift, and what follows for what calls the tool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import PolicyFileError, load_profile
from toolguild.policies.drift import (
    Change,
    Consequence,
    DriftRules,
    FieldChange,
    consequence_of,
    in_short,
    is_drift,
)

RULES = {name: load_profile(name).drift for name in ("simple", "balanced", "strict")}
RENAMED = FieldChange("get_user", "address.province", Change.RENAMED, "address.state", 8, 8)
FORMS = [Change.RENAMED, Change.MISSING, Change.NEW, Change.KIND]


@pytest.mark.parametrize("change", FORMS)
@pytest.mark.parametrize(
    ("changed", "comparable", "drift"),
    [(8, 8, True), (4, 8, True), (3, 8, False), (2, 2, True), (1, 1, False)],
)
def test_another_form_is_drift_in_half_of_the_calls_and_two_at_least(
    change: Change, changed: int, comparable: int, drift: bool
) -> None:
    told = replace(RENAMED, change=change, changed=changed, comparable=comparable)
    assert is_drift(told, RULES["balanced"]) is drift


def test_values_are_drift_only_where_a_profile_says_so_and_they_were_steady() -> None:
    steady = replace(RENAMED, change=Change.STEADY_VALUE)
    living = replace(RENAMED, change=Change.VALUE)
    assert not is_drift(steady, RULES["balanced"])
    assert is_drift(steady, RULES["strict"])
    assert not is_drift(living, RULES["strict"])


@given(
    st.sampled_from([*Change]),
    st.integers(1, 50),
    st.integers(0, 50),
    st.sampled_from(sorted(RULES)),
)
def test_more_changed_calls_never_make_a_drift_none(
    change: Change, changed: int, more: int, profile: str
) -> None:
    comparable = changed + more
    told = replace(RENAMED, change=change, changed=changed, comparable=comparable)
    if is_drift(told, RULES[profile]):
        assert is_drift(replace(told, changed=min(changed + 1, comparable)), RULES[profile])
        assert is_drift(told, RULES["strict"])


@pytest.mark.parametrize(
    ("reached", "runs", "differing", "broken", "follows"),
    [
        (5, 5, 0, 0, Consequence.UNTOUCHED),
        (5, 5, 1, 0, Consequence.REOPENED),
        (5, 5, 5, 4, Consequence.REOPENED),
        (5, 5, 5, 5, Consequence.QUARANTINED),
        (5, 0, 0, 0, Consequence.REOPENED),
        (0, 0, 0, 0, Consequence.UNTOUCHED),
    ],
)
def test_what_does_something_else_is_reopened_and_what_only_fails_is_quarantined(
    reached: int, runs: int, differing: int, broken: int, follows: Consequence
) -> None:
    counts = {"reached": reached, "runs": runs, "differing": differing, "broken": broken}
    assert consequence_of(**counts, rules=RULES["balanced"]) is follows
    milder = replace(RULES["balanced"], quarantine=False)
    if follows is Consequence.QUARANTINED:
        assert consequence_of(**counts, rules=milder) is Consequence.REOPENED


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (RENAMED, "get_user: address.province -> address.state, in 8 of 8 comparable calls"),
        (
            replace(RENAMED, change=Change.MISSING, to=""),
            "get_user: address.province is missing, in 8 of 8 comparable calls",
        ),
        (
            replace(RENAMED, field="", change=Change.KIND, to="a failure"),
            "get_user: the whole result is a failure now, in 8 of 8 comparable calls",
        ),
    ],
)
def test_a_change_names_the_tool_and_the_field(change: FieldChange, told: str) -> None:
    assert str(change) == told


def test_of_many_changes_some_are_told_and_the_others_counted() -> None:
    assert in_short(["a", "b", "c"]) == "a; b; c"
    assert in_short(["a", "b", "c", "d", "e"]) == "a; b; c; 2 more"


def test_a_house_sets_its_own_thresholds(tmp_path: Path) -> None:
    file = tmp_path / "toolguild.toml"
    file.write_text("[profile]\nextends = 'strict'\n[profile.drift]\nshare = 0.9\n")
    assert load_profile(file).drift == replace(RULES["strict"], share=0.9)
    assert load_profile(file).digest != load_profile("strict").digest


@pytest.mark.parametrize(
    ("line", "field"), [("calls = 0", "drift.calls"), ("shares = 1", "drift.shares")]
)
def test_a_mistake_in_the_thresholds_is_named(tmp_path: Path, line: str, field: str) -> None:
    file = tmp_path / "toolguild.toml"
    file.write_text(f"[profile.drift]\n{line}\n")
    with pytest.raises(PolicyFileError, match=rf"profile\.{field}"):
        load_profile(file)


@pytest.mark.parametrize(("name", "value"), [("calls", 0), ("share", 1.5), ("share", float("nan"))])
def test_thresholds_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        DriftRules(**{"calls": 1, "share": 0.5, "values": True, "quarantine": True, name: value})
