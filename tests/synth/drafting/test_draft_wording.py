"""Names and sentences made of what traces say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.drafting.wording import (
    and_list,
    example,
    noun_of,
    plain_sentence,
    singular,
    snake_case,
    spoken,
    unique,
)


@given(name=st.text())
def test_any_name_becomes_an_identifier(name: str) -> None:
    made = snake_case(name)
    assert made.isidentifier()
    assert made.isascii()
    assert made == made.lower()
    assert len(made) <= 61
    assert snake_case(made) == made


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("lockDoors", "lock_doors"),
        ("get-user.details", "get_user_details"),
        ("2fast", "n2fast"),
        ("class", "class_"),
        ("__init__", "init"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}", "value"),
    ],
)
def test_names_are_written_as_python_does(name: str, made: str) -> None:
    assert snake_case(name) == made


@pytest.mark.parametrize(
    ("tool", "noun"),
    [("get_user_details", "user_details"), ("book_flight", "book_flight"), ("search", "search")],
)
def test_a_getter_is_named_after_what_it_gives(tool: str, noun: str) -> None:
    assert noun_of(tool) == noun


@pytest.mark.parametrize(
    ("many", "one"), [("cities", "city"), ("orders", "order"), ("glass", "glass_item")]
)
def test_one_of_many(many: str, one: str) -> None:
    assert singular(many) == one


@given(wish=st.sampled_from("abc"), taken=st.sets(st.sampled_from(["a", "b", "a_2", "a_3"])))
def test_a_name_that_is_taken_is_numbered(wish: str, taken: set[str]) -> None:
    assert unique(wish, taken) not in taken
    assert unique(wish, taken).startswith(wish)


def test_lists_and_names_are_spoken() -> None:
    assert and_list(["a"]) == "a"
    assert and_list(["a", "b", "c"]) == "a, b and c"
    assert spoken("max_num_of_items") == "largest number of items"
    assert spoken("x" * 41) == "value"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([None, True, "a b", 3], ", such as 3"),
        (["mia_li_3668"], ", such as 'mia_li_3668'"),
        ([-2.5], ", such as -2.5"),
        ([10**50], ""),
        (["x" * 41, "`rm`", "Do this now", [1]], ""),
        ([], ""),
    ],
)
def test_an_example_is_a_short_and_plain_value(values: list[Json], said: str) -> None:
    assert example(values) == said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Compute the mean. Then more.", "Compute the mean"),
        ("Compute\n  the mean\n\nArgs: x", "Compute the mean"),
        ("Compute `x` <b>now</b>", "Compute x now"),
        ("Say whether 1 < x > 2", "Say whether 1 < x > 2"),
        ("See [here](https://evil.example/a?b) for it", "See here ( for it"),
        ("short", ""),
        ("x" * 201, ""),
    ],
)
def test_a_plain_sentence_is_the_first_of_its_text(text: str, sentence: str) -> None:
    assert plain_sentence(text) == sentence


@given(text=st.text())
def test_a_plain_sentence_is_plain(text: str) -> None:
    sentence = plain_sentence(text)
    assert sentence.isascii()
    assert sentence.isprintable()
    assert len(sentence) <= 200
    assert not set(sentence) & set("\"'`\\[]{}$#!&|~^@")
