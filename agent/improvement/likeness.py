"""How alike two texts are by their words, without a model: the same on every machine."""

from __future__ import annotations

from collections import Counter

from toolguild.registry.retrieval.words import words_of

__all__ = ["likeness"]


def likeness(one: str, other: str) -> float:
    """Return the share of their words that two texts have in common, from 0 to 1.

    It is the coefficient of Dice (Ecology 26, 1945) over the stems of words as often as they
    stand there: twice the common ones over all. Order, case and the endings of English make no
    difference; every word counts the same. Texts without words are like nothing.
    """
    ones, others = Counter(words_of(one)), Counter(words_of(other))
    words = ones.total() + others.total()
    return 2 * (ones & others).total() / words if words else 0.0
