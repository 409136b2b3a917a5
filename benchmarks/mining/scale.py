"""How time and memory grow with the logs, and how long others take that count or compress.

A part of `python -m benchmarks.mining`; alone, `python -m benchmarks.mining.scale TRACES`.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.mining.multiplied import write_logs
from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import table

__all__ = ["Scale", "measure_scale"]

_MULTIPLIED = ("tau-bench-airline/trajectories.json", "bfcl-multi-turn/trajectories.json")
_STEPS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
_PEERS = {"prefixspan": "prefixspan", "stitch": "stitch_core"}
"""What each peer is called by `timed_run`, and its package."""
_FIRST_PEER_STEPS = 1000
_LAST_PEER_STEPS = 1_024_000
_HALVINGS = 3
_LOOK_EVERY_S = 0.05

_MOST_SECONDS = 90.0
_MOST_MEGABYTES = 2000.0
_TIMES_FASTER = 10.0


@dataclass(frozen=True, slots=True)
class _Size:
    """Our run on logs of one size."""

    steps: int
    traces: int
    mined: int
    found: int
    megabytes_of_logs: float
    seconds: float
    reading: float
    megabytes: float
    """Peak of the resident memory of all processes together."""

    @property
    def growth(self) -> float:
        """Microseconds for each of n log2 n."""
        return 1e6 * self.seconds / (self.steps * math.log2(self.steps))


@dataclass(frozen=True, slots=True)
class _Peer:
    """Another miner at the largest size that it finishes in a minute."""

    name: str
    steps: int
    found: int
    seconds: float
    ours: float
    """Seconds that our mining takes there, reading the logs left out as it is for the peer."""

    @property
    def ratio(self) -> float:
        """How many times longer it takes."""
        return self.seconds / self.ours


@dataclass(frozen=True, slots=True)
class Scale:
    """What was measured."""

    sizes: Sequence[_Size] = ()
    peers: Sequence[_Peer] = ()

    def bounds(self) -> list[Bound]:
        """Return what has to be kept; nothing where nothing was measured."""
        if not self.sizes:
            return []
        small, large = self.sizes[0], self.sizes[-1]
        what = f"{large.steps:,} steps"
        return [
            Bound(
                f"{what}: from files to opportunities", "", "", large.seconds, _MOST_SECONDS, "s"
            ),
            Bound(f"{what}: peak memory", "", "", large.megabytes, _MOST_MEGABYTES, "MB"),
            Bound(
                f"time by n log n, {large.steps:,} steps over {small.steps:,}",
                "",
                "",
                large.growth / small.growth,
                1.0,
                "times",
            ),
            *(
                Bound(
                    f"{peer.name} at {peer.steps:,} steps takes longer",
                    "",
                    "",
                    peer.ratio,
                    _TIMES_FASTER,
                    "times",
                    at_least=True,
                )
                for peer in self.peers
            ),
        ]

    def tables(self) -> list[str]:
        """Show it."""
        if not self.sizes:
            return []
        sizes = [
            (
                str(size.steps),
                str(size.traces),
                str(size.mined),
                str(size.found),
                f"{size.megabytes_of_logs:.0f}",
                f"{size.seconds:.1f}",
                f"{size.reading:.1f}",
                f"{size.megabytes:.0f}",
                f"{size.growth:.1f}",
            )
            for size in self.sizes
        ]
        peers = [
            (
                peer.name,
                str(peer.steps),
                str(peer.found),
                f"{peer.seconds:.1f}",
                f"{peer.ours:.1f}",
                f"{peer.ratio:.1f}",
            )
            for peer in self.peers
        ]
        size_head = (
            "steps", "traces", "of these mined", "found", "MB of logs", "s", "s of reading",
            "MB of memory", "us by n log2 n",
        )  # fmt: skip
        return [
            "### From log files to opportunities",
            table(size_head, sizes),
            "- logs: the airline and the BFCL runs by turns, with other ids, values and tasks;"
            " of the calls 3 % each are\n  dropped, swapped and inserted\n- memory: peak of the"
            " resident memory of all processes, pages that they share counted in each",
            "### Beside others, at the largest size that they finish in a minute",
            table(("miner", "steps", "found", "s", "ours, s", "times longer"), peers),
            "- logs are read beforehand, for all; theirs are the names of tools (prefixspan:"
            " every sequence of two or more\n  in three runs) and calls as terms (stitch: ten"
            " abstractions); neither asks where arguments come from",
        ]


def measure_scale(shared: Path) -> Scale:
    """Mine logs of growing size, and find how far the peers come.

    Args:
        shared: Folder with the real traces.

    Raises:
        ModuleNotFoundError: a peer is not installed.
    """
    for package in _PEERS.values():
        if find_spec(package) is None:
            name = package.replace("_", "-")
            msg = f"the scale part needs another package: pip install {name}"
            raise ModuleNotFoundError(msg, name=package)
    sources = [shared / path for path in _MULTIPLIED]
    sizes = []
    for steps in _STEPS:
        with _logs(sources, steps) as folder:
            sizes.append(_measured(folder))
            print(f"scale: {sizes[-1]}", file=sys.stderr, flush=True)
    return Scale(sizes, [_peer(name, sources) for name in _PEERS])


@contextmanager
def _logs(sources: Sequence[Path], steps: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_logs(sources, folder, steps)
        yield folder


def _measured(folder: Path) -> _Size:
    process = _start("from files", folder)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _resident_megabytes(process.pid))
        time.sleep(_LOOK_EVERY_S)
    output, _ = process.communicate()
    told = _told(process, output)
    return _Size(
        steps=told["steps"],
        traces=told["traces"],
        mined=told["mined"],
        found=told["found"],
        megabytes_of_logs=sum(file.stat().st_size for file in folder.iterdir()) / 1e6,
        seconds=told["seconds"],
        reading=told["reading"],
        megabytes=peak,
    )


def _peer(name: str, sources: Sequence[Path]) -> _Peer:
    """Double the logs for as long as a peer is done with them in a minute, then halve the gap."""
    best: dict[str, Any] = {}
    steps, too_many = _FIRST_PEER_STEPS, 0
    while steps <= _LAST_PEER_STEPS and not too_many:
        told = _told_in_a_minute(name, sources, steps)
        if told:
            best = {"steps": steps, **told}
            steps *= 2
        else:
            too_many = steps
    for _ in range(_HALVINGS if too_many else 0):
        steps = (best["steps"] + too_many) // 2
        told = _told_in_a_minute(name, sources, steps)
        if told:
            best = {"steps": steps, **told}
        else:
            too_many = steps
    with _logs(sources, best["steps"]) as folder:
        process = _start("mining alone", folder)
        output, _ = process.communicate()
    ours = _told(process, output)
    return _Peer(name, best["steps"], best["found"], best["seconds"], ours["seconds"])


def _told_in_a_minute(name: str, sources: Sequence[Path], steps: int) -> dict[str, Any]:
    """Return what a peer tells of logs with so many steps; nothing where it takes too long."""
    with _logs(sources, steps) as folder:
        process = _start(name, folder)
        output, _ = process.communicate()
    told = {} if process.returncode == -signal.SIGALRM else _told(process, output)
    print(f"scale: {name}, {steps} steps: {told or 'not done'}", file=sys.stderr, flush=True)
    return told


def _start(miner: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.mining.timed_run", miner, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _told(process: subprocess.Popen[str], output: str) -> dict[str, Any]:
    if process.returncode:
        msg = f"{process.args!r} ended with {process.returncode}"
        raise RuntimeError(msg)
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    return told


def _resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process and all below it."""
    total = 0.0
    pending = [pid]
    while pending:
        process = Path("/proc", str(pending.pop()))
        try:
            status = (process / "status").read_text()
            threads = (process / "task").iterdir()
            pending += [int(child) for one in threads for child in _children(one)]
        except OSError:  # it has just ended
            continue
        lines = (line.split() for line in status.splitlines())
        total += sum(int(line[1]) / 1024 for line in lines if line[0] == "VmRSS:")
    return total


def _children(thread: Path) -> list[str]:
    return (thread / "children").read_text().split()


def main() -> None:
    """Measure this part alone, and end with 1 where a bound is broken."""
    scale = measure_scale(Path(sys.argv[1]))
    print("\n\n".join(scale.tables()))
    bounds = scale.bounds()
    for bound in bounds:
        print(f"{'kept' if bound.kept else 'BROKEN'}: {bound}")
    sys.exit(not all(bound.kept for bound in bounds))


if __name__ == "__main__":
    main()
