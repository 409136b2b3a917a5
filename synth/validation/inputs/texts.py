"""Strings: of the form of the recorded ones, of the schema's, and odd ones."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation.inputs.choices import Pick, by_shares, varied
from toolguild.synth.validation.inputs.constants import Constants
from toolguild.synth.validation.inputs.formats import format_of
from toolguild.synth.validation.inputs.patterns import is_harmless, matching
from toolguild.synth.validation.inputs.sizes import LARGE, lengths_of
from toolguild.synth.validation.inputs.templates import template_of
from toolguild.synth.validation.inputs.values import Values, distinct

__all__ = ["Texts"]

_ODD_CHARACTERS = (
    "\0\t\n\r aZ09_-.,;:'\"\\/<>{}%&\x7f"
    "\N{LATIN SMALL LETTER E WITH ACUTE}\N{LATIN SMALL LETTER SHARP S}\N{COMBINING ACUTE ACCENT}"
    "\N{GREEK CAPITAL LETTER OMEGA}\N{HEBREW LETTER ALEF}\N{RIGHT-TO-LEFT OVERRIDE}"
    "\N{ARABIC-INDIC DIGIT FOUR}\N{CJK UNIFIED IDEOGRAPH-4E2D}\N{ZERO WIDTH SPACE}"
    "\N{SUPERSCRIPT TWO}\N{LATIN SMALL LIGATURE FI}\N{SLIGHTLY SMILING FACE}"
    "\N{NO-BREAK SPACE}\N{LINE SEPARATOR}\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"
)
"""A few of each kind that trips programs."""

_FOLDED = "Stra\N{LATIN SMALL LETTER SHARP S}e"
_FOREIGN_DIGITS = "\N{ARABIC-INDIC DIGIT FOUR}\N{ARABIC-INDIC DIGIT TWO}"
_USUAL_LENGTH = 10
_NUMBER = re.compile(r"[0-9]+")
_MOST_NUMBERS = 4
"""Numbers of a recorded string that others are put in the place of."""


class Texts(Values):
    """Strings of the lengths, the characters and the form that were recorded, and others."""

    def __init__(self, schema: JsonObject, seen: Sequence[Json], constants: Constants) -> None:
        self._seen = sorted({value for value in seen if isinstance(value, str)})
        self._constants = constants
        self._low, self._high, self._highest = lengths_of(
            schema, "minLength", "maxLength", self._seen, _USUAL_LENGTH
        )
        used = {character for text in self._seen for character in text}
        self._alphabet = "".join(sorted(used)) or string.ascii_letters + string.digits
        self._template = template_of(self._seen)
        self._format = format_of(schema.get("format"), self._seen)
        pattern = schema.get("pattern")
        self._pattern = pattern if isinstance(pattern, str) else None
        made = matching(self._pattern) if self._pattern is not None else ()
        self._matching = [text for text in made if self._fits(text)]

    def edges(self) -> list[Json]:
        """Return short, long, blank, odd and repetitive strings, and turns of a recorded one."""
        some = self._seen[0] if self._seen else "aB1"
        usual = max(self._low, len(some), 2)
        formed = [
            *(self._format.examples if self._format else ()),
            *(self._template.edges() if self._template else ()),
        ]
        plain = ["", self._alphabet[0], " ", self._alphabet[0] * usual, "0", some.swapcase()]
        plain += ["\N{SUPERSCRIPT TWO}", f" {some} ", "007", some + some, " \t\n ", _FOLDED]
        plain += [some[::-1], some + some[::-1], self._alphabet[-1] * self._high]
        plain += [f"{some}\r\n{some}", some[:1], some.upper(), "-1", "1.5", "a'b\"c,d"]
        plain += [f"{some}\0", _FOREIGN_DIGITS, "aB" * usual, some[:-1]]
        plain += ["\N{SLIGHTLY SMILING FACE}", "e\N{COMBINING ACUTE ACCENT}"]
        first, rest = self._matching[:6] + formed, [self._padded(text) for text in plain]
        return distinct(text for text in [*rest[:2], *first, *rest[2:]] if self._fits(text))

    def mined(self) -> list[Json]:
        """Return the strings of the text, alone and within a recorded one, and its lengths.

        And recorded ones with its numbers in the place of theirs.
        """
        some = self._seen[0] if self._seen else "ab"
        half = len(some) // 2
        made = []
        for text in self._constants.texts:
            made += [text, some[:half] + text + some[half:], text + some, some + text]
        made += self._with_numbers(some)
        made += [self._of_length(length) for length in self._constants.lengths]
        made += [text.swapcase() for text in self._constants.texts]
        made += [text[:-1] for text in self._constants.texts]
        return distinct(text for text in made if self._fits(text))

    def _with_numbers(self, text: str) -> Iterator[str]:
        for run in islice(_NUMBER.finditer(text), _MOST_NUMBERS):
            for number in self._constants.numbers:
                if number >= 0:
                    yield f"{text[: run.start()]}{number}{text[run.end() :]}"

    @cached_property
    def strategy(self) -> SearchStrategy[Json]:
        """Strings, most often of the recorded form."""
        if self._pattern is not None:
            return self._of_pattern()
        low, high = min(self._low, LARGE), min(self._high, LARGE)
        shares = [
            (21, strategies.text(self._alphabet, min_size=low, max_size=high)),
            (9, strategies.text(_ODD_CHARACTERS, min_size=low, max_size=high)),
        ]
        forms = [form.strategy for form in (self._format, self._template) if form]
        if forms:
            shares.append((50, strategies.one_of(forms)))
        if self._seen:
            seen = strategies.sampled_from(self._seen)
            shares.append((20 if forms else 70, varied(seen, self._changed)))
        return by_shares(*shares).map(self._padded)

    def _of_pattern(self) -> SearchStrategy[Json]:
        """Return strings in which the pattern is found, some of them nearly recorded ones."""
        known = self._matching or [text for text in self._seen if self._fits(text)]
        if not known:
            return strategies.just(self._of_length(self._low))
        matching = strategies.sampled_from(known)
        changed = varied(strategies.sampled_from(self._seen or known), self._changed)
        fitting = strategies.builds(
            lambda text, other: text if self._fits(text) else other, changed, matching
        )
        return by_shares((4, matching), (1, fitting))

    @cached_property
    def large(self) -> SearchStrategy[Json]:
        """Strings of several hundred characters, or of as many as there may be."""
        if self._pattern is not None:
            return self.strategy
        length = min(LARGE, self._highest)
        return strategies.text(self._alphabet, min_size=length, max_size=length).map(self._padded)

    def near(self, value: Json, pick: Pick) -> Json:
        """Return a string that is nearly this one."""
        return self._changed(value, pick) if isinstance(value, str) else value

    def _changed(self, text: str, pick: Pick) -> str:
        at = pick(len(text) + 1)
        to = at + pick(len(text) + 1 - at)
        characters = [self._alphabet, _ODD_CHARACTERS, *self._constants.texts[:3]]
        part = characters[pick(len(characters))]
        character = part[pick(len(part))]
        others = self._seen or [text]
        changes = (
            text[:at] + character + text[at:],
            text[:at] + character + text[at + 1 :],
            text[:at] + text[to:],
            text[:to] + text[at:to] + text[to:],
            text[:at] + text[at:to].swapcase() + text[to:],
            text[to:] + text[at:to] + text[:at],
            text[:at] + text[to : to + 1] + text[at + 1 :],
            text + others[pick(len(others))],
        )
        return changes[pick(len(changes))]

    def _padded(self, text: str) -> str:
        """Return a string of an allowed length that starts as this one does."""
        filler = text[-1:] or "a"
        return text.ljust(self._low, filler)[: self._highest]

    def _of_length(self, length: int) -> str:
        some = "".join(self._seen[:1]) or "abcdefghij"
        return (some * (length // len(some) + 1))[:length]

    def _fits(self, text: str) -> bool:
        if not self._low <= len(text) <= self._highest:
            return False
        if self._pattern is None:
            return True
        return is_harmless(self._pattern) and re.search(self._pattern, text) is not None
