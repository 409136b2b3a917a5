"""Random edits of a registry by someone who got hold of it: are all of them found?

Found means that opening the registry and `audit.verify` say so, and end in nothing worse than an
error that says what to do. Where a whole history is written anew, `verify` is given a head that
was anchored before; all other edits it has to find without one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from benchmarks.registry import definition_edits, file_edits, forgeries, row_edits
from benchmarks.registry.databases import POSTGRESQL, SQLITE, Places
from benchmarks.registry.filled import fill
from benchmarks.registry.report import Part, least, most
from benchmarks.sandbox.tables import table
from toolguild.registry import Registry, RegistryError, verify
from toolguild.registry.anchors import AnchoredHead, take_anchor

__all__ = ["measure_edits"]

_BYTES, _ROWS, _DEFINITIONS, _HISTORIES = "bytes", "rows", "definitions", "histories"


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

    def judge(self, where: str, what: str, anchors: Sequence[AnchoredHead] = ()) -> None:
        """Open and verify a registry that was edited."""
        self.edits += 1
        try:
            with Registry.open(where) as registry:
                is_found = not verify(registry, anchors).ok
        except RegistryError:
            is_found = True
        except Exception as error:
            self.crashed.append(f"{what}: {type(error).__name__}: {error}")
            return
        self.found += is_found
        if not is_found:
            self.passed.append(what)


@dataclass(frozen=True, slots=True)
class _Original:
    """A registry that copies are edited of."""

    database: str
    anchors: Sequence[AnchoredHead]
    copy: Callable[[], str]
    """Makes a new copy, and says where."""


def measure_edits(
    places: Places,
    file_edits: int = 500,
    row_edits: int = 500,
    definition_edits: int = 200,
    forgeries: int = 100,
) -> Part:
    """Try so many edits of the file's bytes, and so many of the other kinds on each database."""
    wanted = {
        _BYTES: file_edits,
        _ROWS: row_edits,
        _DEFINITIONS: definition_edits,
        _HISTORIES: forgeries,
    }
    tried = _edit_bytes(Path(places[SQLITE]()), file_edits)
    originals = (_sqlite(Path(places[SQLITE]())), _postgresql(places[POSTGRESQL]))
    for source in originals:
        with source as original:
            for of, try_edits in _EDITS_OF.items():
                tried += try_edits(original, wanted[of])
    rows = [
        (one.database, one.of, one.edit, *map(str, (one.edits, one.found, one.meaningless)))
        for one in tried
    ]
    head = ("database", "edits of", "edit", "edits", "found", "without meaning, not counted")
    bounds = []
    for database, of in dict.fromkeys((one.database, one.of) for one in tried):
        of_kind = [one for one in tried if (one.database, one.of) == (database, of)]
        edits = sum(one.edits for one in of_kind)
        found = sum(one.found for one in of_kind)
        ended = sum(len(one.crashed) for one in of_kind)
        bounds += [
            least(f"edits of {of}", database, edits, wanted[of], "edits"),
            least(f"edits of {of} found", database, found, edits, "edits"),
            most(f"edits of {of} that end in a traceback", database, ended, 0, "edits"),
        ]
    return Part([table(head, rows), *_not_found(tried)], bounds, [asdict(one) for one in tried])


def _not_found(tried: Iterable[_Tried]) -> list[str]:
    """Return a text that names the edits that went wrong, if there are any."""
    wrong = [
        f"- {one.database}, {one.edit}: {what}"
        for one in tried
        for what in (*one.passed, *one.crashed)
    ]
    return ["\n".join(["Not found, or in a traceback:", "", *wrong])] if wrong else []


@contextmanager
def _sqlite(path: Path) -> Iterator[_Original]:
    fill(str(path))
    data, copied = path.read_bytes(), path.with_name("edited.db")

    def copy() -> str:
        _write(copied, data)
        return str(copied)

    yield _Original(SQLITE, [_anchor(path)], copy)


@contextmanager
def _postgresql(new_place: Callable[[], str]) -> Iterator[_Original]:
    filled = new_place()
    fill(filled)
    url = make_url(filled)
    template = sql.Identifier(str(url.database))
    copied = url.set(database="edited").render_as_string()
    administration = url.set(database="postgres").render_as_string()
    with psycopg.connect(administration, autocommit=True) as connection:

        def copy() -> str:
            connection.execute("DROP DATABASE IF EXISTS edited")
            connection.execute(sql.SQL("CREATE DATABASE edited TEMPLATE {}").format(template))
            return copied

        yield _Original(POSTGRESQL, [_anchor(filled)], copy)


def _anchor(where: str | Path) -> AnchoredHead:
    with Registry.open(where) as registry:
        return take_anchor(registry)


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


def _edit_rows(original: _Original, count: int) -> list[_Tried]:
    return _edit(original, _ROWS, row_edits.EDITS, row_edits.edit_rows, count)


def _edit_definitions(original: _Original, count: int) -> list[_Tried]:
    edits = definition_edits.EDITS[original.database]
    return _edit(original, _DEFINITIONS, edits, definition_edits.edit_definitions, count)


def _forge(original: _Original, count: int) -> list[_Tried]:
    """Write histories anew; these alone nobody can find without an anchored head."""
    return _edit(original, _HISTORIES, forgeries.EDITS, forgeries.forge, count, original.anchors)


_EDITS_OF: Mapping[str, Callable[[_Original, int], list[_Tried]]] = {
    _ROWS: _edit_rows,
    _DEFINITIONS: _edit_definitions,
    _HISTORIES: _forge,
}

_Edit = TypeVar("_Edit")


def _edit(
    original: _Original,
    of: str,
    edits: Mapping[str, _Edit],
    make: Callable[[str, _Edit, random.Random], str],
    count: int,
    anchors: Sequence[AnchoredHead] = (),
) -> list[_Tried]:
    """Try edits of one kind, in turns.

    Args:
        original: What is edited.
        of: What the edits are of.
        edits: By their names.
        make: Makes one edit of the registry in a place, and says of what.
        count: Edits.
        anchors: What `verify` is given.
    """
    rng = random.Random(2)  # noqa: S311 - the same edits each time
    kinds = [_Tried(original.database, of, name) for name in edits]

    def attempt(one: _Tried) -> None:
        where = original.copy()
        try:
            what = make(where, edits[one.edit], rng)
        except row_edits.Unchanged:
            return
        one.judge(where, what, anchors)

    _in_turns(count, kinds, attempt)
    return kinds


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
