"""How good the answers of searches are: beside reading all tools, and for real tasks."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.registry.catalogue import Question
from benchmarks.registry.labelled import labelled_tasks
from toolguild.registry import Registry
from toolguild.registry.retrieval import Embedder, LocalEmbedder
from toolguild.registry.retrieval.documents import documents
from toolguild.registry.retrieval.indexing import embed_tools
from toolguild.registry.retrieval.relevance import (
    DESCRIPTION,
    NAME,
    PARAMETERS,
    coverage,
    weights_of,
)
from toolguild.registry.retrieval.words import words_of

__all__ = ["BY_MEANING", "K", "compared", "labelled"]

K = 8
"""Tools that are looked for."""
BY_MEANING = "by meaning, too"


def compared(registry: Registry, asked: Sequence[Question]) -> dict[str, float]:
    """Compare what is found with what reading every tool would find, by relevance alone.

    Of equally relevant tools it is no matter which are found.
    """
    texts = _texts(registry)
    having: dict[str, set[str]] = {}
    for name, fields in texts.items():
        for word in " ".join(fields.values()).split():
            having.setdefault(word, set()).add(name)
    found_best, best_of_all, first = 0, 0, 0
    for question in asked:
        words = dict.fromkeys(words_of(question.text))
        weights = weights_of({word: len(having.get(word, ())) for word in words}, len(texts))
        those = set().union(*(having.get(word, set()) for word in words))
        shares = {name: coverage(weights, texts[name])[0] for name in those}
        best = heapq.nlargest(K, shares.values())
        found = [one.version.spec.name for one in registry.search(question.text, k=K)]
        found_best += sum(shares.get(name, 0) >= best[-1] for name in found) if best else 0
        best_of_all += len(best)
        first += question.tool in found
    return {"of the best by relevance": found_best / best_of_all, "asked for": first / len(asked)}


def _texts(registry: Registry) -> dict[str, dict[Any, str]]:
    with registry.database.read() as connection:
        return {
            row.name: {
                NAME: row.name_words,
                DESCRIPTION: row.description_words,
                PARAMETERS: row.parameter_words,
            }
            for row in connection.execute(select(documents))
        }


def labelled(
    registry: Registry, among: str, model: Path | None
) -> dict[str, dict[str, dict[str, float]]]:
    """Return how well real tasks are served by words, and by words and meaning."""
    found = {among: _served(registry, None)}
    if model is not None:
        embedder = LocalEmbedder(model)
        sum(embed_tools(registry.database, embedder))
        found[f"{among}, {BY_MEANING}"] = _served(registry, embedder)
    return found


def _served(registry: Registry, embedder: Embedder | None) -> dict[str, dict[str, float]]:
    """Return how many of the tools that real tasks take are among the best."""
    found: dict[str, list[tuple[float, float]]] = {}
    for task in labelled_tasks():
        best = registry.search(task.text, k=K, embedder=embedder)
        names = [one.version.spec.name for one in best]
        ranks = [place for place, name in enumerate(names, start=1) if name in task.tools]
        recall = len(ranks) / len(task.tools)
        found.setdefault(task.source, []).append((recall, 1 / ranks[0] if ranks else 0.0))
    return {
        source: {
            "tasks": len(of_task),
            "recall": statistics.fmean(recall for recall, _ in of_task),
            "reciprocal rank": statistics.fmean(rank for _, rank in of_task),
        }
        for source, of_task in found.items()
    }
