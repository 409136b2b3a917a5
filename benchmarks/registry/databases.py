"""Registries to measure: on a file, and on a server of one's own that writes to the disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from benchmarks.registry.postgres_server import postgres_server
from toolguild.registry import ToolSpec

__all__ = ["POSTGRESQL", "SQLITE", "Places", "places", "spec"]

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"

Places = dict[str, Callable[[], str]]
"""By the name of the database, what gives a place for a registry where there is none yet."""


@contextmanager
def places() -> Iterator[Places]:
    """Start a server, and give places on it and in a temporary folder; all is removed after.

    Raises:
        NoServerError: PostgreSQL is not installed.
    """
    numbers = count()
    with (
        tempfile.TemporaryDirectory(prefix="toolguild-registry-") as folder,
        postgres_server(durable=True) as server,
    ):

        def new_file() -> str:
            return str(Path(folder, f"{next(numbers)}.db"))

        def new_database() -> str:
            name = f"registry_{next(numbers)}"
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            return server.url(name)

        yield {SQLITE: new_file, POSTGRESQL: new_database}


def spec(name: str, description: str) -> ToolSpec:
    """Return a specification of an ordinary size."""
    source = (
        f"def {name}(number: int) -> int:\n"
        f'    """{description}"""\n' + "    number = number + 1\n" * 20 + "    return number\n"
    )
    parameters = {
        "type": "object",
        "properties": {"number": {"type": "integer"}},
        "required": ["number"],
        "additionalProperties": False,
    }
    return ToolSpec(name, description, source, parameters, {"type": "integer"})
