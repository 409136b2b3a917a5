"""How a way of saying something is written down, so that a person can read and extend the lists.

A phrase is a row of parts. A part is a list of alternatives apart by commas, in which `*` stands
for any ending (`ignor*`); `maybe` makes a part optional, and `gap` lets so many characters of other
words stand between two parts. Phrases are matched against lower-case text with plain letters and
single spaces (see `disguises`), one sentence at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from toolguild.policies.wording.findings import Reason

__all__ = ["ANY_WORD", "Phrase", "alternatives", "gap", "maybe", "phrase", "raw"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A way of saying one thing."""

    text: str
    """A regular expression."""
    reason: Reason
    taints: bool = True
    """Whether nothing of a text that says this is to be believed; else the sentence goes alone."""
    is_weighty: bool = False
    """Whether it is worth looking for across sentences, backwards and shifted, too."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression, compiled when it is first wanted: the lists are long."""
        return _compiled(self.text)


@cache
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A part that is a regular expression already, with its own spaces."""

    text: str
    follows: str = " "
    """What stands between it and the part after it."""


Part: TypeAlias = str | _Pattern

ANY_WORD = _Pattern(r"(?:[^\s,;:.!?]+ )?", "")
"""One word or none."""


def alternatives(words: str) -> str:
    """Return the regular expression of a list of alternatives."""
    escaped = [re.escape(word.strip()).replace(r"\*", r"\w*") for word in words.split(",")]
    return rf"\b(?:{'|'.join(escaped)})\b"


def gap(characters: int = 40) -> _Pattern:
    """Return a part that other words of the same sentence match, so many characters at most."""
    return _Pattern(rf"(?:[^.!?]{{0,{characters}}}? )??", "")


def maybe(words: str) -> _Pattern:
    """Return a part that may be left out."""
    return _Pattern(rf"(?:{alternatives(words)} )?", "")


def raw(pattern: str, follows: str = " ") -> _Pattern:
    """Return a part that is a regular expression, for what is not made of words."""
    return _Pattern(pattern, follows)


def phrase(reason: Reason, *parts: Part, taints: bool = True, is_weighty: bool = False) -> Phrase:
    """Return the phrase of some parts, one after the other.

    Args:
        reason: Why it may not be said.
        *parts: Lists of words, and what `gap`, `maybe` and `raw` return.
        taints: Whether the whole text goes, or only the sentence.
        is_weighty: Whether to look for it across sentences and in turned text.
    """
    written = [_Pattern(alternatives(part)) if isinstance(part, str) else part for part in parts]
    pattern = "".join(part.text + part.follows for part in written[:-1]) + written[-1].text
    return Phrase(pattern, reason, taints, is_weighty)
