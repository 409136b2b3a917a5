"""Logs parted by task: one half for making tools, the other for measuring what they save."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.models.wanted import RUNS, WANTED, log_of

__all__ = ["Half", "Logs", "logs"]

Records = list[dict[str, Any]]
Half = Callable[[int], bool]
"""Which tasks belong to a half, by their numbers."""


@dataclass(frozen=True)
class Logs:
    """Some logs, as two folders are to hold them."""

    name: str
    write: Callable[[Path, Half], None]
    """Writes the tasks of a half into a folder."""

    def part(self, folder: Path) -> tuple[Path, Path]:
        """Write both halves, and return where they are."""
        mined, measured = folder / "mined", folder / "measured"
        for half, rest in ((mined, 0), (measured, 1)):
            half.mkdir(parents=True)
            self.write(half, lambda number, rest=rest: number % 2 == rest)
        return mined, measured


def logs(shared: Path) -> Iterator[Logs]:
    """Yield the logs with wanted tools, and those that stand beside the repository.

    Args:
        shared: Where these are.
    """
    yield Logs("wanted", _write_wanted)
    traces = shared / "traces"
    for name in ("tau-bench-airline", "bfcl-multi-turn"):
        file = traces / name / "trajectories.json"
        if file.exists():
            yield Logs(name, lambda folder, half, file=file: _write_list(file, folder, half))
    if (mint := traces / "mint").is_dir():
        yield Logs("mint", lambda folder, half: _write_lines(mint, folder, half))


def _write_wanted(folder: Path, half: Half) -> None:
    numbers = [number for number in range(2 * RUNS) if half(number)]
    runs = [run for one in WANTED for run in log_of(one, numbers)]
    (folder / "runs.jsonl").write_text("\n".join(map(json.dumps, runs)))


def _write_list(file: Path, folder: Path, half: Half) -> None:
    records: Records = json.loads(file.read_text())
    ranks = _ranks(records)
    kept = [record for record in records if half(ranks[_task(record)])]
    (folder / file.name).write_text(json.dumps(kept))


def _write_lines(source: Path, folder: Path, half: Half) -> None:
    for file in sorted(source.glob("*/*.jsonl")):
        records = [*map(json.loads, file.read_text().splitlines())]
        ranks = _ranks(records)
        lines = [json.dumps(one) for one in records if half(ranks[_task(one)])]
        target = folder / file.parent.name / file.name
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n".join(lines))


def _ranks(records: Records) -> dict[int, int]:
    """Return the number of each task among those that there are."""
    return {task: rank for rank, task in enumerate(sorted(set(map(_task, records))))}


def _task(record: dict[str, Any]) -> int:
    """Return the number of a record's task: what its id ends with."""
    named = record.get("task_id", record.get("id", record.get("task", {}).get("task_id")))
    return int(re.findall(r"\d+", str(named))[-1])
