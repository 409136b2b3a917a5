"""Strings: of the form of the recorded ones, of the schema's, and odd ones."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from random import Random

from toolguild.sandbox import Json, JsonObject
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
        """Return the strings of the text, alone and within a recorded one, and its lengths."""
        some = self._seen[0] if self._seen else "ab"
        half = len(some) // 2
        made = []
        for text in self._constants.texts:
            made += [text, some[:half] + text + some[half:], text + some, some + text]
        made += [self._of_length(length) for length in self._constants.lengths]
        made += [text.swapcase() for text in self._constants.texts]
        made += [text[:-1] for text in self._constants.texts]
        return distinct(text for text in made if self._fits(text))

    def draw(self, random: Random) -> Json:
        """Return a string, most often of the recorded form."""
        for _ in range(4):
            text = self._candidate(random)
            if self._fits(text):
                return text
        return random.choice(self._matching or self._seen or [self._of_length(self._low)])

    def large(self, random: Random) -> Json:
        """Return one of several hundred characters, or the longest."""
        if self._pattern is not None:
            return self.draw(random)
        length = min(LARGE, self._highest)
        return "".join(random.choices(self._alphabet, k=max(length, self._low)))

    def _candidate(self, random: Random) -> str:
        kind = random.random()
        if self._matching and kind < 0.8:
            return random.choice(self._matching)
        if kind < 0.5 and (self._format or self._template):
            if self._format and (kind < 0.35 or self._template is None):
                return self._format.draw(random)
            if self._template:
                return self._template.draw(random)
        if kind < 0.7 and self._seen:
            return self._changed(random.choice(self._seen), random)
        alphabet = _ODD_CHARACTERS if random.random() < 0.3 else self._alphabet
        return "".join(random.choices(alphabet, k=random.randint(self._low, self._high)))

    def near(self, value: Json, random: Random) -> Json:
        """Return a string that is nearly this one."""
        return self._changed(value, random) if isinstance(value, str) else self.draw(random)

    def _changed(self, text: str, random: Random) -> str:
        at = random.randint(0, len(text))
        to = random.randint(at, len(text))
        part = random.choice([self._alphabet, _ODD_CHARACTERS, *self._constants.texts[:3]])
        character = random.choice(part)
        match random.randrange(8):
            case 0:
                return text[:at] + character + text[at:]
            case 1:
                return text[:at] + character + text[at + 1 :]
            case 2:
                return text[:at] + text[to:]
            case 3:
                return text[:to] + text[at:to] + text[to:]
            case 4:
                return text[:at] + text[at:to].swapcase() + text[to:]
            case 5:
                return text[to:] + text[at:to] + text[:at]
            case 6 if text:
                return text[:at] + random.choice(text) + text[at + 1 :]
        return text + random.choice(self._seen or [text])

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
