"""Vectors of tools in the database, and the nearest of them to another one.

Beside each vector stands its signature, a bit for the sign of each component. The angle between
two vectors shows in how many bits of their signatures differ (Charikar, "Similarity estimation
techniques from rounding algorithms", STOC 2002), which is counted for 100,000 tools in a fraction
of the time that reading their vectors takes. So signatures make a short list, and of that alone
cosines are computed.
"""

from __future__ import annotations

import heapq
import struct
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import hypot
from operator import mul
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    UniqueConstraint,
    literal_column,
    select,
    text,
)

from toolguild.registry import schema
from toolguild.registry.canonical import digest
from toolguild.registry.retrieval.documents import documents
from toolguild.registry.retrieval.embeddings import Embedder, EmbeddingError, Vector

__all__ = [
    "Meaning",
    "batches_of",
    "digests_of_batches",
    "keep",
    "make_anew",
    "meaning_of",
    "nearest",
    "vectors",
    "without_vector",
]

_BYTES = 4
"""Of a component."""
_SHORT_LIST = 500
"""Vectors whose cosines are computed: several times as many as are wanted."""

vectors = Table(
    "search_vectors",
    schema.metadata,
    Column("id", Integer, primary_key=True),
    Column("version", ForeignKey("versions.digest"), nullable=False),
    Column("model", String, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Column("batch", schema.Count, nullable=False),
    UniqueConstraint("version", "model"),
    # Covers what the short list is made from, so that the vectors are not read for it.
    Index("search_vectors_signatures", "model", "dimension", "signature", "id"),
    Index("search_vectors_by_batch", "batch"),
)
"""Vectors have length 1, as little-endian 32-bit floats. Batches are those of `vector_batches`."""

_KEEP = text(
    "INSERT INTO search_vectors (version, model, dimension, signature, vector, batch)"
    " VALUES (:version, :model, :dimension, :signature, :vector, :batch)"
    " ON CONFLICT (version, model) DO UPDATE SET dimension = excluded.dimension,"
    " signature = excluded.signature, vector = excluded.vector, batch = excluded.batch"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means to a model."""

    model: str
    vector: Vector
    """Of length 1."""


def meaning_of(text: str, embedder: Embedder | None) -> Meaning | None:
    """Return what a text means; None, with a warning, where that cannot be had."""
    if embedder is None or not text.strip():
        return None
    try:
        [vector] = embedder.embed([text])
        return Meaning(embedder.model, _unit(vector))
    except EmbeddingError as error:
        warnings.warn(f"searching by text alone: {error}", RuntimeWarning, stacklevel=3)
        return None


def without_vector(connection: Connection, model: str) -> list[str]:
    """Return the digests of versions that names point at and this model made no vector of."""
    made = select(vectors.c.version).where(vectors.c.model == model)
    query = select(documents.c.version).where(documents.c.version.not_in(made))
    return list(connection.scalars(query.order_by(documents.c.id)))


def make_anew(connection: Connection) -> None:
    """Make the table as it is now, without any vectors; `toolguild tools index` makes those."""
    vectors.drop(connection, checkfirst=True)
    vectors.create(connection)


def batches_of(connection: Connection, model: str, versions: Collection[str]) -> list[int]:
    """Return the batches that have vectors which the model made of these versions."""
    of_these = vectors.c.model == model, vectors.c.version.in_(versions)
    return list(connection.scalars(select(vectors.c.batch).where(*of_these).distinct()))


def digests_of_batches(
    connection: Connection, batches: Collection[int] | None = None
) -> dict[str, str]:
    """Return a digest over all columns of all vectors of each batch, by its number as a text.

    Args:
        connection: To either database.
        batches: Only these; all unless given.
    """
    # By no column's type: what is no blob there any more would be an error.
    query: Select[Any] = select(literal_column("*")).select_from(vectors).order_by(vectors.c.id)
    if batches is not None:
        query = query.where(vectors.c.batch.in_(batches))
    rows: dict[str, list[str]] = {}
    with connection.execute(query, execution_options={"yield_per": 1000}) as found:
        for row in found.mappings():
            plain = {name: _plain(value) for name, value in row.items()}
            rows.setdefault(str(row["batch"]), []).append(digest(plain))
    return {batch: digest(digests) for batch, digests in rows.items()}


def _plain(value: object) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def units_of(made: Mapping[str, Vector]) -> dict[str, list[float]]:
    """Return vectors of length 1, without those that have no direction.

    Models of words make such for texts that have other words only.
    """
    units = {}
    for version, vector in made.items():
        with suppress(EmbeddingError):
            units[version] = _unit(vector)
    return units


def keep(
    connection: Connection, model: str, units: Mapping[str, Sequence[float]], batch: int
) -> None:
    """Keep vectors of length 1, by the digests of their versions, as one batch."""
    rows = []
    for version, unit in units.items():
        told = {"version": version, "model": model, "batch": batch}
        packed = {"signature": _signature(unit), "vector": _pack(unit)}
        rows.append({**told, "dimension": len(unit), **packed})
    if rows:
        connection.execute(_KEEP, rows)


def nearest(
    connection: Connection,
    meaning: Meaning,
    *,
    tier: str | None,
    state: str | None,
    wanted: int,
) -> list[tuple[int, float]]:
    """Return the ids of the documents that are nearest in meaning, with their cosines.

    Args:
        connection: To either database.
        meaning: What they are compared with.
        tier: Only documents of this tier.
        state: Only documents in this state.
        wanted: Documents at most.
    """
    unit = meaning.vector
    by_signature = _by_signature(connection, meaning.model, unit)
    size = max(_SHORT_LIST, wanted)
    while True:
        short_list = heapq.nsmallest(size, by_signature)
        ids = [id for _, id in short_list]
        query = (
            select(documents.c.id, vectors.c.vector)
            .join_from(vectors, documents, documents.c.version == vectors.c.version)
            .where(vectors.c.id.in_(ids))
        )
        if tier is not None:
            query = query.where(documents.c.tier == tier)
        if state is not None:
            query = query.where(documents.c.state == state)
        found = [
            (id, _cosine(unit, packed))
            for id, packed in connection.execute(query)
            if len(packed) == _BYTES * len(unit)
        ]
        if len(found) >= wanted or size >= len(by_signature):
            return heapq.nsmallest(wanted, found, key=lambda one: (-one[1], one[0]))
        # Most of the list was what nobody may be shown: versions of old, other tiers and states.
        size *= 4


def _by_signature(
    connection: Connection, model: str, unit: Sequence[float]
) -> list[tuple[int, int]]:
    """Return in how many bits each vector of the model differs, with its id."""
    query = select(vectors.c.signature, vectors.c.id).where(
        vectors.c.model == model, vectors.c.dimension == len(unit)
    )
    wanted = int.from_bytes(_signature(unit))
    return [
        ((int.from_bytes(signature) ^ wanted).bit_count(), id)
        for signature, id in connection.execute(query)
    ]


def _unit(vector: Vector) -> list[float]:
    length = hypot(*vector)
    if not 0 < length < float("inf"):
        msg = "a vector without a direction came; use another embedding model"
        raise EmbeddingError(msg)
    return [component / length for component in vector]


def _signature(vector: Iterable[float]) -> bytes:
    bits = "".join("1" if component > 0 else "0" for component in vector)
    return int(bits, 2).to_bytes((len(bits) + 7) // 8)


def _pack(unit: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(unit)}f", *unit)


def _cosine(unit: Sequence[float], packed: bytes) -> float:
    components: tuple[float, ...] = struct.unpack(f"<{len(unit)}f", packed)
    return float(sum(map(mul, unit, components)))
