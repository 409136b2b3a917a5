"""Which versions call which tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, insert

from toolguild.registry import rows, schema
from toolguild.registry.lookup import pointed_at
from toolguild.registry.model import ToolSpec, ToolVersion

__all__ = ["callers_of", "keep_parts", "parts_first"]

_T = TypeVar("_T")


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


def parts_first(found: Sequence[_T], spec_of: Callable[[_T], ToolSpec]) -> list[_T]:
    """Return the same in the same order, but for tools that others call: those go before them.

    Args:
        found: Whatever has specifications.
        spec_of: Gives the specification of one.
    """
    places: dict[str, list[int]] = {}
    for place, one in enumerate(found):
        places.setdefault(spec_of(one).name, []).append(place)
    # Tools may call each other in a circle: whatever was begun is not waited for.
    begun: set[int] = set()
    ordered: list[_T] = []
    for start in range(len(found)):
        pending = [] if start in begun else [start]
        while pending:
            current = pending[-1]
            begun.add(current)
            called = (
                part for name in spec_of(found[current]).calls for part in places.get(name, ())
            )
            part = next((part for part in called if part not in begun), None)
            if part is None:
                ordered.append(found[pending.pop()])
            else:
                pending.append(part)
    return ordered
