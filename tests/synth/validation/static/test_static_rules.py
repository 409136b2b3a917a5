"""Every rule against its own examples."""

import pytest

from toolguild.policies import Tier
from toolguild.synth.validation.static import RULES, Rule, Severity, check_source

GOOD = [(rule, text) for rule in RULES for text in rule.good]
BAD = [(rule, text) for rule in RULES for text in rule.bad]


def codes(text: str) -> set[str]:
    return {finding.code for finding in check_source(text, Tier.SANDBOX)}


def name(value: object) -> str | None:
    return value.code if isinstance(value, Rule) else repr(value)[:60]


@pytest.mark.parametrize(("rule", "text"), GOOD, ids=name)
def test_rule_finds_nothing_in_its_good_example(rule: Rule, text: str) -> None:
    assert rule.code not in codes(text)


@pytest.mark.parametrize(("rule", "text"), BAD, ids=name)
def test_rule_finds_its_bad_example(rule: Rule, text: str) -> None:
    assert rule.code in codes(text)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_rule_explains_itself_and_has_examples_of_both_kinds(rule: Rule) -> None:
    assert rule.good
    assert rule.bad
    assert rule.docs.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.title


def test_codes_are_unique_and_in_their_families() -> None:
    every = [rule.code for rule in RULES]
    assert len(set(every)) == len(every)
    assert all(rule.code.startswith(f"TG{rule.family}") for rule in RULES)


def test_only_vague_types_are_mere_warnings() -> None:
    assert [rule.code for rule in RULES if rule.severity is Severity.WARNING] == ["TG405"]
