"""Other checkers on the same rows, each from a throw-away virtual environment.

Nothing of theirs becomes a dependency of this project. `peer_checks.py` runs inside that
environment, with their libraries and without ours.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import venv
from pathlib import Path

from benchmarks.static_gate.corpora import Escape, OrdinaryTool, corpora_folder
from benchmarks.static_gate.verdicts import Verdicts

__all__ = ["PEERS", "peer_verdicts"]

_PACKAGES = ("RestrictedPython==9.0", "smolagents==1.26.0", "bandit==1.9.4")
_DEADLINE_S = 1_200

PEERS = {
    "restricted_compile": (
        "RestrictedPython 9.0, compiler alone",
        "refused before anything runs; imports are left to the one who embeds it",
    ),
    "restricted_run": (
        "RestrictedPython 9.0, usually embedded",
        "run with its guards, usual builtins and data modules; passed: the proof came back",
    ),
    "smolagents": (
        "smolagents 1.26.0 LocalPythonExecutor",
        "run with its default imports; passed: the proof came back",
    ),
    "smolagents_data": (
        "smolagents 1.26.0, data modules allowed",
        "run with the data modules allowed, too; passed: the proof came back",
    ),
    "bandit": (
        "bandit 1.9.4, medium and higher",
        "refused before anything runs; bandit warns people, it is no gate",
    ),
    "bandit_all": ("bandit 1.9.4, every finding", "refused before anything runs"),
}
"""Each peer with what is measured, and how to read it."""


def peer_verdicts(escapes: list[Escape], ordinary: list[OrdinaryTool]) -> list[Verdicts]:
    """Install the peers and ask each about every row; what cannot be had says why."""
    with tempfile.TemporaryDirectory(prefix="toolguild-peers-") as folder:
        python = Path(folder, "bin", "python")
        venv.create(folder, with_pip=True, symlinks=True)
        install: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        done = subprocess.run([*install, *_PACKAGES], capture_output=True, text=True, check=False)
        if done.returncode:
            why = f"pip cannot install it: {_last_line(done.stderr)}"
            return [Verdicts(name, 0, (), (), 0, (), why) for name, _ in PEERS.values()]
        return [_verdicts(python, peer, escapes, ordinary) for peer in PEERS]


def _verdicts(
    python: Path, peer: str, escapes: list[Escape], ordinary: list[OrdinaryTool]
) -> Verdicts:
    name, note = PEERS[peer]
    script = Path(__file__).with_name("peer_checks.py")
    command: list[str | Path] = [python, "-I", script, peer, corpora_folder()]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_DEADLINE_S
        )
    except subprocess.TimeoutExpired:
        return Verdicts(name, 0, (), (), 0, (), "it hangs")
    if done.returncode:
        return Verdicts(name, 0, (), (), 0, (), _last_line(done.stderr))
    told = json.loads(done.stdout.splitlines()[-1])
    passed = [row for row in escapes if told["escapes"][row.id] == "passed"]
    return Verdicts(
        name=name,
        escapes=len(escapes),
        passed=tuple(row.id for row in passed),
        hard=tuple(row.id for row in passed if row.proof in ("canary", "pid")),
        ordinary=len(ordinary),
        refused=tuple(row.id for row in ordinary if told["ordinary"][row.id] != "passed"),
        note=note,
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines() or ["no word"]
    return lines[-1][:300]
