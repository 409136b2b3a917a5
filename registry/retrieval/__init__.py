"""Finding the tools that fit a task: by name, by text and, where vectors are kept, by meaning."""

from toolguild.registry.retrieval.embeddings import (
    Embedder,
    EmbeddingError,
    OpenAIEmbedder,
    Vector,
)
from toolguild.registry.retrieval.local_embeddings import LocalEmbedder
from toolguild.registry.retrieval.query import Found, search
from toolguild.registry.retrieval.records import RecentUses
from toolguild.registry.retrieval.vectors import Meaning, meaning_of

__all__ = [
    "Embedder",
    "EmbeddingError",
    "Found",
    "LocalEmbedder",
    "Meaning",
    "OpenAIEmbedder",
    "RecentUses",
    "Vector",
    "meaning_of",
    "search",
]
