"""Many mixed calls, one in ten hostile: `python -m benchmarks.sandbox soak [CALLS]`.

Every call has to end as its program deserves, and in the end nothing may be left: no process, no
container, no descriptor, no file, and no memory that grows with the calls.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

from benchmarks.sandbox.ours import Kind
from toolguild.policies import Tier
from toolguild.sandbox import Limits, Program, Sandbox, Status, open_sandbox

__all__ = ["run"]

_LIMITS = Limits(wall_s=5.0, memory_mb=128, output_bytes=100_000)
_BRIEF = Limits(wall_s=0.2, memory_mb=128, output_bytes=100_000)
_CALLERS = 4
_WARM = 200  # calls before the first look, with everything loaded and every pool filled
_GROWTH_MB = 16.0
_SEED = 20261121


@dataclass(frozen=True, slots=True)
class _Case:
    """A program and how a call of it may end."""

    source: str
    ends: frozenset[Status]
    value: object = None
    """What it returns, where it may end with `ok`."""


def _good(value: object, source: str) -> _Case:
    return _Case(source, frozenset({Status.OK}), value)


def _bad(source: str, *ends: Status) -> _Case:
    return _Case(source, frozenset(ends))


_ORDINARY = (
    _good(3, "def tool(): return 1 + 2"),
    _good([1, 2, 3], "def tool(): return sorted([3, 1, 2])"),
    _good({"a": 2, "b": 1}, "from collections import Counter\ndef tool(): return Counter('aab')"),
    _good("2026-11-21", "import datetime\ndef tool(): return str(datetime.date(2026, 11, 21))"),
    _good(["1", "22"], "import re\ndef tool(): return re.findall(r'[0-9]+', 'a1b22')"),
    _good(285, "def tool(): return sum(n * n for n in range(10))"),
    _good("x" * 50_000, "def tool(): return 'x' * 50_000"),
    _good(
        5, "def tool():\n    print('line\\n' * 100)\n    return call_tool('five', {'n': [1] * 99})"
    ),
    _bad("def tool(): raise ValueError('no')", Status.ERROR),
    _bad("def tool(): return {1, 2}", Status.ERROR),
)

_HOSTILE = (
    _bad("def tool():\n    while True: pass", Status.TIMEOUT),
    _bad("def tool(): return 'y' * 200_000", Status.OUTPUT_LIMIT),
    _bad("def tool():\n    while True: print('y' * 1000)", Status.OUTPUT_LIMIT),
    _bad("def tool():\n    h = []\n    while True: h.append(' ' * 10**7)", Status.MEMORY),
    _bad("import os\ndef tool(): os._exit(3)", Status.KILLED),
    _bad("import ctypes\ndef tool(): ctypes.string_at(0)", Status.KILLED),
    _bad("import os\ndef tool():\n    while True: os.fork()", Status.ERROR),
    _bad("import os\ndef tool(): os.kill(os.getppid(), 9)", Status.ERROR),
    _bad("import os\ndef tool(): os.closerange(0, 99)", Status.KILLED, Status.ERROR),
    _bad("import os\ndef tool():\n    os.write(3, b'z' * 99)\n    return 1", Status.KILLED),
    _bad("def tool():\n    open('/tmp/toolguild-soak', 'w')", Status.ERROR),
    _bad("import socket\ndef tool(): socket.socket()", Status.ERROR),
    _bad("import threading, time\ndef tool():\n    while True:\n"
         "        threading.Thread(target=time.sleep, args=[9], daemon=True).start()",
         Status.ERROR, Status.TIMEOUT, Status.MEMORY),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Footprint:
    """What this process and its sandbox hold at one moment."""

    descriptors: int
    threads: int
    processes: int
    host_mb: float
    workers_mb: float
    """The largest set of pages of their own that one of the workers' processes has."""


def run(kind: Kind, calls: int) -> bool:
    """Print what was seen; return whether nothing leaked and every call ended as it should."""
    planted = _files()
    before = _footprint(set())
    with open_sandbox(kind) as sandbox:
        problems = _calls(sandbox, _WARM, _SEED)
        warm = _footprint(_worker_processes(kind))
        begin = time.perf_counter()
        problems += _calls(sandbox, calls, _SEED + 1)
        seconds = time.perf_counter() - begin
        after = _footprint(_worker_processes(kind))
    left = _footprint(_worker_processes(kind))
    problems += _leaks(warm, after, before, left)
    problems += [f"the file {path} was left" for path in sorted(_files() - planted)]
    print(f"{kind}: {calls} calls by {_CALLERS} callers in {seconds:.0f} s")
    print()
    print("| moment | descriptors | threads | processes | host MB | largest worker's own MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    moments = {"before": before, "warm": warm, "after the calls": after, "closed": left}
    for name, footprint in moments.items():
        print(f"| {name} | {' | '.join(f'{figure:.4g}' for figure in astuple(footprint))} |")
    print()
    for problem in problems[:20]:
        print(f"BROKEN: {problem}")
    print("nothing leaked" if not problems else f"{len(problems)} problems")
    print()
    return not problems


def _calls(sandbox: Sandbox, count: int, seed: int) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 - the same mixture each time
    cases = [chance.choice(_HOSTILE if number % 10 == 0 else _ORDINARY) for number in range(count)]

    def call(case: _Case) -> str:
        program = Program(case.source, "tool", walled=False)
        limits = _BRIEF if Status.TIMEOUT in case.ends else _LIMITS
        outcome = sandbox.run(
            program, {}, tier=Tier.FULL, limits=limits, tools=lambda name, arguments: 5
        )
        if outcome.status in case.ends and outcome.value == case.value:
            return ""
        return f"{case.source!r} ended with {outcome}"

    with ThreadPoolExecutor(_CALLERS) as threads:
        return [problem for problem in threads.map(call, cases) if problem]


def _leaks(warm: _Footprint, after: _Footprint, before: _Footprint, left: _Footprint) -> list[str]:
    problems = []
    if after.descriptors > warm.descriptors:
        problems.append(f"{after.descriptors - warm.descriptors} descriptors more")
    if after.host_mb > warm.host_mb + _GROWTH_MB:
        problems.append(f"{after.host_mb - warm.host_mb:.0f} MB more on the host")
    if after.workers_mb > warm.workers_mb + _GROWTH_MB:
        problems.append(f"{after.workers_mb - warm.workers_mb:.0f} MB more in a worker")
    if left.processes:
        problems.append(f"{left.processes} processes are left")
    # The engine's client may keep what it opened once, such as the module of a resolver.
    if left.descriptors > before.descriptors + 1:
        problems.append(f"{left.descriptors - before.descriptors} descriptors are left")
    return problems


def _footprint(workers: set[int]) -> _Footprint:
    gc.collect()
    return _Footprint(
        _entries("/proc/self/fd"),
        _entries("/proc/self/task"),
        len(workers),
        _field_mb("/proc/self/status", "VmRSS:"),
        max((_field_mb(f"/proc/{pid}/status", "RssAnon:") for pid in workers), default=0.0),
    )


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _field_mb(path: str, field: str) -> float:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0  # it has ended
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def _worker_processes(kind: Kind) -> set[int]:
    """Return the processes of our sandboxes, by the host's numbers."""
    if kind == "local":
        return _below({os.getpid()})
    from toolguild.sandbox.docker import LABEL
    from toolguild.sandbox.engine import connect
    from toolguild.sandbox.owner import Owner

    client = connect()
    try:
        own = {"label": f"{LABEL}={Owner.current()}"}
        found = client.containers(all=True, filters=own)
        first = {client.inspect_container(each["Id"])["State"]["Pid"] for each in found}
    finally:
        client.close()
    return first | _below(first)


def _below(ancestors: set[int]) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if fields[0] not in "ZX":
            parents[int(stat.parent.name)] = int(fields[1])
    found: set[int] = set()
    while more := {p for p, parent in parents.items() if parent in found | ancestors} - found:
        found |= more
    return found


def _files() -> set[Path]:
    return {path for path in Path("/tmp").iterdir() if "toolguild-soak" in path.name}  # noqa: S108 - where a program tries to leave one


if __name__ == "__main__":
    sys.exit("run `python -m benchmarks.sandbox soak`")
