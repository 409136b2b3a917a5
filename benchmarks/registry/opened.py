"""A registry's database, as someone opens it who is not toolguild."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL

from toolguild.registry.location import parse_location

__all__ = ["opened", "unguarded"]


@contextmanager
def opened(where: str) -> Iterator[Connection]:
    """Give a connection to a registry's database, and commit what was done."""
    location = parse_location(where)
    engine = create_engine(location if isinstance(location, URL) else f"sqlite:///{location}")
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Take all guards off, and put them on again afterwards."""
    if connection.dialect.name == "postgresql":
        # Neither triggers nor foreign keys, for this transaction.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield
        return
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)
