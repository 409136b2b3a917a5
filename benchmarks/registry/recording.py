"""How long one write takes: recording a use, which every call waits for, and the rarer ones."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from pathlib import Path

from benchmarks.registry.databases import SQLITE, Places, spec
from benchmarks.registry.report import Part, most
from benchmarks.sandbox.report import Timed
from benchmarks.sandbox.tables import table
from benchmarks.sandbox.timing import measure
from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, Use

__all__ = ["measure_recording"]

_WARM = 200
_RECORD = "record a use"
_MAX_MS = 1.0
_ROW = "INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def measure_recording(places: Places, repeats: int = 5000) -> Part:
    """Time writes one after the other, in one process, with nobody beside it."""
    timed = [_bare_sqlite(repeats)]
    for database, new_place in places.items():
        with Registry.open(new_place()) as registry:
            for what, call in _calls(registry).items():
                measure(call, min(_WARM, repeats))
                number = repeats if what == _RECORD else repeats // 10
                timed.append(Timed.of(what, measure(call, number), sandbox=database))
    rows = [
        (one.call, one.sandbox, str(one.n), *(f"{ms:.3f}" for ms in (one.p50_ms, one.p99_ms)))
        for one in timed
    ]
    recorded = {one.sandbox: one.p50_ms for one in timed if one.call == _RECORD}
    return Part(
        tables=[table(("milliseconds", "database", "n", "p50", "p99"), rows)],
        bounds=[most(f"{_RECORD}, p50", SQLITE, recorded[SQLITE], _MAX_MS, "ms")],
        data=[asdict(one) for one in timed],
    )


def _calls(registry: Registry) -> dict[str, Callable[[], object]]:
    version = registry.register(spec("measured", "Count on.")).version
    numbers = count()
    tiers = (Tier.RESTRICTED, Tier.SANDBOX)

    def use() -> Use:
        return Use(
            version.digest,
            f"sha256:{next(numbers):064}",
            CallStatus.OK,
            0.0123,
            registry.now(),
            task="task-17",
            trace="run-4",
            tier=Tier.SANDBOX,
            image="host",
        )

    return {
        _RECORD: lambda: registry.record(use()),
        "register a version": lambda: registry.register(spec("other", f"Count {next(numbers)}.")),
        "change a tier": lambda: registry.set_tier(
            "measured", tiers[next(numbers) % 2], why="benchmark"
        ),
        "read a tool": lambda: registry.tool("measured"),
    }


def _bare_sqlite(repeats: int) -> Timed:
    """Time what SQLite itself takes for a row of that size in a transaction of its own."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder, "bare.db"), isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        columns = ", ".join(f"c{number}" for number in range(13))
        connection.execute(f"CREATE TABLE uses (id INTEGER PRIMARY KEY, {columns})")
        numbers = count(1)

        def insert() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_ROW, (next(numbers), *(["x" * 32] * 13)))
            connection.execute("COMMIT")

        measure(insert, min(_WARM, repeats))
        times = measure(insert, repeats)
        connection.close()
    return Timed.of("insert a row, by sqlite3 alone", times, sandbox=SQLITE)
