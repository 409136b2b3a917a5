"""Time and memory of the whole job, logs to registered tools: `python -m benchmarks.main_job`.

Each row runs the `toolguild` command as a process of its own into a fresh registry, and again into
the same one. Peak memory is that of the largest single process, as the kernel accounts for it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(os.environ.get("TOOLGUILD_SHARED", Path(__file__).parents[2] / "shared"))


@dataclass(frozen=True)
class Job:
    """One input with the figures that it has to keep."""

    name: str
    path: Path
    max_seconds: float
    max_megabytes: float = 500.0


JOBS = (
    Job("airline, 100 traces", SHARED / "traces/tau-bench-airline/trajectories.json", 20.0),
    Job("MINT, 904 traces", SHARED / "traces/mint", 120.0),
)


@dataclass(frozen=True)
class Measured:
    """What one run took."""

    seconds: float
    megabytes: float
    summary: dict[str, object]


def run(job: Job, registry: Path, sandbox: str) -> Measured:
    """Run the job once and measure it."""
    command = [sys.executable, "-m", "toolguild.cli", "synthesize", str(job.path)]
    command += ["--registry", str(registry), "--sandbox", sandbox, "--json"]
    started = time.monotonic()
    # The child's own children count as well; the report is of the largest process among them.
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.communicate()[0]
    seconds = time.monotonic() - started
    if process.returncode:
        sys.exit(f"{job.name}: toolguild ended with {process.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Measured(seconds, peak, json.loads(output))


def main() -> None:
    """Print a table, and fail where a figure is not kept."""
    sandbox = sys.argv[1] if len(sys.argv) > 1 else "local"
    failed = False
    print("| log | sandbox | tools | first run | second run | peak memory | bound |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    for job in JOBS:
        with tempfile.TemporaryDirectory() as directory:
            first, second = (run(job, Path(directory, "registry.db"), sandbox) for _ in range(2))
        tools = first.summary["tools"]
        registered = [tool for tool in tools if tool["ref"] is not None]
        seconds = max(first.seconds, second.seconds)
        kept = seconds <= job.max_seconds and second.megabytes <= job.max_megabytes
        kept = kept and second.summary["changed"] is False and bool(registered)
        failed = failed or not kept
        print(
            f"| {job.name} | {sandbox} | {len(registered)} | {first.seconds:.1f} s"
            f" | {second.seconds:.1f} s | {second.megabytes:.0f} MB"
            f" | {job.max_seconds:.0f} s, {job.max_megabytes:.0f} MB: "
            f"{'kept' if kept else 'BROKEN'} |"
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
