"""What searching takes of PostgreSQL: plans that need no statistics, and an index that is ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from old_layouts import take_back_to_layout_4
from sqlalchemy import text

from toolguild.registry import Registry, ToolSpec
from toolguild.registry.retrieval.indexing import rebuild
from toolguild.registry.retrieval.records import RECENT_USES, recent_uses

pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.usefixtures("database"),
    pytest.mark.postgres,
]
MANY_USES = text(
    "INSERT INTO uses (id, version, input_digest, status, ran, duration_s, at, error, effects)"
    " SELECT number, :version, '', 'ok', true, 0.1, '', '', '[]'"
    " FROM generate_series(1, 20000) AS number"
)
READ = text(
    "SELECT seq_scan, idx_tup_fetch AS fetched FROM pg_stat_xact_user_tables"
    " WHERE relid = CAST('uses' AS regclass)"
)
INDEXES = ("search_documents_names", "search_documents_texts")


def test_of_many_uses_few_are_read_before_there_are_statistics(
    registry: Registry, make_spec: Callable[..., ToolSpec]
) -> None:
    version = registry.register(make_spec()).version.digest
    with registry.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE uses SET (autovacuum_enabled = off)")
        connection.execute(MANY_USES, {"version": version})
    with registry.database.read() as connection:
        before = connection.execute(READ).one()
        assert recent_uses(connection, [version])[version].runs == RECENT_USES
        after = connection.execute(READ).one()
    assert after.seq_scan == before.seq_scan
    assert after.fetched - before.fetched == RECENT_USES


def test_what_is_written_is_indexed_at_once(registry: Registry) -> None:
    def options() -> list[str | None]:
        query = text("SELECT reloptions::text FROM pg_class WHERE oid = CAST(:name AS regclass)")
        with registry.database.read() as connection:
            return [connection.scalar(query, {"name": name}) for name in INDEXES]

    assert options() == ["{fastupdate=off}"] * 2
    rebuild(registry.database)
    assert options() == ["{fastupdate=off}"] * 2


def test_the_search_index_of_an_older_registry_gets_the_options_of_a_new_one(where: str) -> None:
    with Registry.open(where) as registry:
        take_back_to_layout_4(registry)
    with Registry.open(where) as registry, registry.database.read() as connection:
        query = text("SELECT reloptions::text FROM pg_class WHERE relname = ANY(:names)")
        options = connection.scalars(query, {"names": [*INDEXES]}).all()
        assert options == ["{fastupdate=off}"] * 2
