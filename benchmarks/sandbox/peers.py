"""The same call in what others offer, from a virtual environment of their own.

Nothing of theirs becomes a dependency of this project: `peer_calls` runs with their libraries and
without ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sandbox.peer_image import peer_image
from benchmarks.sandbox.report import Compared, Timed
from benchmarks.sandbox.timing import Times

__all__ = ["PEERS", "measure_peers"]


@dataclass(frozen=True, slots=True)
class Peer:
    """What somebody else offers for running a program."""

    name: str
    package: str
    """What its version is the version of."""
    isolation: str
    state: str


PEERS = {
    "restricted": Peer(
        "RestrictedPython alone",
        "RestrictedPython",
        "none: a compiler and guards in the caller's process",
        "nothing",
    ),
    "monty": Peer(
        "pydantic-monty",
        "pydantic-monty",
        "an interpreter of its own, not CPython, in a process of its own",
        "nothing: a session for each call",
    ),
    "smolagents_local": Peer(
        "smolagents, LocalPythonExecutor",
        "smolagents",
        "none: an interpreter of syntax trees in the caller's process",
        "nothing: an executor for each call",
    ),
    "llm_sandbox": Peer(
        "llm-sandbox, warm container",
        "llm-sandbox",
        "container, here without network; root in it",
        "their files",
    ),
    "smolagents_docker": Peer(
        "smolagents, DockerExecutor",
        "smolagents",
        "container with network; root in it",
        "everything: one Jupyter kernel",
    ),
}

_PACKAGES = (
    "RestrictedPython==9.0", "smolagents[docker]==1.26.0", "pydantic-monty==1.4.0",
    "llm-sandbox[docker]==0.3.46",
)  # fmt: skip


def measure_peers(count: int) -> list[Compared]:
    """Install and time each."""
    with tempfile.TemporaryDirectory(prefix="toolguild-peers-") as folder:
        python = Path(folder, "bin", "python")
        venv.create(folder, with_pip=True, symlinks=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*install, *_PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode:
            why = f"pip cannot install it: {_last_line(done.stderr)}"
            return [_compared(peer, "", None, why) for peer in PEERS.values()]
        with peer_image(python) as image:
            return [_measure(python, key, count, image) for key in PEERS]


def _measure(python: Path, key: str, count: int, image: str) -> Compared:
    peer = PEERS[key]
    print(peer.name, file=sys.stderr, flush=True)
    version = _version(python, peer.package)
    script = Path(__file__).with_name("peer_calls.py")
    command = [str(python), "-I", str(script), key, str(count), image]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=180, env={**os.environ}
        )
    except subprocess.TimeoutExpired:
        return _compared(peer, version, None, "it hangs")
    if done.returncode:
        return _compared(peer, version, None, _last_line(done.stderr))
    times = Times.of(json.loads(done.stdout.splitlines()[-1]))
    return _compared(peer, version, Timed.of(peer.name, times))


def _version(python: Path, package: str) -> str:
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    done = subprocess.run(
        [python, "-I", "-c", code, package], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _compared(peer: Peer, version: str, times: Timed | None, why_not: str = "") -> Compared:
    return Compared(peer.name, version, peer.isolation, peer.state, times, why_not)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines() or ["no word"]
    return lines[-1][:300]
