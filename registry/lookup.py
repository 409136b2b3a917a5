"""Finding versions by what people and models call them."""

from __future__ import annotations

import difflib
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, update

from toolguild.registry import rows, schema
from toolguild.registry.errors import AmbiguousRefError, UnknownToolError
from toolguild.registry.model import ToolVersion
from toolguild.registry.refs import parse_ref
from toolguild.registry.retrieval.documents import refresh

__all__ = [
    "alias_missing",
    "find_version",
    "next_number",
    "point",
    "pointed_at",
    "pointed_at_by",
    "resolve",
    "unknown",
    "versions_of",
]


def pointed_at() -> Select[Any]:
    """Select the rows of the versions that names point at."""
    return rows.VERSIONS.join(schema.tools, schema.tools.c.active == schema.versions.c.digest)


def resolve(connection: Connection, text: str) -> ToolVersion:
    """Return the version that a reference names.

    Raises:
        UnknownToolError: there is no such tool or version; similar names are suggested.
        AmbiguousRefError: the digest prefix fits several versions.
    """
    ref = parse_ref(text)
    table = schema.versions
    query = rows.VERSIONS.where(table.c.name == ref.name)
    if ref.number is not None:
        query = query.where(table.c.number == ref.number)
    elif ref.alias is not None:
        query = query.join(schema.aliases, _stands_for(ref.alias))
    elif ref.digest_prefix is not None:
        query = query.where(table.c.digest.startswith(ref.digest_prefix, autoescape=True))
    else:
        query = pointed_at().where(schema.tools.c.name == ref.name)
    found = connection.execute(query.limit(2)).all()
    if not found and ref.alias is not None:
        raise UnknownToolError(alias_missing(connection, ref.name, ref.alias))
    if not found:
        raise UnknownToolError(unknown(connection, ref.name, text))
    if len(found) > 1:
        msg = f"{text} fits more than one version; write more digits of the digest"
        raise AmbiguousRefError(msg)
    return rows.version_of(found[0])


def _stands_for(alias: str) -> ColumnElement[bool]:
    aliases, versions = schema.aliases.c, schema.versions.c
    same = and_(aliases.version == versions.digest, aliases.name == versions.name)
    return and_(same, aliases.alias == alias)


def alias_missing(connection: Connection, name: str, alias: str) -> str:
    """Say that a tool has no such alias, and which it has; or that there is no such tool."""
    if pointed_at_by(connection, name) is None:
        return unknown(connection, name)
    query = select(schema.aliases.c.alias).where(schema.aliases.c.name == name)
    known = sorted(connection.scalars(query))
    return f"{name} has no alias {alias!r}; it has {', '.join(known) or 'none'}"


def unknown(connection: Connection, name: str, ref: str | None = None) -> str:
    """Say that there is no such tool or version, and what there is instead."""
    names = connection.scalars(select(schema.tools.c.name).order_by(schema.tools.c.name)).all()
    if name in names:
        count = next_number(connection, name) - 1
        return f"no version {ref}; {name} has the versions 1 to {count}"
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"{len(names)} tools are registered"
    return f"no tool named {name[:100]!r}; {hint}"


def find_version(connection: Connection, which: ColumnElement[bool]) -> ToolVersion | None:
    """Return the one version that a condition holds for; None where there is none."""
    row = connection.execute(rows.VERSIONS.where(which)).one_or_none()
    return None if row is None else rows.version_of(row)


def next_number(connection: Connection, name: str) -> int:
    """Return the number that the next version of a tool gets."""
    highest = select(func.max(schema.versions.c.number)).where(schema.versions.c.name == name)
    return (connection.scalar(highest) or 0) + 1


def versions_of(connection: Connection, name: str) -> list[ToolVersion]:
    """Return every version of a tool, the oldest first.

    Raises:
        UnknownToolError: there is no such tool; similar names are suggested.
    """
    table = schema.versions
    query = rows.VERSIONS.where(table.c.name == name).order_by(table.c.number)
    found = [rows.version_of(row) for row in connection.execute(query)]
    if not found:
        raise UnknownToolError(unknown(connection, name))
    return found


def pointed_at_by(connection: Connection, name: str) -> str | None:
    """Return the digest of the version that a name means; None where it means none."""
    tools = schema.tools.c
    return connection.scalar(select(tools.active).where(tools.name == name))


def point(connection: Connection, name: str, digest: str) -> str | None:
    """Let a name mean this version; return the digest that it meant before."""
    before = pointed_at_by(connection, name)
    if before is None:
        connection.execute(insert(schema.tools).values(name=name, active=digest))
    else:
        row = schema.tools.c.name == name
        connection.execute(update(schema.tools).where(row).values(active=digest))
    refresh(connection, name)
    return before
