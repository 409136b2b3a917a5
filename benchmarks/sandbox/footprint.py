"""What a process and its sandboxes hold at one moment, as the kernel and the engine tell it."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.sandbox.ours import Kind

__all__ = ["Footprint", "ProcessId", "containers", "footprint", "growth", "worker_processes"]

ProcessId = tuple[int, str]
"""Number and start time: numbers are used again."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """At one moment, between calls."""

    descriptors: int
    threads: int
    host_mb: float
    """Resident memory of this process."""
    workers_mb: dict[ProcessId, float]
    """Pages of its own that each process of the sandboxes has."""


def footprint(kind: Kind) -> Footprint:
    """Look at this process and at its sandboxes of a kind."""
    gc.collect()
    return Footprint(
        _entries("/proc/self/fd"),
        _entries("/proc/self/task"),
        _field_mb("/proc/self/status", "VmRSS:"),
        {
            process: _field_mb(f"/proc/{process[0]}/status", "RssAnon:")
            for process in worker_processes(kind)
        },
    )


def worker_processes(kind: Kind) -> set[ProcessId]:
    """Return the processes of our sandboxes that still run, by the host's numbers."""
    stats = {int(path.name): _stat(path) for path in Path("/proc").glob("[0-9]*")}
    living = {pid: stat for pid, stat in stats.items() if stat and stat.state not in "ZX"}
    found: set[int] = set()
    ancestors = {os.getpid()}
    if kind == "docker":
        ancestors = found = _first_processes() & living.keys()
    while more := {p for p, stat in living.items() if stat.parent in found | ancestors} - found:
        found |= more
    return {(pid, living[pid].started) for pid in found}


def containers() -> set[str]:
    """Return the containers and volumes on the engine that are ours: all volumes are."""
    from toolguild.sandbox.engine import connect
    from toolguild.sandbox.owner import LABEL, Owner

    with closing(connect()) as client:
        own = {"label": f"{LABEL}={Owner.current()}"}
        found = {str(each["Id"]) for each in client.containers(all=True, filters=own)}
        volumes = client.volumes()["Volumes"] or []
    return found | {str(volume["Name"]) for volume in volumes}


def growth(samples: Sequence[tuple[float, float]]) -> float:
    """Return by how much a line through the samples rises from the first to the last of them.

    The line has the median of the slopes between any two samples (Theil 1950, Sen 1968), so a few
    moments with more or less do not bend it.

    Args:
        samples: Number of calls so far, and what there was then; in order.
    """
    slopes = sorted(
        (later - earlier) / (calls - before)
        for position, (calls, later) in enumerate(samples)
        for before, earlier in samples[:position]
        if calls > before
    )
    if not slopes:
        return 0.0
    return slopes[len(slopes) // 2] * (samples[-1][0] - samples[0][0])


class _Stat(NamedTuple):
    state: str
    parent: int
    started: str


def _stat(folder: Path) -> _Stat | None:
    """Read what the kernel says of a process; None where it has ended."""
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Counted from behind the command name, which may hold anything.
    fields = text.rpartition(")")[2].split()
    return _Stat(fields[0], int(fields[1]), fields[19])


def _first_processes() -> set[int]:
    """Return the process that started each of our containers, by the host's numbers."""
    from toolguild.sandbox.engine import connect
    from toolguild.sandbox.owner import LABEL, Owner

    with closing(connect()) as client:
        own = {"label": f"{LABEL}={Owner.current()}"}
        found = client.containers(filters=own)
        return {int(client.inspect_container(each["Id"])["State"]["Pid"]) for each in found}


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _field_mb(path: str, field: str) -> float:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0  # it has ended
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
