"""What the sandboxes are measured against: a bare fork, and Docker's own commands."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.sandbox.timing import Times, measure
from toolguild.sandbox.bootstrap import ENVIRONMENT, PRELOAD
from toolguild.sandbox.engine import connect
from toolguild.sandbox.images.image import find_image

__all__ = [
    "HARDENING",
    "bare_fork",
    "docker_exec",
    "docker_run",
    "fork_rate",
    "warm_container",
    "warm_fork",
]

HARDENING = (
    "--network", "none", "--read-only", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges", "--pids-limit", "64",
    "--memory", "256m", "--memory-swap", "256m", "--cpus", "1", "--user", "65534:65534",
    "--tmpfs", "/tmp:rw,noexec,nosuid,nodev,size=16m", "--ulimit", "nofile=128",  # noqa: S108 - inside
    "--ipc", "none", "--log-driver", "none",
)  # fmt: skip
"""What a careful person gives to `docker run`."""

_FORKS = """
import importlib, json, os, sys, time
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
taken = []
for _ in range(int(sys.argv[1])):
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    taken.append((time.perf_counter() - begin) * 1e3)
print(json.dumps(taken))
"""

_FORK_RATE = """
import os, sys, time
begin = time.perf_counter()
count = 0
while time.perf_counter() - begin < float(sys.argv[1]):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    count += 1
print(count / (time.perf_counter() - begin))
"""

_ONE = ("python3", "-I", "-S", "-c", "def tool(x): return x\nprint(tool(1))")


def bare_fork(count: int) -> Times:
    """Fork, exit and wait in an interpreter that has loaded next to nothing."""
    return _forks(count, ())


def warm_fork(count: int) -> Times:
    """The same in one that has loaded what a worker preloads."""
    return _forks(count, PRELOAD)


def _forks(count: int, modules: tuple[str, ...]) -> Times:
    command = [sys.executable, "-I", "-S", "-c", _FORKS, str(count), json.dumps(modules)]
    done = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
    return Times.of(json.loads(done.stdout))


def fork_rate(processes: int, seconds: float) -> float:
    """Return how many bare forks a second so many processes get through together."""
    command = [sys.executable, "-I", "-S", "-c", _FORK_RATE, str(seconds)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) for _ in range(processes)
    ]
    return sum(float(process.communicate()[0]) for process in started)


def docker_run(count: int) -> Times:
    """Start a hardened container for each call."""
    command = ["docker", "run", "--rm", *HARDENING, "--entrypoint", _ONE[0], _image(), *_ONE[1:]]
    return measure(lambda: _expect_one(command), count)


def docker_exec(container: str, count: int) -> Times:
    """Start an interpreter for each call in a container that runs already."""
    return measure(lambda: _expect_one(["docker", "exec", container, *_ONE]), count)


@contextmanager
def warm_container() -> Iterator[str]:
    """Run a hardened container that waits."""
    name = f"toolguild-benchmark-{uuid.uuid4().hex[:12]}"
    wait = ["python3", "-c", "import time; time.sleep(3600)"]
    command = ["docker", "run", "--rm", "--detach", "--name", name, *HARDENING]
    command += ["--entrypoint", wait[0], _image(), *wait[1:]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    try:
        yield name
    finally:
        kill = ["docker", "kill", name]
        subprocess.run(kill, check=True, stdout=subprocess.DEVNULL)


def _image() -> str:
    client = connect()
    try:
        return find_image(client).id
    finally:
        client.close()


def _expect_one(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, check=True)
    if done.stdout.strip() != b"1":
        sys.exit(f"{command[1]} printed {done.stdout!r}")
