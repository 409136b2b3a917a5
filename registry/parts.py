"""Which versions call which tools."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from toolguild.registry import rows, schema
from toolguild.registry.lookup import pointed_at
from toolguild.registry.model import ToolSpec, ToolVersion

__all__ = ["callers_of", "keep_parts"]


def keep_parts(connection: Connection, spec: ToolSpec) -> None:
    """Write down what a version calls."""
    called = [{"version": spec.digest, "name": name} for name in spec.calls]
    if called:
        connection.execute(insert(schema.parts), called)


def callers_of(connection: Connection, name: str) -> list[ToolVersion]:
    """Return the versions that names point at and that call a tool, by name."""
    table = schema.parts
    query = (
        pointed_at()
        .join(table, table.c.version == schema.versions.c.digest)
        .where(table.c.name == name)
        .order_by(schema.versions.c.name)
    )
    return [rows.version_of(row) for row in connection.execute(query)]
