"""Making what searching goes by: the index of words, and vectors of the tools that have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import Connection

from toolguild.registry import rows, schema
from toolguild.registry.database import Database
from toolguild.registry.errors import TamperedError
from toolguild.registry.model import ToolSpec, ToolVersion
from toolguild.registry.retrieval import documents
from toolguild.registry.retrieval.embeddings import Embedder
from toolguild.registry.retrieval.vectors import without_vector
from toolguild.registry.store import Registry

__all__ = ["embed_tools", "rebuild"]

_BATCH = 64


def rebuild(database: Database) -> int:
    """Make the index of words anew, as it has to be where it was damaged.

    Returns:
        The number of tools that can be found by it.
    """
    with database.write() as connection:
        return documents.rebuild(connection)


def embed_tools(registry: Registry, embedder: Embedder) -> Iterator[int]:
    """Have vectors made of the tools that have none of this model, a batch at a time.

    Each batch is kept before the next is asked for, so that what ends early goes on there.

    Yields:
        The number of vectors of the batch that were kept.

    Raises:
        EmbeddingError: there are no vectors.
    """
    with registry.database.read() as connection:
        missing = without_vector(connection, embedder.model)
    for start in range(0, len(missing), _BATCH):
        with registry.database.read() as connection:
            batch = _versions(connection, missing[start : start + _BATCH])
        if not batch:
            continue
        made = embedder.embed([_text_of(version.spec) for version in batch])
        digests = [version.digest for version in batch]
        yield registry.keep_vectors(embedder.model, dict(zip(digests, made, strict=True)))


def _versions(connection: Connection, digests: Sequence[str]) -> list[ToolVersion]:
    query = rows.VERSIONS.where(schema.versions.c.digest.in_(digests))
    found = []
    for row in connection.execute(query):
        with suppress(TamperedError):  # `audit verify` names it, and it cannot be called.
            found.append(rows.version_of(row))
    return found


def _text_of(spec: ToolSpec) -> str:
    parameters = documents.text_of_parameters(spec.parameters)
    return f"{spec.name.replace('_', ' ')}\n{spec.description}\n{parameters}"
