"""Vectors that tools are found by, as the audit trail tells of them: a batch at a time.

Whoever can write to the database could otherwise make tools nearer in meaning than they are. A
batch has the number of the row of the trail that tells of it, with a digest over all its vectors.
A vector that is made anew moves to the new batch, and the trail tells anew of the one it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from toolguild.registry import chain
from toolguild.registry.canonical import storable_text
from toolguild.registry.journal import Journal
from toolguild.registry.retrieval import Vector, vectors
from toolguild.sandbox import Json

__all__ = ["differences", "keep"]


def keep(connection: Connection, journal: Journal, model: str, made: Mapping[str, Vector]) -> int:
    """Keep the vectors that a model made, by the digests of their versions, as one batch.

    Left out are those without a direction.

    Returns:
        How many were kept.
    """
    units = vectors.units_of(made)
    if not units:
        return 0
    batch = chain.read_head(connection).seq + 1
    changed = {*vectors.batches_of(connection, model, [*units]), batch}
    vectors.keep(connection, model, units, batch)
    found = vectors.digests_of_batches(connection, changed)
    told: dict[str, Json] = {str(number): found.get(str(number)) for number in changed}
    why = f"{len(units)} vectors to find tools by"
    journal.tell(connection, "embed", storable_text(model), None, {"vectors": told}, why)
    return len(units)


def differences(connection: Connection, told: Mapping[str, Json]) -> Iterator[str]:
    """Yield the batches that are not as the trail tells of them, by their numbers."""
    found = vectors.digests_of_batches(connection)
    for number in sorted(found.keys() | told.keys()):
        if found.get(number) == told.get(number):
            continue
        if number in told:
            yield f"the vectors that row {number} of the trail tells of are not as they were kept"
        else:
            yield f"there are vectors of batch {number[:20]}, and no row of the trail tells of them"
