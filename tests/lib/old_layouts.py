"""Taking a registry back to an earlier layout, as if an older toolguild had made it."""

from __future__ import annotations

from toolguild.registry import Registry

__all__ = ["take_back_to_layout_4"]

_NEW_IN_6 = ("DROP TABLE changes", "DROP TABLE scored_runs")
_NEW_IN_5 = (
    "DROP TABLE validations",
    "DROP TABLE aliases",
    "DROP INDEX search_vectors_by_batch",
    "ALTER TABLE search_vectors DROP COLUMN batch",
)
_NEW_IN_5_ON_POSTGRESQL = (
    "ALTER INDEX search_documents_names RESET (fastupdate)",
    "ALTER INDEX search_documents_texts RESET (fastupdate)",
)


def take_back_to_layout_4(registry: Registry) -> None:
    """Undo what is new since, vectors included that the trail tells of."""
    with registry.database.write() as connection:
        on_postgresql = connection.dialect.name == "postgresql"
        for statement in (
            *_NEW_IN_6,
            *_NEW_IN_5,
            *(_NEW_IN_5_ON_POSTGRESQL if on_postgresql else ()),
        ):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("UPDATE schema_version SET version = 4")
