"""Every rule against its own examples, and what is printed about it."""

import re
from pathlib import Path

import pytest

import toolguild
from toolguild.policies import Tier, house_profile, load_profile
from toolguild.policies.code_rules import RuleLevel, may_be_eased
from toolguild.synth.validation.static import (
    RULES,
    SAFETY_FAMILIES,
    Family,
    Rule,
    check_source,
)
from toolguild.synth.validation.static.reference import (
    UnknownRuleError,
    explain,
    find_rule,
    reference,
    shown_example,
)

GOOD = [(rule, text) for rule in RULES for text in rule.good]
BAD = [(rule, text) for rule in RULES for text in rule.bad]


def codes(rule: Rule, text: str) -> set[str]:
    """Return what the rules of a kind find: those about quality, or those about safety."""
    quality = frozenset({Family.CONTRACT})
    families = quality if rule.family is Family.CONTRACT else SAFETY_FAMILIES
    return {finding.code for finding in check_source(text, Tier.SANDBOX, families=families)}


def name(value: object) -> str | None:
    return value.code if isinstance(value, Rule) else ascii(value)[:60]


@pytest.mark.parametrize(("rule", "text"), GOOD, ids=name)
def test_rule_finds_nothing_in_its_good_example(rule: Rule, text: str) -> None:
    assert rule.code not in codes(rule, text)


@pytest.mark.parametrize(("rule", "text"), BAD, ids=name)
def test_a_bad_example_gives_exactly_the_code_of_its_rule(rule: Rule, text: str) -> None:
    assert codes(rule, text) == {rule.code}


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_rule_explains_itself_and_has_examples_of_both_kinds(rule: Rule) -> None:
    assert rule.good
    assert rule.bad
    assert len(set(rule.bad)) == len(rule.bad)
    assert rule.what.endswith(".")
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.title[0].islower() or rule.title.startswith("Python")


def test_codes_are_unique_in_order_and_in_their_families() -> None:
    every = [rule.code for rule in RULES]
    assert every == sorted(set(every))
    assert all(rule.code.startswith(f"TG{rule.family}") for rule in RULES)


@pytest.mark.parametrize("profile", ["balanced", "strict"])
def test_a_profile_says_what_each_rule_means(profile: str) -> None:
    assert load_profile(profile).code.rules.keys() == {rule.code for rule in RULES}


def test_all_but_one_rule_are_errors() -> None:
    levels = {rule.code: load_profile().code.level(rule.code) for rule in RULES}
    warnings = [code for code, level in levels.items() if level is not RuleLevel.ERROR]
    assert warnings == ["TG405"]


def test_no_rule_about_safety_may_be_eased_but_those_that_the_sandbox_would_stop() -> None:
    eased = {rule.family for rule in RULES if may_be_eased(rule.code)}
    assert eased == {Family.CONTRACT, Family.WORK}


def test_a_rule_is_explained_by_its_code_in_any_case() -> None:
    text = explain(find_rule("tg101"))
    assert text.startswith("TG101: module not allowed (error, fixed)\n")
    for part in (find_rule("TG101").why, find_rule("TG101").remedy, "    import os, socket"):
        assert part in text
    assert explain(find_rule("TG405")).startswith("TG405: vague type (warning)\n")


@pytest.mark.parametrize("code", ["TG999", "", "E501", "TG"])
def test_an_unknown_code_is_an_error_that_says_where_they_are_listed(code: str) -> None:
    with pytest.raises(UnknownRuleError, match="--explain all"):
        find_rule(code)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_explanations_hold_nothing_that_cannot_be_seen(rule: Rule) -> None:
    assert all(c == "\n" or c.isprintable() for c in explain(rule))


def test_a_long_example_is_cut_off_and_says_so() -> None:
    assert shown_example("x\u202e = 1") == "x⟨U+202E⟩ = 1"
    assert shown_example("x = 1\n" * 100).endswith("characters more")
    assert len(shown_example("x" * 10_000)) < 300


def test_the_profile_that_the_reference_shows_can_be_used(tmp_path: Path) -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", reference(), re.DOTALL)
    path = tmp_path / "toolguild.toml"
    path.write_text(shown, encoding="utf-8")
    assert house_profile(path).code.modules["numpy"].exports == {"array", "mean"}


def test_the_reference_of_the_rules_is_current() -> None:
    path = Path(toolguild.__file__).resolve().parent / "docs" / "rules.md"
    assert path.read_text("utf-8") == reference(), (
        "run: python -m toolguild.synth.validation.static.reference > docs/rules.md"
    )
