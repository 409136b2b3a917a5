"""Many mixed calls, one in ten hostile: `python -m benchmarks.sandbox soak [CALLS]`.

Every call has to end as its program deserves, and in the end nothing may be left: no process, no
container, no descriptor, no file, and no memory that grows with the calls.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.sandbox.footprint import (
    Footprint,
    ProcessId,
    containers,
    footprint,
    growth,
    worker_processes,
)
from benchmarks.sandbox.machine import about
from benchmarks.sandbox.ours import Kind
from benchmarks.sandbox.programs import Case, mixture
from benchmarks.sandbox.tables import about_table, table
from toolguild.policies import Tier
from toolguild.sandbox import Limits, Outcome, Sandbox, Status, open_sandbox

__all__ = ["Soaked", "soak", "soak_tables"]

_LIMITS = Limits(wall_s=5.0, memory_mb=128, output_bytes=100_000, workspace_mb=1)
_BRIEF = Limits(wall_s=0.2, memory_mb=128, output_bytes=100_000, workspace_mb=1)
_CALLERS = 4
_WARM = 200  # calls before the first look, with everything loaded and every place filled
_LOOKS = 20
_GROWTH_MB = 4.0
"""What a process may grow by over all the calls, along the line through its samples."""
_SEED = 20261121


@dataclass(frozen=True, slots=True)
class Soaked:
    """What one run found."""

    about: Mapping[str, str]
    runs: list[_Run] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What was not as it should be, as sentences."""
        return [f"{run.kind}: {problem}" for run in self.runs for problem in run.problems]

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can carry."""
        return asdict(self)


@dataclass(slots=True)
class _Run:
    """Many calls on one sandbox."""

    kind: Kind
    calls: int
    seconds: float = 0.0
    ends: dict[str, int] = field(default_factory=dict)
    descriptors: tuple[int, int, int] = (0, 0, 0)
    """Before it was opened, after the calls, and when it was closed."""
    descriptor_growth: float = 0.0
    threads: tuple[int, int, int] = (0, 0, 0)
    left_processes: int = 0
    left_containers: int = 0
    left_files: int = 0
    host_mb: float = 0.0
    host_growth_mb: float = 0.0
    worker_mb: float = 0.0
    worker_growth_mb: float = 0.0
    """Of the process inside that grew most."""
    problems: list[str] = field(default_factory=list)


def soak(kinds: Sequence[Kind], calls: int) -> Soaked:
    """Make so many calls on each kind of sandbox."""
    soaked = Soaked(about())
    for kind in kinds:
        soaked.runs.append(_soak(kind, calls))
    return soaked


def soak_tables(soaked: Soaked) -> str:
    """Show it in Markdown."""
    rows = [
        ("calls", *(str(run.calls) for run in soaked.runs)),
        ("calls/s", *(f"{run.calls / run.seconds:.0f}" for run in soaked.runs)),
        *(
            (f"ended with {status}", *(str(run.ends.get(status, 0)) for run in soaked.runs))
            for status in Status
            if any(status in run.ends for run in soaked.runs)
        ),
        ("processes left", *(str(run.left_processes) for run in soaked.runs)),
        ("containers and volumes left", *(str(run.left_containers) for run in soaked.runs)),
        ("files left", *(str(run.left_files) for run in soaked.runs)),
        (
            "descriptors: before, after the calls, closed",
            *(
                f"{', '.join(map(str, run.descriptors))}; {run.descriptor_growth:+.1f}"
                for run in soaked.runs
            ),
        ),
        (
            "memory of our own process, MB",
            *(f"{run.host_mb:.1f}, {run.host_growth_mb:+.1f}" for run in soaked.runs),
        ),
        (
            "largest process inside, MB",
            *(f"{run.worker_mb:.1f}, {run.worker_growth_mb:+.1f}" for run in soaked.runs),
        ),
        ("problems", *(str(len(run.problems)) for run in soaked.runs)),
    ]
    head = ("", *(run.kind for run in soaked.runs))
    return f"{about_table(soaked.about)}\n\n{table(head, rows, numbers=False)}"


def _soak(kind: Kind, calls: int) -> _Run:
    run = _Run(kind, calls)
    chance = random.Random(_SEED)  # noqa: S311 - the same mixture each time
    before = containers() if kind == "docker" else set()
    unopened = footprint(kind)
    with _watched_files(run):
        # So that each worker serves long enough for its growth to show, and is replaced as well.
        recycle_after = max(100, calls // 6)
        with open_sandbox(kind, recycle_after=recycle_after) as sandbox:
            _call_many(sandbox, _WARM, chance, run)
            run.ends.clear()
            looks = [footprint(kind)]
            begin = time.monotonic()
            for look in range(_LOOKS):
                print(f"{kind}: {look * calls // _LOOKS} of {calls} calls", file=sys.stderr)
                count = (look + 1) * calls // _LOOKS - look * calls // _LOOKS
                _call_many(sandbox, count, chance, run)
                looks.append(footprint(kind))
            run.seconds = round(time.monotonic() - begin, 1)
        closed = footprint(kind)
    run.left_processes = len(worker_processes(kind))
    run.left_containers = len(containers() - before) if kind == "docker" else 0
    _judge(run, unopened, looks, closed)
    return run


def _call_many(sandbox: Sandbox, count: int, chance: random.Random, run: _Run) -> None:
    def call(case: Case) -> Outcome:
        limits = _BRIEF if Status.TIMEOUT in case.ends else _LIMITS
        return sandbox.run(
            case.program, {}, tier=Tier.SANDBOX, limits=limits, tools=lambda name, arguments: 5
        )

    cases = mixture(count, chance)
    with ThreadPoolExecutor(_CALLERS) as threads:
        for case, outcome in zip(cases, threads.map(call, cases), strict=True):
            run.ends[outcome.status] = run.ends.get(outcome.status, 0) + 1
            if outcome.status not in case.ends or outcome.value != case.value:
                run.problems.append(f"{case.program.source!r} ended with {outcome}")


def _judge(run: _Run, unopened: Footprint, looks: Sequence[Footprint], closed: Footprint) -> None:
    warm, after = looks[0], looks[-1]
    run.descriptors = (unopened.descriptors, after.descriptors, closed.descriptors)
    run.threads = (warm.threads, after.threads, closed.threads)
    calls_before = [number * run.calls / _LOOKS for number in range(len(looks))]
    run.host_mb = after.host_mb
    run.host_growth_mb = growth(
        [(calls, look.host_mb) for calls, look in zip(calls_before, looks, strict=True)]
    )
    run.descriptor_growth = growth(
        [(calls, look.descriptors) for calls, look in zip(calls_before, looks, strict=True)]
    )
    of_workers: dict[ProcessId, list[tuple[float, float]]] = {}
    for calls, look in zip(calls_before, looks, strict=True):
        for process, megabytes in look.workers_mb.items():
            of_workers.setdefault(process, []).append((calls, megabytes))
    run.worker_mb = max((size for look in looks for size in look.workers_mb.values()), default=0)
    # Told of as many calls as there were in all, however long the process lived.
    run.worker_growth_mb = max(
        (growth(seen) * _share(seen, run.calls) for seen in of_workers.values()), default=0
    )
    # The client of the engine keeps a connection for each caller that needed one at once.
    spare = _CALLERS if run.kind == "docker" else 0
    for problem, found in {
        f"descriptors: {run.descriptors}": closed.descriptors > unopened.descriptors,
        # At one look a worker may just have ended, at another all are there: a single difference
        # tells nothing.
        f"descriptors grew by {run.descriptor_growth:.1f}": run.descriptor_growth > spare,
        f"threads: {run.threads}": closed.threads > warm.threads,
        f"{run.left_processes} processes are left": run.left_processes,
        f"{run.left_containers} containers or volumes are left": run.left_containers,
        f"{run.left_files} files are left": run.left_files,
        f"our own process grew by {run.host_growth_mb:.1f} MB": run.host_growth_mb > _GROWTH_MB,
        f"a process inside grew by {run.worker_growth_mb:.1f} MB": (
            run.worker_growth_mb > _GROWTH_MB
        ),
    }.items():
        if found:
            run.problems.append(problem)


def _share(seen: Sequence[tuple[float, float]], calls: int) -> float:
    return calls / (seen[-1][0] - seen[0][0]) if len(seen) > 4 else 0.0


@contextmanager
def _watched_files(run: _Run) -> Iterator[None]:
    """Count what is left where programs, or the sandbox itself, could leave something."""
    with tempfile.TemporaryDirectory(prefix="tg-soak-") as own:
        tempfile.tempdir = own
        watched = [Path(own), Path("/dev/shm"), Path.cwd()]  # noqa: S108 - only looked at
        before = {path for folder in watched for path in folder.iterdir()}
        try:
            yield
        finally:
            tempfile.tempdir = None
        left = {path for folder in watched for path in folder.iterdir()} - before
        left |= {path for path in Path("/tmp").iterdir() if "toolguild-soak" in path.name}  # noqa: S108 - where a program tries to leave one
        run.left_files = len(left)
