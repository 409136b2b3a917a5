"""Many mixed calls, one in ten of them hostile, leave nothing behind and no memory taken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import toolguild

ROOT = Path(toolguild.__file__).resolve().parent


@pytest.mark.parametrize("kind", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_many_mixed_calls_leak_nothing(kind, request) -> None:
    if kind == "docker":
        request.getfixturevalue("docker_engine")
    if not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not installed with the package")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sandbox", "soak", "500", "--kind", kind],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\| problems +\| 0 +\|", done.stdout), done.stdout


@pytest.mark.parametrize(("one_in", "told"), [(1, True), (50, True), (10_000, False)])
def test_a_leaked_descriptor_is_told_of(monkeypatch, one_in, told) -> None:
    soak = pytest.importorskip("benchmarks.sandbox.soak")
    leaked: list[int] = []
    mixture, seen = soak.mixture, 0

    def leaking(count, chance):
        nonlocal seen
        seen += count
        while len(leaked) < seen // one_in:
            leaked.append(os.dup(1))
        return mixture(count, chance)

    monkeypatch.setattr(soak, "mixture", leaking)
    try:
        [run] = soak.soak(["local"], 100).runs
    finally:
        for descriptor in leaked:
            os.close(descriptor)
    assert any("descriptors" in problem for problem in run.problems) == told, run.problems
