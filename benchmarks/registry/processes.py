"""Sixteen processes that record uses, register and move tiers at once."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.registry.databases import Places
from benchmarks.registry.holding import Held, look, read_acknowledged
from benchmarks.registry.report import Part, most
from benchmarks.registry.writers import barrier, writer
from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import table

__all__ = ["measure_processes"]

_WORKERS = 16


def measure_processes(places: Places, rounds: int = 50) -> Part:
    """Let them write, and look whether all of it is there, once, and in one chain."""
    rows, bounds, data = [], [], {}
    for database, new_place in places.items():
        held, seconds, failed = _write_at_once(new_place(), rounds)
        rate = held.acknowledged / seconds
        rows.append((database, str(_WORKERS), str(held.acknowledged), f"{rate:.0f}"))
        bounds += [*held_bounds(database, held), most("ended badly", database, failed, 0, "of 16")]
        data[database] = {**asdict(held), "seconds": seconds}
    head = ("database", "processes", "writes acknowledged", "writes/s, all together")
    return Part([table(head, rows)], bounds, data)


def held_bounds(database: str, held: Held) -> list[Bound]:
    """Return what must hold of every registry that was written to."""
    return [
        most("acknowledged writes lost", database, len(held.lost), 0, "writes"),
        most("uses counted twice", database, len(held.twice), 0, "uses"),
        most("chains broken", database, bool(held.out_of_chain), 0, "chains"),
        most("changes of a state that was gone", database, held.forked, 0, "changes"),
    ]


def _write_at_once(where: str, rounds: int) -> tuple[Held, float, int]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, str(number)) for number in range(_WORKERS)]
        start = barrier(_WORKERS + 1)
        processes = [
            writer(where, f"worker-{number}", rounds, told, start)
            for number, told in enumerate(files)
        ]
        for process in processes:
            process.start()
        start.wait(60)  # all at once, before the registry exists
        begin = time.perf_counter()
        for process in processes:
            process.join()
        seconds = time.perf_counter() - begin
        held = look(where, read_acknowledged(files))
    return held, seconds, sum(process.exitcode != 0 for process in processes)
