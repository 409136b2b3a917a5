"""How far the chains of the registry have come.

A chain of hashes shows a row that was changed or removed, but not that rows were cut off at its
end. Therefore each chain goes on from a head that stands apart from its rows: after a cut, a gap
stays, however much is written after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from toolguild.registry import schema
from toolguild.registry.errors import TamperedError

__all__ = ["GENESIS", "Chain", "Head", "advance", "read", "start", "strangers"]

GENESIS: Final = "sha256:" + "0" * 64
"""What stands for the hash before the first row."""


class Chain(StrEnum):
    """The tables whose rows are chained, by name."""

    AUDIT = "audit"
    USES = "uses"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain."""

    seq: int
    """Number of its last row; 0 where there is none."""
    hash: str


# Made once: every use that is recorded runs them, and making them takes longer than running them.
_READ = select(schema.heads.c.seq, schema.heads.c.hash).where(
    schema.heads.c.chain == bindparam("of")
)
_ADVANCE = (
    update(schema.heads)
    .where(schema.heads.c.chain == bindparam("of"), schema.heads.c.seq == bindparam("before"))
    .values(seq=bindparam("to"), hash=bindparam("to_hash"))
)


def start(connection: Connection, chain: Chain, head: Head | None = None) -> None:
    """Note the head of a chain that had none noted; an empty one unless given."""
    first = head or Head(0, GENESIS)
    values = {"chain": chain.value, "seq": first.seq, "hash": first.hash}
    connection.execute(insert(schema.heads).values(values))


def read(connection: Connection, chain: Chain) -> Head:
    """Return the head of a chain.

    Raises:
        TamperedError: it is not there.
    """
    row = connection.execute(_READ, {"of": chain.value}).one_or_none()
    if row is None:
        msg = f"the head of the chain {chain.value} is gone; restore the registry from a backup"
        raise TamperedError(msg)
    return Head(row.seq, row.hash)


def strangers(connection: Connection) -> list[str]:
    """Return the names of chains that have a head and that toolguild does not know."""
    names = connection.scalars(select(schema.heads.c.chain))
    return sorted(set(map(str, names)) - set(Chain))


def advance(connection: Connection, chain: Chain, head: Head) -> None:
    """Move the head to the row that was just written.

    Raises:
        TamperedError: the row before it is not where the chain ended.
    """
    values = {"of": chain.value, "before": head.seq - 1, "to": head.seq, "to_hash": head.hash}
    moved = connection.execute(_ADVANCE, values)
    if moved.rowcount != 1:
        msg = f"the chain {chain.value} did not end at row {head.seq - 1}; nothing was written"
        raise TamperedError(msg)
