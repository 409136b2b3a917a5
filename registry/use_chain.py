"""The hash chain of the uses: a record that tiers rest on is as hard to edit as the audit trail.

Each use carries a hash over the one before it and all its own columns. The audit trail names the
last use before each change of state, so that a head of the trail that was kept elsewhere covers
the uses up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Row, insert, text

from toolguild.registry import heads, schema
from toolguild.registry.canonical import digest
from toolguild.registry.errors import NotJsonError
from toolguild.registry.heads import GENESIS, Chain, Head
from toolguild.registry.kept_heads import KeptHeads

__all__ = ["append", "first_problem", "use_hash"]


_INSERT = insert(schema.uses)


def _defaults(columns: Iterable[Column[Any]]) -> Iterator[tuple[str, type, object]]:
    """Yield what the database itself puts into columns, by their names."""
    for column in columns:
        given = getattr(column.server_default, "arg", None)
        if isinstance(given, str) and not column.nullable:
            value = int(given) if column.type.python_type in (int, bool) else given
            yield column.name, type(value), value


_DEFAULTS = frozenset(_defaults(schema.uses.columns))


def append(connection: Connection, values: Mapping[str, object]) -> None:
    """Write the next use; the transaction is the caller's.

    Raises:
        NotJsonError: a value is not one that a database gives back as it was.
    """
    last = heads.read(connection, Chain.USES)
    row = {**values, "id": last.seq + 1}
    head = Head(last.seq + 1, use_hash(last.hash, row))
    connection.execute(_INSERT, {**row, "hash": head.hash})
    heads.advance(connection, Chain.USES, head)


def use_hash(previous: str, row: Mapping[str, object]) -> str:
    """Return the hash that a use must have.

    What is null, or what a column gets by default, has no part in it, so that columns may be added
    later without another hash for the uses that there are.

    Args:
        previous: Hash of the use before it.
        row: Its columns; their `hash` is not looked at.
    """
    told: dict[str, object] = {}
    for name, value in row.items():
        plain = int(value) if isinstance(value, bool) else value  # SQLite has no booleans
        if plain is not None and (name, type(plain), plain) not in _DEFAULTS and name != "hash":
            told[name] = plain
    return digest([previous, told])


def first_problem(connection: Connection, named: Mapping[str, str], kept: KeptHeads) -> str:
    """Walk the chain; return what does not hold first, or an empty text.

    Args:
        connection: Where the uses are.
        named: Who names which use: by its hash, in words.
        kept: Uses that were anchored.
    """
    last = Head(0, GENESIS)
    problem = kept.problem_at(last)
    missing = {hash_: by for hash_, by in named.items() if hash_ != GENESIS}
    # By no column's type: those of SQLAlchemy would take a 2 for true.
    every = text("SELECT * FROM uses ORDER BY id")
    with connection.execute(every, execution_options={"yield_per": 1000}) as found:
        for row in map(Row._asdict, found):
            problem = problem or _broken_link(row, last)
            if problem:
                break
            last = Head(row["id"], row["hash"])
            problem = kept.problem_at(last)
            missing.pop(last.hash, None)
    problem = problem or kept.problem_behind(last)
    if problem:
        return problem
    if last != heads.read(connection, Chain.USES):
        return f"use {last.seq + 1} is missing"
    by = next(iter(missing.values()), "")
    return f"the uses are not those that {by} names" if by else ""


def _broken_link(row: Mapping[str, Any], last: Head) -> str:
    if row["id"] != last.seq + 1:
        return f"use {last.seq + 1} is missing"
    try:
        if row["hash"] == use_hash(last.hash, row):
            return ""
    except NotJsonError:
        pass  # a blob, or a text that is none
    return f"use {row['id']} was changed, or does not follow the one before it"
