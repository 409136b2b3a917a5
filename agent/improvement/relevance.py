"""Which texts bear on a task: by their words, and by their meaning where there is a model for it.

Ranked as tools are, by BM25F over stems of words, fused with cosines of embeddings. But what is
told costs tokens on every request, and nearness in meaning has no zero: so a text that shares no
word with the task is never told. Only texts that do share one count, so that what has nothing to
do with a task makes no difference to it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from operator import mul

from toolguild.registry.retrieval import Embedder, EmbeddingError, meaning_of
from toolguild.registry.retrieval.ranking import fused
from toolguild.registry.retrieval.relevance import Field, coverage, weights_of
from toolguild.registry.retrieval.vectors import units_of
from toolguild.registry.retrieval.words import words_of

__all__ = ["Texts"]


class Texts:
    """Texts to choose from."""

    def __init__(self, texts: Mapping[str, Mapping[Field, str]], embedder: Embedder | None) -> None:
        """Take texts; nothing is embedded yet.

        Args:
            texts: By their keys, the best of equally relevant ones first; each in its fields.
            embedder: Adds meaning to words.
        """
        self._texts, self._embedder = texts, embedder
        self._words = {
            key: {field: " ".join(words_of(text)) for field, text in fields.items()}
            for key, fields in texts.items()
        }

    def most_relevant(self, task: str, k: int) -> list[str]:
        """Return the keys of the texts that bear on a task, at most so many, the best first."""
        by_words = self._by_words(task)
        if self._embedder is None or len(by_words) < 2:
            return by_words[:k]
        near = self._cosines(task, by_words)
        by_meaning = sorted(near, key=lambda key: -near[key])
        relevance = fused([by_words, by_meaning])
        # Equal words have ranks by chance, so between equal sums meaning decides.
        return sorted(by_words, key=lambda key: (-relevance[key], -near.get(key, -1.0)))[:k]

    def _by_words(self, task: str) -> list[str]:
        asked = {*words_of(task)}
        having = {}
        for key, fields in self._words.items():
            if shared := asked.intersection(" ".join(fields.values()).split()):
                having[key] = shared
        counts = {word: sum(word in words for words in having.values()) for word in sorted(asked)}
        weights = weights_of(counts, len(having))
        share = {key: coverage(weights, self._words[key])[0] for key in having}
        return sorted(share, key=lambda key: -share[key])

    def _cosines(self, task: str, keys: list[str]) -> dict[str, float]:
        meaning = meaning_of(task, self._embedder)
        if meaning is None:
            return {}
        units = {key: self._units[key] for key in keys if key in self._units}
        return {
            key: sum(map(mul, meaning.vector, unit))
            for key, unit in units.items()
            if len(unit) == len(meaning.vector)
        }

    @cached_property
    def _units(self) -> dict[str, list[float]]:
        """Vectors of length 1, made once for all tasks."""
        assert self._embedder is not None  # noqa: S101 - only looked at where there is one
        whole = ["\n".join(fields.values()) for fields in self._texts.values()]
        try:
            return units_of(dict(zip(self._texts, self._embedder.embed(whole), strict=True)))
        except EmbeddingError as error:
            warnings.warn(f"choosing by words alone: {error}", RuntimeWarning, stacklevel=2)
            return {}
