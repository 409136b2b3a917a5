"""Random edits of a registry by someone who got hold of it: are all of them found?

Found means that opening the registry and `audit.verify` say so, and end in nothing worse than an
error that says what to do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from benchmarks.registry import file_edits, row_edits
from benchmarks.registry.databases import POSTGRESQL, SQLITE, Places
from benchmarks.registry.filled import fill
from benchmarks.registry.report import Part, least, most
from benchmarks.sandbox.tables import table
from toolguild.registry import Registry, RegistryError, verify

__all__ = ["measure_edits"]


@dataclass(slots=True)
class _Tried:
    """Edits of one kind."""

    database: str
    of: str
    edit: str
    edits: int = 0
    found: int = 0
    meaningless: int = 0
    """Edits of bytes that SQLite does not read; they are not among `edits`."""
    passed: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)

    def judge(self, where: str, what: str) -> None:
        """Open and verify a registry that was edited."""
        self.edits += 1
        try:
            with Registry.open(where) as registry:
                is_found = not verify(registry).ok
        except RegistryError:
            is_found = True
        except Exception as error:
            self.crashed.append(f"{what}: {type(error).__name__}: {error}")
            return
        self.found += is_found
        if not is_found:
            self.passed.append(what)


def measure_edits(places: Places, file_edits: int = 500, row_edits: int = 500) -> Part:
    """Try so many edits of the file's bytes, and so many of rows on each database."""
    tried = [
        *_edit_bytes(Path(places[SQLITE]()), file_edits),
        *_edit_sqlite_rows(Path(places[SQLITE]()), row_edits),
        *_edit_postgresql_rows(places[POSTGRESQL], row_edits),
    ]
    rows = [
        (one.database, one.of, one.edit, *map(str, (one.edits, one.found, one.meaningless)))
        for one in tried
    ]
    head = ("database", "edits of", "edit", "edits", "found", "without meaning, not counted")
    passed = [f"- {one.database}, {one.edit}: {what}" for one in tried for what in one.passed]
    crashed = [f"- {one.database}, {one.edit}: {what}" for one in tried for what in one.crashed]
    bounds = []
    for database, of in dict.fromkeys((one.database, one.of) for one in tried):
        of_kind = [one for one in tried if (one.database, one.of) == (database, of)]
        edits = sum(one.edits for one in of_kind)
        wanted = file_edits if of == _BYTES else row_edits
        found = sum(one.found for one in of_kind)
        ended = sum(len(one.crashed) for one in of_kind)
        bounds += [
            least(f"edits of {of}", database, edits, wanted, "edits"),
            least(f"edits of {of} found", database, found, edits, "edits"),
            most(f"edits of {of} that end in a traceback", database, ended, 0, "edits"),
        ]
    tables = [table(head, rows)]
    tables += ["\n".join(["Not found, or in a traceback:", "", *passed, *crashed])] * bool(
        passed or crashed
    )
    return Part(tables, bounds, [asdict(one) for one in tried])


_BYTES, _ROWS = "bytes", "rows"


def _in_turns(count: int, kinds: Sequence[_Tried], attempt: Callable[[_Tried], None]) -> None:
    """Try one kind of edit after the other, until so many were made."""
    while (made := sum(one.edits for one in kinds)) < count:
        for one in kinds:
            if made < count:
                attempt(one)
                made = sum(other.edits for other in kinds)


def _edit_bytes(path: Path, count: int) -> list[_Tried]:
    fill(str(path))
    original, meant = path.read_bytes(), file_edits.meaning(path)
    rng = random.Random(1)  # noqa: S311 - the same edits each time
    kinds = [_Tried(SQLITE, _BYTES, name) for name in file_edits.EDITS]
    copy = path.with_name("edited.db")

    def attempt(one: _Tried) -> None:
        data = bytearray(original)
        file_edits.EDITS[one.edit](data, rng)
        _write(copy, bytes(data))
        if file_edits.meaning(copy) == meant:
            one.meaningless += 1
        else:
            one.judge(str(copy), _where_different(original, data))

    _in_turns(count, kinds, attempt)
    return kinds


def _edit_sqlite_rows(path: Path, count: int) -> list[_Tried]:
    fill(str(path))
    original = path.read_bytes()
    rng = random.Random(2)  # noqa: S311 - the same edits each time
    kinds = [_Tried(SQLITE, _ROWS, name) for name in row_edits.EDITS]
    copy = path.with_name("edited.db")

    def attempt(one: _Tried) -> None:
        _write(copy, original)
        _edit_and_judge(one, str(copy), rng)

    _in_turns(count, kinds, attempt)
    return kinds


def _edit_postgresql_rows(new_place: Callable[[], str], count: int) -> list[_Tried]:
    filled = new_place()
    fill(filled)
    rng = random.Random(3)  # noqa: S311 - the same edits each time
    kinds = [_Tried(POSTGRESQL, _ROWS, name) for name in row_edits.EDITS]
    url = make_url(filled)
    administration = url.set(database="postgres").render_as_string()
    copy = url.set(database="edited").render_as_string()
    with psycopg.connect(administration, autocommit=True) as connection:

        def attempt(one: _Tried) -> None:
            connection.execute("DROP DATABASE IF EXISTS edited")
            template = sql.Identifier(str(url.database))
            connection.execute(sql.SQL("CREATE DATABASE edited TEMPLATE {}").format(template))
            _edit_and_judge(one, copy, rng)

        _in_turns(count, kinds, attempt)
    return kinds


def _edit_and_judge(one: _Tried, where: str, rng: random.Random) -> None:
    edited = row_edits.random_table(rng)
    try:
        row_edits.edit_rows(where, row_edits.EDITS[one.edit], edited, rng)
    except row_edits.Unchanged:
        return
    one.judge(where, f"table {edited.name}")


def _write(path: Path, data: bytes) -> None:
    for companion in (f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(companion).unlink(missing_ok=True)
    path.write_bytes(data)


def _where_different(original: bytes, data: bytearray) -> str:
    if len(data) != len(original):
        return f"{len(data)} of {len(original)} bytes left"
    place = next(i for i, (a, b) in enumerate(zip(original, data, strict=True)) if a != b)
    page = place // file_edits.page_size(original) + 1
    return f"byte {place}, on page {page}: {original[place]} became {data[place]}"
