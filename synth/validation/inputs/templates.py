"""What recorded strings have in common: `AB1234` and `CD0007` are two letters and four digits."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

__all__ = ["Template", "template_of"]

_MAX_LENGTH = 60
_MAX_PARTS = 20

_FINE = re.compile(r"[0-9]+|[a-z]+|[A-Z]+|[^0-9a-zA-Z]")
_COARSE = re.compile(r"[0-9a-zA-Z]+|[^0-9a-zA-Z]")


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of characters of one class."""

    alphabet: str
    shortest: int
    longest: int
    constant: str | None
    """The characters, where they were the same in all strings."""

    @property
    def strategy(self) -> SearchStrategy[str]:
        if self.constant is not None:
            return strategies.just(self.constant)
        return strategies.text(self.alphabet, min_size=self.shortest, max_size=self.longest)

    def filled(self, last: bool) -> str:
        """Return the longest with one character, the first or the last of the alphabet."""
        if self.constant is not None:
            return self.constant
        return (self.alphabet[-1] if last else self.alphabet[0]) * self.longest


@dataclass(frozen=True, slots=True)
class Template:
    """A sequence of stretches."""

    parts: tuple[_Part, ...]

    @property
    def strategy(self) -> SearchStrategy[str]:
        """Strings of this form."""
        return strategies.tuples(*(part.strategy for part in self.parts)).map("".join)

    def edges(self) -> list[str]:
        """Return the strings with the first and the last character of each class throughout."""
        return ["".join(part.filled(last) for part in self.parts) for last in (False, True)]


def template_of(texts: Sequence[str]) -> Template | None:
    """Return the form that all strings share; None where there is none, or it says nothing."""
    if not texts or max(map(len, texts)) > _MAX_LENGTH:
        return None
    return _template(texts, _FINE, _fine_alphabet) or _template(texts, _COARSE, _seen_alphabet)


def _template(
    texts: Sequence[str], classes: re.Pattern[str], alphabet_of: Callable[[Sequence[str]], str]
) -> Template | None:
    rows = [classes.findall(text) for text in texts]
    if not 2 <= len(rows[0]) <= _MAX_PARTS or any(len(row) != len(rows[0]) for row in rows):
        return None
    columns = list(zip(*rows, strict=True))
    mixed = any(len({alphabet_of([stretch]) for stretch in column}) > 1 for column in columns)
    if mixed and classes is _FINE:
        return None
    parts = []
    for column in columns:
        lengths = sorted(map(len, column))
        same = len(texts) > 1 and len(set(column)) == 1
        separator = not column[0].isalnum() or not column[0].isascii()
        if separator and len(set(column)) > 1:
            return None
        constant = column[0] if same or separator else None
        parts.append(_Part(alphabet_of(column), lengths[0], lengths[-1], constant))
    return Template(tuple(parts))


def _fine_alphabet(column: Sequence[str]) -> str:
    first = column[0][0]
    for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if first in alphabet:
            return alphabet
    return first


def _seen_alphabet(column: Sequence[str]) -> str:
    return "".join(sorted(set("".join(column))))
