"""Names that people give to versions, as in `name@stable`; they stay where they are put.

A name's own pointer says what agents call. An alias is for people and for their programs, and lets
nobody call a version that the name does not mean.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from toolguild.registry import schema
from toolguild.registry.canonical import digest
from toolguild.registry.errors import UnknownToolError
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import alias_missing
from toolguild.registry.model import ToolVersion
from toolguild.registry.refs import check_alias
from toolguild.sandbox import JsonObject

__all__ = ["aliases_of", "remove", "row_digests", "set_alias"]


def set_alias(
    connection: Connection, journal: Journal, version: ToolVersion, alias: str, why: str
) -> None:
    """Let an alias of a tool stand for one of its versions; the transaction is the caller's.

    Raises:
        ChangeRefusedError: it can be no alias.
    """
    name, table = version.spec.name, schema.aliases
    row = (table.c.name == name, table.c.alias == check_alias(alias))
    before = connection.scalar(select(table.c.version).where(*row))
    if before == version.digest:
        return
    if before is None:
        values = {"name": name, "alias": alias, "version": version.digest}
        connection.execute(insert(table).values(values))
    else:
        connection.execute(update(table).where(*row).values(version=version.digest))
    _tell(connection, journal, "alias", f"{name}@{alias}", version.digest, before, why)


def remove(connection: Connection, journal: Journal, name: str, alias: str, why: str) -> None:
    """Take an alias from a tool; the transaction is the caller's.

    Raises:
        UnknownToolError: the tool has none of that name.
    """
    table = schema.aliases
    row = (table.c.name == name, table.c.alias == alias)
    before = connection.scalar(select(table.c.version).where(*row))
    if before is None:
        raise UnknownToolError(alias_missing(connection, name, alias))
    connection.execute(delete(table).where(*row))
    _tell(connection, journal, "unalias", f"{name}@{alias}", before, before, why)


def aliases_of(connection: Connection) -> dict[str, dict[str, str]]:
    """Return the `name@number` that each alias stands for, by name and alias."""
    table, versions = schema.aliases, schema.versions
    query = (
        select(table.c.name, table.c.alias, versions.c.number)
        .join(versions, versions.c.digest == table.c.version)
        .order_by(table.c.name, table.c.alias)
    )
    found: dict[str, dict[str, str]] = {}
    for name, alias, number in connection.execute(query):
        found.setdefault(name, {})[alias] = f"{name}@{number}"
    return found


def row_digests(connection: Connection) -> dict[str, str]:
    """Return digests over all columns of every alias, by `name@alias`."""
    rows = connection.execute(select(schema.aliases))
    return {f"{row.name}@{row.alias}": digest(dict(row._mapping)) for row in rows}


def _tell(
    connection: Connection,
    journal: Journal,
    action: str,
    alias: str,
    subject: str,
    before: str | None,
    why: str,
) -> None:
    row = row_digests(connection).get(alias)
    told: JsonObject = {"alias": alias, "before": before, "row": row}
    journal.tell(connection, action, subject, None, {}, why, alias=told)
