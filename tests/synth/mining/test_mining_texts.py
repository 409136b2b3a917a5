"""Texts that code puts together are compared in one spelling, repeated values as placeholders."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining.texts import literal_of, same_text, written_alike


def alike(code: str) -> str:
    (statement,) = ast.parse(code).body
    return ast.unparse(ast.fix_missing_locations(written_alike(statement)))


@pytest.mark.parametrize(
    "text",
    [
        "'got {} of {}'.format(a, b)",
        "'got {0} of {1}'.format(a, b)",
        "'got %s of %s' % (a, b)",
        "'got ' + str(a) + ' of ' + str(b)",
        "f'got {a} of ' + str(b)",
    ],
)
def test_one_text_has_one_spelling(text: str) -> None:
    assert alike(f"t = {text}") == "t = f'got {a} of {b}'"


@pytest.mark.parametrize(
    "text",
    ["'{}'.format(*a)", "'{} {}'.format(a)", "'%d of %s' % (a, b)", "'%s' % a", "a + str(b)"],
)
def test_what_may_mean_something_else_stays(text: str) -> None:
    assert alike(f"t = {text}") == f"t = {ast.unparse(ast.parse(text))}"


@given(
    parts=st.lists(st.text(alphabet="ab {}%'\"\\\n", max_size=6), min_size=1, max_size=4),
    values=st.lists(st.integers() | st.text(max_size=5) | st.booleans(), min_size=3, max_size=3),
)
def test_a_text_says_the_same_in_its_one_spelling(parts: list[str], values: list[object]) -> None:
    names = ["a", "b", "c"][: len(parts) - 1]
    escaped = "{}".join(part.replace("{", "{{").replace("}", "}}") for part in parts)
    code = f"t = {escaped!r}.format({', '.join(names)})"
    known = dict(zip("abc", values, strict=True))
    outcomes = []
    for text in (code, alike(code)):
        scope = dict(known)
        exec(text, scope)  # noqa: S102 - written right here
        outcomes.append(scope["t"])
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        ("assert f(2) == 5, 'expected 5'", "f'expected {5!r}'"),
        ("assert x == [1, 2], 'not [1,2] but {}'.format(x)", "f'not {[1, 2]!r} but {x}'"),
        ("assert x == 'ab', 'not ab'", "f\"not {'ab'}\""),
        ("assert x == -1, 'x is not -1'", "f'x is not {-1!r}'"),
    ],
)
def test_a_message_that_repeats_a_value_depends_on_it(check: str, shown: str) -> None:
    assert alike(check).partition(", ")[2].endswith(shown) or alike(check).endswith(shown)


def test_a_value_inside_a_word_or_number_is_not_meant() -> None:
    assert alike("assert x == 5, 'case 15 and 5th'") == "assert x == 5, 'case 15 and 5th'"


def test_a_constant_elsewhere_is_no_message() -> None:
    assert alike("x = {'a': 5, 'about 5': 5}") == "x = {'a': 5, 'about 5': 5}"


def test_texts_agree_by_their_words() -> None:
    def parsed(text: str) -> ast.expr:
        return ast.parse(text, mode="eval").body

    assert same_text(parsed("f'is {[1, 2]!r}: {x}'"), parsed("f'is [1,2]: {x}'"))
    assert not same_text(parsed("f'is {[1, 2]!r}: {x}'"), parsed("f'is [1,3]: {x}'"))
    assert not same_text(parsed("f'is {x}'"), parsed("f'is {y}'"))


def test_what_is_no_literal_is_said_to_be_none() -> None:
    assert literal_of(ast.parse("[1, -2]", mode="eval").body) == [1, -2]
    with pytest.raises(ValueError, match="literal"):
        literal_of(ast.parse("[x]", mode="eval").body)
