"""Leaving only characters that a person sees, in the one form that each of them has.

What a person does not see, a model still reads: tag characters and variation selectors carry whole
hidden sentences, zero-width characters cut the words that a filter looks for, and control sequences
make a terminal show something else than what is written.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from toolguild.policies.wording.findings import Reason, Removed, removed

__all__ = ["MARKS_IN_A_ROW", "is_allowed", "visible"]

MARKS_IN_A_ROW = 2
"""Accents on one letter; more are used to bury a text."""

_ESCAPE: Final = r"(?:\x1b|\\x1b|\\033|\\u001b|\\e)"
_CONCEALED: Final = re.compile(rf"{_ESCAPE}\[(?:\d+;)*8m.*?(?:{_ESCAPE}\[[\d;]*m|\Z)", re.DOTALL)
"""What a terminal is told not to show."""
_TERMINAL: Final = re.compile(
    rf"{_ESCAPE}\][^\x07\x1b]*(?:\x07|\x1b\\|\Z)"  # commands with text, such as a window's title
    rf"|{_ESCAPE}[P^_X][^\x1b]*(?:\x1b\\|\Z)"
    rf"|{_ESCAPE}\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]"
)

_BLANKS: Final = re.compile(r" +")
_BLANK_LINES: Final = re.compile(r"(?: ?\n ?){2,}")

_TAGS: Final = range(0xE0000, 0xE0080)
_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
_SEEN_AS_NOTHING: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols by their category that are drawn as nothing at all."""
_BRAILLE: Final = range(0x2800, 0x2900)
_BASIC_PLANE: Final = range(0x10000)

_BLANK_CATEGORIES: Final = frozenset({"Zs", "Zl", "Zp"})
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def visible(text: str) -> tuple[str, list[Removed]]:
    """Return a text of allowed characters, spaces and line feeds, and what was taken out of it.

    Compatibility forms (full-width letters, ligatures, letters of mathematics) become the plain
    ones by NFKC.
    """
    found: list[Removed] = []

    def drop(match: re.Match[str]) -> str:
        found.append(removed(Reason.HIDDEN, match[0]))
        return " "

    text = _TERMINAL.sub(drop, _CONCEALED.sub(drop, text))
    for normalise in (str, _nfkc):
        kept, hidden = _sifted(normalise(text))
        if hidden:
            found.append(removed(Reason.HIDDEN, _read(hidden)))
        text = kept
    return _BLANK_LINES.sub("\n\n", _BLANKS.sub(" ", text)), found


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _sifted(text: str) -> tuple[str, str]:
    """Return the characters to be kept, blanks as plain ones, and those to be taken out."""
    if text.isascii() and text.isprintable():
        return text, ""
    kept: list[str] = []
    hidden: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if character in "\n\r\t" or category in _BLANK_CATEGORIES:
            kept.append("\n" if character in "\n\r\u2028\u2029" else " ")
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if is_allowed(character) and marks <= MARKS_IN_A_ROW:
            kept.append(character)
        else:
            hidden.append(character)
            # Blanks that are drawn as nothing part words, zero-width characters do not.
            kept.append(" " if category in {"Lo", "So"} else "")
    return "".join(kept), "".join(hidden)


def is_allowed(character: str) -> bool:
    """Whether a character is one that a person sees and that is there to be read.

    Of symbols only those of the basic plane are: letters in boxes and flags beyond it spell words
    that no filter knows, and Braille does, too.
    """
    code = ord(character)
    category = unicodedata.category(character)
    if category in _HIDDEN_CATEGORIES or character in _SEEN_AS_NOTHING or category == "Me":
        return False
    if any(code in selectors for selectors in _SELECTORS) or code in _BRAILLE:
        return False
    if category == "So":
        return code in _BASIC_PLANE
    return character == " " or category not in _BLANK_CATEGORIES


def _read(hidden: str) -> str:
    """Return hidden characters as a person can judge them: what tag characters spell, spelled."""
    return "".join(
        chr(ord(character) - _TAGS.start) if ord(character) in _TAGS else character
        for character in hidden
    )
