"""Random edits of the bytes of a SQLite file, and whether such an edit means anything.

An edit means something where it changes what SQLite reads: a row of a table, the definition of a
table, an index or a trigger, or whether SQLite's own `integrity_check` finds anything. What SQLite
skips means nothing: free pages, the unused part of a page, counters in the header of the file, and
how the statement that made a table is spelled.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["EDITS", "meaning", "page_size"]

_LONGEST = 64
"""Bytes of a run that is overwritten."""

Edit = Callable[[bytearray, random.Random], None]


def _change_a_byte(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    data[place] = (data[place] + rng.randrange(1, 256)) % 256


def _flip_a_bit(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _change_a_character(data: bytearray, rng: random.Random) -> None:
    """Put another letter or digit for one: what stays a text is the hardest to see."""
    places = [place for place in rng.sample(range(len(data)), 500) if chr(data[place]).isalnum()]
    place = places[0]
    others = [code for code in b"0123456789abcdefghij" if code != data[place]]
    data[place] = rng.choice(others)


def _overwrite_a_run(data: bytearray, rng: random.Random) -> None:
    length = rng.randrange(2, _LONGEST)
    place = rng.randrange(len(data) - length)
    data[place : place + length] = rng.randbytes(length)


def _copy_a_run(data: bytearray, rng: random.Random) -> None:
    length = rng.randrange(2, _LONGEST)
    source, target = (rng.randrange(len(data) - length) for _ in range(2))
    data[target : target + length] = data[source : source + length]


def _cut_off(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _clear_a_page(data: bytearray, rng: random.Random) -> None:
    size = page_size(data)
    page = rng.randrange(len(data) // size) * size
    data[page : page + size] = bytes(size)


def _swap_pages(data: bytearray, rng: random.Random) -> None:
    size = page_size(data)
    one, other = (page * size for page in rng.sample(range(len(data) // size), 2))
    first, second = data[one : one + size], data[other : other + size]
    data[one : one + size], data[other : other + size] = second, first


EDITS: Mapping[str, Edit] = {
    "a byte changed": _change_a_byte,
    "a bit flipped": _flip_a_bit,
    "a letter or digit changed": _change_a_character,
    "a run overwritten": _overwrite_a_run,
    "a run copied elsewhere": _copy_a_run,
    "the end cut off": _cut_off,
    "a page cleared": _clear_a_page,
    "two pages swapped": _swap_pages,
}


def page_size(data: bytes | bytearray) -> int:
    """Return the size of a page, which the header of the file tells."""
    return int.from_bytes(data[16:18])


def meaning(path: Path) -> object:
    """Return what SQLite reads of a file, apart from toolguild; None where it cannot read it."""
    # Another folder's log must not be replayed into it, and nothing must be written.
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        return _content(connection)
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        connection.close()


def _content(connection: sqlite3.Connection) -> object:
    found: dict[object, object] = {}
    objects = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    for kind, name, table, sql in objects:
        if kind != "table":
            found[kind, name, table] = sql
            continue
        quoted = '"' + name.replace('"', '""') + '"'
        # Rows as they stand in the table, whatever the indices say; `integrity_check` compares.
        rows = connection.execute(f"SELECT * FROM {quoted} NOT INDEXED").fetchall()  # noqa: S608
        described = ("table_xinfo", "index_list", "foreign_key_list")
        found[kind, name, table] = (
            sorted(map(repr, rows)),
            [connection.execute(f"PRAGMA {what}({quoted})").fetchall() for what in described],
        )
    found["check"] = connection.execute("PRAGMA integrity_check").fetchall()
    return found
