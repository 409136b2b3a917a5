"""Which regular expressions can take time that doubles with every character."""

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.synth.validation.static.backtracking import backtracks_exponentially

EXPONENTIAL = [
    r"(a+)+b", r"(a*)*b", r"(a|aa)+$", r"(a|a?)+$", r"(?:a|ab?)+c", r"(.*a){20}$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(\w+\s?)+$", r"(x+x+)+y", r"(\s*,\s*)+$", r"(?:a?b?)*c",
    r"^(?:(?:\d+|\w)*)+!", r"((a)|(\w))*#", r"(?=(a+)+b)x", r"(<[^>]*>|[^<]+|<)*$",
    r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+\.[a-z]{2,3}$",
    r"(?:[^\"\\]|\\.|\\)*\"", r"^(?:0|1|[01]0)*2", r"(?:a(?:b?)?)+c",
]  # fmt: skip

HARMLESS = [
    "", "abc", r"\d+(\.\d+)?", r"(\d+,)+\d+$", r"^(\w+\s)*\w+$", r"\"(?:[^\"\\]|\\.)*\"",
    r"[a-z]+@[a-z]+\.com", r"(?>a+)+b", r"(a+)++b", r"\s+$", r".*.*x",
    r"(?:[A-Z][a-z]*\s?)+", r"^(\d{1,3}\.){3}\d{1,3}$", r"(?P<y>\d{4})-(?P<m>\d\d)",
    r"^\s*(\w+)\s*=\s*(.*?)\s*$", r"(foo|bar|baz)+$", r"(?s)<!--.*?-->", r"a{2,4}b",
    r"(ab|cd)*e", r"(?:\w+\.)+\w+$", r"(a|b)*c", r"^[-+]?\d*\.?\d+(e[-+]?\d+)?$", r"(\w)\1+$",
    r"(?:\s*[a-z]+\s*=\s*\d+;)*$", r"(?m)^#.*$", r"[^\W\d_]+", r"(?i)(?:ab|cd)+$",
    # Python makes one set of characters of these alternatives.
    r"(a|[ab])+c", r"([a-c]|b)+;", r"(\d|\w)*y",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_loop_that_reads_the_same_text_in_two_ways_is_found(pattern: str) -> None:
    assert backtracks_exponentially(pattern)


@pytest.mark.parametrize("pattern", HARMLESS)
def test_an_ordinary_pattern_is_not(pattern: str) -> None:
    assert not backtracks_exponentially(pattern)


def test_what_comes_after_the_loop_decides_whether_it_can_fail() -> None:
    assert not backtracks_exponentially("(a+)+")
    assert backtracks_exponentially("(a+)+", whole=True)
    assert backtracks_exponentially("(a+)+$")


def test_flags_count() -> None:
    assert not backtracks_exponentially(r"(?:.|\n)*;")
    assert backtracks_exponentially(r"(?:.|\n)*;", re.DOTALL)
    assert not backtracks_exponentially("(?:ab|AB)*;")
    assert backtracks_exponentially("(?:ab|AB)*;", re.IGNORECASE)
    assert backtracks_exponentially("( a + ) + b", re.VERBOSE)


@pytest.mark.parametrize(
    "pattern",
    ["[", "(", "a{9999999999}", "(?P<", "*", "(?<=a*)b", "x" * 5_000, "(" * 300 + ")" * 300,
     "(a{0,9}){0,9}" * 70],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_is_no_pattern_or_too_long_is_let_be(pattern: str) -> None:
    assert not backtracks_exponentially(pattern)


ATOMS = st.sampled_from(["a", "b", "[ab]", r"\d", ".", "[^a]", "ab", ""])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2,3}"])).map("(?:{0[0]}){0[1]}".format),
    ),
    max_leaves=8,
)


def verdict(pattern: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return backtracks_exponentially(pattern)


@settings(max_examples=300, deadline=None)
@given(PATTERNS)
def test_what_stands_before_and_around_a_pattern_changes_nothing(pattern: str) -> None:
    expected = verdict(f"{pattern}!")
    assert verdict(f"(?:{pattern})!") is expected
    assert verdict(f"({pattern})!") is expected
    assert verdict(f"x{pattern}!") is expected


@settings(max_examples=300, deadline=None)
@given(PATTERNS)
def test_a_pattern_without_a_loop_is_harmless(pattern: str) -> None:
    assert not verdict(f"{pattern.replace('*', '?').replace('+', '?')}!")


@settings(max_examples=300, deadline=None)
@given(PATTERNS, PATTERNS)
def test_the_same_alternative_twice_in_a_loop_is_exponential(one: str, other: str) -> None:
    pattern = f"(?:x{one}y|x{one}y{other}z|x{one}y{other}z)+!"
    assert verdict(pattern)


@settings(max_examples=200, deadline=None)
@given(st.text("ab()[]*+?|\\d.{}1,^$-", max_size=30))
def test_no_text_makes_it_raise(pattern: str) -> None:
    assert verdict(pattern) in (True, False)
