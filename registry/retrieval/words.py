"""The words of a text, as they are indexed and looked for: the same on both sides.

A database's own tokenizers differ from each other and read the syntax of their queries into what
users type. So texts are cut here, and databases see nothing but words of letters and digits.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from snowballstemmer.english_stemmer import EnglishStemmer  # type: ignore[import-untyped]

__all__ = ["words_of"]

MAX_TEXT = 20_000
"""Characters that are read of a text: more than any description may have."""
_MAX_WORD = 64
"""Letters of a word; what is longer is a key or a number, and nobody looks for it."""

_WITHIN_NAMES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins inside `getUserDetails` and `parseHTTPReply`."""
_WORD = re.compile(r"[^\W_]+")

_FUNCTION_WORDS = frozenset(
    """
    a about am an and any are as at be been but by can could d did do does doing for from had has
    have he her him his i if in into is it its just ll m me my of on or our please re s she should
    so some t than that the their them then there these they this those to us ve want was we were
    what when where which who will with would you your
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""English words that say nothing of what a tool does, and stand in nearly every text."""


def words_of(text: str) -> list[str]:
    """Return the words of a name or a text in their order, by their stems.

    Case, accents and the way in which a name joins its words make no difference, nor do the
    endings of English: `getUserDetails`, `get_user_details` and "getting the user's details"
    have the same words. What stands between words (punctuation, NUL, lone surrogates) is lost.
    """
    cut = _WITHIN_NAMES.sub(" ", text[:MAX_TEXT])
    found = _WORD.findall(_without_accents(cut).casefold())
    return [_stem(word) for word in found if word not in _FUNCTION_WORDS and len(word) <= _MAX_WORD]


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    # A stemmer keeps the word that it works on: one for each call is safe between threads.
    return str(EnglishStemmer().stemWord(word))
