"""Histories that were written anew with all their hashes, by someone who knows all about them.

Such a registry is whole: only a head that was anchored before shows that it is another one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, delete, func, select, text, update

from benchmarks.registry.opened import opened, unguarded
from toolguild.registry import schema
from toolguild.registry.chain import AuditRow, read_rows
from toolguild.registry.heads import GENESIS, Chain
from toolguild.registry.use_chain import use_hash

__all__ = ["EDITS", "forge"]

Edit = Callable[[Connection, random.Random], str]


def forge(where: str, edit: Edit, rng: random.Random) -> str:
    """Write another history into a registry; return what is another in it."""
    with opened(where) as connection, unguarded(connection):
        return edit(connection, rng)


def _another_actor(connection: Connection, rng: random.Random) -> str:
    rows = list(read_rows(connection))
    place = rng.randrange(len(rows))
    rows[place] = replace(rows[place], actor="nobody")
    _chain_rows(connection, rows, {})
    return f"row {place + 1}"


def _another_use(connection: Connection, rng: random.Random) -> str:
    last = connection.scalar(select(func.max(schema.uses.c.id)))
    place = rng.randrange(1, int(last or 0) + 1)
    of_use = schema.uses.c.id == place
    connection.execute(update(schema.uses).where(of_use).values(task="another"))
    _chain_rows(connection, list(read_rows(connection)), _chain_uses(connection))
    return f"use {place}"


def _fewer_uses(connection: Connection, rng: random.Random) -> str:
    """Cut off uses that no row of the trail names yet."""
    uses, named = schema.uses, select(schema.audit.c.uses)
    held = connection.scalar(select(func.max(uses.c.id)).where(uses.c.hash.in_(named))) or 0
    last = connection.scalar(select(func.max(uses.c.id))) or 0
    left = rng.randrange(held, last)
    connection.execute(delete(uses).where(uses.c.id > left))
    _chain_uses(connection)
    return f"{left} uses left"


EDITS: Mapping[str, Edit] = {
    "another actor": _another_actor,
    "another use": _another_use,
    "the last uses cut off": _fewer_uses,
}


def _chain_uses(connection: Connection) -> dict[str, str]:
    """Give all uses the hashes that they must have; return them by those that they had."""
    last, became = GENESIS, {GENESIS: GENESIS}
    number = 0
    for use in connection.execute(text("SELECT * FROM uses ORDER BY id")).all():
        number, last = use.id, use_hash(last, use._asdict())
        became[use.hash] = last
        of_use = schema.uses.c.id == number
        connection.execute(update(schema.uses).where(of_use).values(hash=last))
    _set_head(connection, Chain.USES, number, last)
    return became


def _chain_rows(connection: Connection, rows: list[AuditRow], became: Mapping[str, str]) -> None:
    """Give all rows of the trail the hashes that they must have, and name the uses' new ones."""
    last = GENESIS
    for row in rows:
        uses = became.get(row.uses or "", row.uses)
        linked = replace(row, prev_hash=last, uses=uses)
        last = linked.computed_hash()
        values = {"actor": row.actor, "prev_hash": linked.prev_hash, "hash": last, "uses": uses}
        connection.execute(update(schema.audit).where(schema.audit.c.seq == row.seq).values(values))
    _set_head(connection, Chain.AUDIT, len(rows), last)


def _set_head(connection: Connection, chain: Chain, seq: int, hash_: str) -> None:
    head = update(schema.heads).where(schema.heads.c.chain == chain.value)
    connection.execute(head.values(seq=seq, hash=hash_))
