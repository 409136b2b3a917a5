"""How much of what a question asks for a tool's texts have: BM25F, as a share of the most.

Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (CIKM 2004):
a word's occurrences are weighted by the field that they stand in and by its length, added up, and
only then saturated. A word weighs by how few tools have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

__all__ = ["DESCRIPTION", "NAME", "PARAMETERS", "Field", "coverage", "name_match", "weights_of"]

_SATURATION = 1.2
"""BM25's k1: what a word's second occurrence adds to its first."""
_LENGTH = 0.5
"""BM25's b, from 0 to 1: how much a word counts for less in a longer text."""

_BEGINNING = 0.9
"""Relevance of a tool whose name begins with what was typed: more than words have in most."""


@dataclass(frozen=True, slots=True)
class Field:
    """One of the texts of a tool."""

    weight: float
    usual_words: int
    """How long such a text usually is. A constant in the place of BM25's average, so that a
    tool's score does not change with the texts of others."""


NAME = Field(weight=5.0, usual_words=3)
DESCRIPTION = Field(weight=2.0, usual_words=15)
PARAMETERS = Field(weight=1.0, usual_words=15)


def weights_of(counts: Mapping[str, int], total: int) -> dict[str, float]:
    """Return what each word weighs.

    Args:
        counts: How many tools have the word.
        total: How many tools there are.

    Returns:
        The inverse document frequency, kept above zero by adding one in the logarithm.
    """
    return {
        word: log(1 + (max(0, total - tools) + 0.5) / (tools + 0.5))
        for word, tools in counts.items()
    }


def coverage(
    weights: Mapping[str, float], texts: Mapping[Field, str]
) -> tuple[float, tuple[str, ...]]:
    """Return how much of the words asked for the texts of a tool have, and which of them.

    Args:
        weights: The words asked for, and what each weighs.
        texts: The words of each field, with spaces between them.

    Returns:
        BM25F divided by the most that a tool could have, so at least 0 and below 1; and the
        words that were found, the weightiest first.
    """
    found: dict[str, float] = {}
    for field, text in texts.items():
        words = text.split()
        share = field.weight / (1 - _LENGTH + _LENGTH * len(words) / field.usual_words)
        for word in words:
            if word in weights:
                found[word] = found.get(word, 0.0) + share
    reached = sum(weights[word] * many / (_SATURATION + many) for word, many in found.items())
    most = sum(weights.values())
    heaviest_first = sorted(found, key=lambda word: (-weights[word], word))
    return (reached / most if most else 0.0), tuple(heaviest_first)


def name_match(asked: str, name: str) -> float:
    """Return 1 where the text is the name, 0.9 and more where the name begins with it, else 0."""
    if not asked or not name.startswith(asked):
        return 0.0
    return _BEGINNING + (1 - _BEGINNING) * len(asked) / len(name)
