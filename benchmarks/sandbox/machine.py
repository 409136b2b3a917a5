"""What was measured where: a benchmark without that says nothing."""

from __future__ import annotations

import os
import platform
import re
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from toolguild.sandbox import SandboxUnavailableError
from toolguild.sandbox.engine import connect
from toolguild.version import __version__

__all__ = ["about", "warn_if_busy"]

_BUSY = 0.5


def about() -> dict[str, str]:
    """Return when, where, with which versions and by which command, to be shown as it is."""
    found = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": f"python -m {_benchmark()} {' '.join(sys.argv[1:])}".rstrip(),
        "toolguild": __version__,
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{os.cpu_count()} processors ({_processor()}), {_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.release()} on {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }
    with suppress(SandboxUnavailableError), closing(connect()) as client:
        info = client.info()
        found["Docker"] = (
            f"{info['ServerVersion']}, runtime {info['DefaultRuntime']}, {info['Driver']}, "
            f"control groups version {info['CgroupVersion']}"
        )
    return found


def _benchmark() -> str:
    """Return the name of the package that was started."""
    spec = sys.modules["__main__"].__spec__
    return spec.parent or spec.name if spec else "benchmarks"


def warn_if_busy() -> None:
    """Say on stderr where others use the machine: what is measured then is theirs as well."""
    load = os.getloadavg()[0]
    if load > _BUSY:
        print(f"The load is {load:.2f}: these figures will mean little.", file=sys.stderr)


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    return found[1].strip() if found else platform.processor() or "unknown"


def _memory_gb() -> float:
    found = re.search(r"MemTotal:\s*(\d+) kB", _read("/proc/meminfo"))
    return int(found[1]) / 1e6 if found else 0.0


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")
