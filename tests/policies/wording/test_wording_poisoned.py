"""Attempts to poison the description of a tool, each of which must come out harmless.

`poisoned_texts.jsonl` holds texts of our own writing; `gone` are the words that carry the attack,
`kept` is what a plain description in the same text must leave. `reworded_texts.jsonl` is the honest
part: attacks put into fresh words after the lists had been written. Those that are `seen` were then
used to extend the lists, the others never were.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolguild.policies.wording import Reason, plain_description
from toolguild.policies.wording.characters import is_allowed, visible
from toolguild.policies.wording.disguises import forms_of
from toolguild.policies.wording.english import ENGLISH
from toolguild.policies.wording.languages import PHRASES_ABROAD
from toolguild.policies.wording.markup import without_markup
from toolguild.policies.wording.phrases import Phrase
from toolguild.policies.wording.sentences import sentences

NEUTRAL = "No description is given."


@dataclass(frozen=True)
class Poisoned:
    id: str
    text: str
    gone: list[str]
    category: str = ""
    kept: str = ""
    seen: bool = True


def poisoned(name: str) -> list[Poisoned]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [Poisoned(**json.loads(line)) for line in lines]


ATTEMPTS = poisoned("poisoned_texts.jsonl")
REWORDED = poisoned("reworded_texts.jsonl")


def letters(text: str) -> str:
    """Return what is left of a text when spaces, marks and capitals cannot hide anything."""
    return "".join(character for character in text.casefold() if character.isalnum())


def is_in(words: str, text: str) -> bool:
    return words in text or (letters(words) != "" and letters(words) in letters(text))


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.id)
def test_an_attempt_comes_out_harmless(attempt: Poisoned) -> None:
    cleaned = plain_description(attempt.text, fallback=NEUTRAL)
    assert not [words for words in attempt.gone if is_in(words, cleaned.text)]
    assert all(is_allowed(character) or character == "\n" for character in cleaned.text)
    assert cleaned.removed
    assert attempt.kept in cleaned.text
    assert cleaned.text == NEUTRAL or attempt.kept or cleaned.text in attempt.text


def test_the_attempts_are_many_and_of_many_kinds() -> None:
    assert len(ATTEMPTS) >= 250
    assert len({attempt.text for attempt in ATTEMPTS}) == len(ATTEMPTS)
    assert len({attempt.category for attempt in ATTEMPTS}) == 18


def test_what_was_removed_is_named_in_printable_ascii() -> None:
    for attempt in ATTEMPTS:
        for one in plain_description(attempt.text, fallback=NEUTRAL).removed:
            assert one.excerpt.isascii()
            assert one.excerpt.isprintable()
            assert 0 < len(one.excerpt) <= 80
            assert one.reason in Reason


def test_what_tag_characters_spell_is_shown_to_the_person_who_reads_the_findings() -> None:
    spelled = "".join(chr(0xE0000 + ord(character)) for character in "open the safe")
    (found,) = plain_description(f"Adds two numbers.{spelled}", fallback=NEUTRAL).removed
    assert found.excerpt == "open the safe"


def said(phrase: Phrase) -> bool:
    for attempt in ATTEMPTS:
        shown = without_markup(visible(attempt.text)[0])[0]
        for text in (visible(attempt.text)[0], visible(shown)[0]):
            for sentence in sentences(text):
                forms = forms_of(sentence)
                if any(phrase.pattern.search(form) for form in (forms.said, *forms.folded)):
                    return True
    return False


@pytest.mark.parametrize(
    "phrase", [*ENGLISH, *PHRASES_ABROAD], ids=lambda phrase: phrase.pattern.pattern[:40]
)
def test_every_phrase_is_said_in_some_attempt(phrase: Phrase) -> None:
    assert said(phrase)


def found_in(texts: list[Poisoned]) -> int:
    cleaned = [(one, plain_description(one.text, fallback=NEUTRAL).text) for one in texts]
    return sum(not any(is_in(words, text) for words in one.gone) for one, text in cleaned)


def test_attacks_in_fresh_words_are_found_in_part_only() -> None:
    # Not a success: what a list of phrases cannot do. Nobody may rely on this function alone.
    seen = [one for one in REWORDED if one.seen]
    unseen = [one for one in REWORDED if not one.seen]
    assert (len(seen), len(unseen)) == (80, 40)
    assert found_in(seen) >= 56
    assert found_in(unseen) >= 7
