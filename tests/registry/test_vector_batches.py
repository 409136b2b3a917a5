"""The audit trail covers the vectors that tools are found by."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from toolguild.registry import tail, verify
from toolguild.registry.retrieval.vectors import vectors


@pytest.fixture
def filled(registry, make_spec):
    """Five tools with vectors of a model, kept in two batches: rows 6 and 7 of the trail."""
    digests = [registry.register(make_spec(f"tool_{number}")).version.digest for number in range(5)]
    made = {digest: [1.0, float(number)] for number, digest in enumerate(digests)}
    registry.keep_vectors("small", {digest: made[digest] for digest in digests[:3]})
    registry.keep_vectors("small", {digest: made[digest] for digest in digests[3:]})
    return registry


def rows_of_batches(registry):
    query = select(vectors.c.batch, func.count().label("kept")).group_by(vectors.c.batch)
    with registry.database.read() as connection:
        return {row.batch: row.kept for row in connection.execute(query)}


def test_the_trail_tells_of_each_batch(filled):
    assert verify(filled).ok
    assert rows_of_batches(filled) == {6: 3, 7: 2}
    [first, second] = tail(filled, 2)
    assert (first.action, first.subject, first.seq) == ("embed", "small", 6)
    assert (second.content["why"], [*second.content["after"]["vectors"]]) == (
        "2 vectors to find tools by",
        ["7"],
    )


def test_nothing_is_told_where_no_vector_was_made(filled):
    filled.keep_vectors("small", {})
    assert len(tail(filled, 100)) == 7


def test_a_vector_that_is_made_anew_moves_to_a_new_batch(filled):
    one, other = (filled.tool(f"tool_{number}").digest for number in (0, 4))
    filled.keep_vectors("small", {one: [0.0, 1.0], other: [1.0, 1.0]})
    assert rows_of_batches(filled) == {6: 2, 7: 1, 8: 2}
    assert [*tail(filled, 1)[0].content["after"]["vectors"]] == ["6", "7", "8"]
    assert verify(filled).ok
    filled.keep_vectors("another", {one: [0.0, 1.0]})
    assert rows_of_batches(filled) == {6: 2, 7: 1, 8: 2, 9: 1}
    for number in (1, 2):
        filled.keep_vectors("small", {filled.tool(f"tool_{number}").digest: [1.0, 0.5]})
    assert 6 not in rows_of_batches(filled)
    assert verify(filled).ok


EDITS = {
    "vector changed": ("UPDATE search_vectors SET vector = signature WHERE id = 1", 6),
    "vector of another tool": (
        "UPDATE search_vectors SET signature = (SELECT signature FROM search_vectors WHERE id = 4),"
        " vector = (SELECT vector FROM search_vectors WHERE id = 4) WHERE id = 5",
        7,
    ),
    "model changed": ("UPDATE search_vectors SET model = 'large' WHERE id = 2", 6),
    "dimension changed": ("UPDATE search_vectors SET dimension = 3 WHERE id = 2", 6),
    "number changed": ("UPDATE search_vectors SET id = 9 WHERE id = 2", 6),
    "removed": ("DELETE FROM search_vectors WHERE id = 5", 7),
    "all removed": ("DELETE FROM search_vectors", 6),
    "moved to another batch": ("UPDATE search_vectors SET batch = 6 WHERE id = 5", 6),
    "added to a batch": (
        "INSERT INTO search_vectors SELECT 9, version, 'large', dimension, signature, vector, batch"
        " FROM search_vectors WHERE id = 5",
        7,
    ),
}


@pytest.mark.parametrize(("statement", "batch"), EDITS.values(), ids=EDITS)
def test_vectors_that_were_edited_are_found_in_their_batch(filled, statement, batch):
    with filled.database.write() as connection:
        assert connection.exec_driver_sql(statement).rowcount
    problem = verify(filled).problem
    assert (
        problem == f"the vectors that row {batch} of the trail tells of are not as they were kept"
    )


def test_vectors_that_the_trail_does_not_tell_of_are_found(filled):
    with filled.database.write() as connection:
        connection.exec_driver_sql("UPDATE search_vectors SET batch = 2 WHERE id = 5")
    assert "there are vectors of batch 2, and no row of the trail tells" in verify(filled).problem


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_text_in_place_of_a_vector_is_found(filled):
    with filled.database.write() as connection:
        connection.exec_driver_sql("UPDATE search_vectors SET vector = hex(vector) WHERE id = 1")
    assert "the vectors that row 6 of the trail" in verify(filled).problem
