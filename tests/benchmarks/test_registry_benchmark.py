"""The benchmark of the registry: what counts as an edit, and that edits are found."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest

edits = pytest.importorskip("benchmarks.registry.edits", reason="run in the repository only")

from benchmarks.registry import file_edits  # noqa: E402
from benchmarks.registry.filled import fill  # noqa: E402
from benchmarks.registry.holding import look  # noqa: E402
from toolguild.registry import Registry, verify  # noqa: E402
from toolguild.registry.anchors import take_anchor  # noqa: E402


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "tools.db"
    fill(str(path))
    return path


def test_a_free_page_has_no_meaning_and_a_row_has(filled: Path) -> None:
    connection = sqlite3.connect(filled, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE ballast (text)")
    connection.executemany("INSERT INTO ballast VALUES (?)", [("#" * 3000,)] * 20)
    connection.execute("DROP TABLE ballast")
    connection.close()
    meant, data = file_edits.meaning(filled), filled.read_bytes()
    assert meant is not None
    for before, after, is_same in (
        (b"#" * 3000, b"!" * 3000, True),
        (b"too slow", b"too slov", False),
        (b"kept as written", b"kept or written", False),
    ):
        assert before in data
        filled.write_bytes(data.replace(before, after, 1))
        assert (file_edits.meaning(filled) == meant) is is_same


def test_every_edit_of_bytes_is_found(tmp_path: Path) -> None:
    all_found(edits._edit_bytes(tmp_path / "tools.db", 40), 40)


@pytest.mark.parametrize("of", edits._EDITS_OF)
def test_every_edit_is_found(of: str, tmp_path: Path) -> None:
    with edits._sqlite(tmp_path / "tools.db") as original:
        all_found(edits._EDITS_OF[of](original, 40), 40)


def all_found(kinds: Any, count: int) -> None:
    assert sum(one.edits for one in kinds) == count
    assert [what for one in kinds for what in (*one.passed, *one.crashed)] == []


@pytest.mark.parametrize("edit", edits.forgeries.EDITS)
def test_a_history_that_was_written_anew_is_found_by_an_anchored_head_alone(
    edit: str, filled: Path
) -> None:
    with Registry.open(filled) as registry:
        anchor = take_anchor(registry)
    rng = Random(1)  # noqa: S311 - the same edit each time
    edits.forgeries.forge(str(filled), edits.forgeries.EDITS[edit], rng)
    with Registry.open(filled) as registry:
        assert verify(registry).ok
        assert not verify(registry, [anchor]).ok


def test_a_write_that_is_not_there_is_lost(filled: Path) -> None:
    held = look(str(filled), ["use nobody-0-0"])
    assert (held.lost, held.out_of_chain) == (("use nobody-0-0",), "")
