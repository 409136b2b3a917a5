"""The same call in what others offer, each from a throw-away virtual environment.

Nothing of theirs becomes a dependency of this project. The part below the line runs inside that
environment, with its libraries and without ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.sandbox.timing import Times

__all__ = ["PEERS", "Peer", "measure_peers"]

Peer = Times | str
"""Its times, or why it could not be measured."""

_PACKAGES = (
    "RestrictedPython==9.0", "smolagents[docker]==1.26.0", "pydantic-monty==1.4.0",
    "llm-sandbox[docker]==0.3.46",
)  # fmt: skip

PEERS = {
    "restricted": "RestrictedPython alone, in process",
    "monty": "pydantic-monty, fresh session",
    "smolagents_local": "smolagents LocalPythonExecutor, fresh",
    "llm_sandbox": "llm-sandbox, warm container",
    "smolagents_docker": "smolagents DockerExecutor, warm kernel",
}


def measure_peers(count: int, image: str) -> dict[str, Peer]:
    """Install and time each; `image` is a local one with a Python, for those that need one."""
    with tempfile.TemporaryDirectory(prefix="toolguild-peers-") as folder:
        python = Path(folder, "bin", "python")
        venv.create(folder, with_pip=True, symlinks=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*install, *_PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode:
            return dict.fromkeys(PEERS, f"pip cannot install it: {_last_line(done.stderr)}")
        return {name: _measure(python, name, count, image) for name in PEERS}


def _measure(python: Path, name: str, count: int, image: str) -> Peer:
    script = Path(__file__).with_name("peer_calls.py")
    command = [python, "-I", script, name, str(count), image]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=180, env={**os.environ}
        )
    except subprocess.TimeoutExpired:
        return "it hangs"
    if done.returncode:
        return _last_line(done.stderr)
    return Times.of(json.loads(done.stdout.splitlines()[-1]))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines() or ["no word"]
    return lines[-1][:300]


if __name__ == "__main__":
    sys.exit("run `python -m benchmarks.sandbox`")
