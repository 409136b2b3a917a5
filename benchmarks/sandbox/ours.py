"""The calls of our own that are timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from benchmarks.sandbox.timing import Times, per_second
from toolguild.policies import Tier
from toolguild.sandbox import Program, Sandbox

__all__ = ["IDENTITY", "Kind", "all_at_once", "caller", "cold", "throughput"]

Kind = Literal["local", "docker"]

IDENTITY = Program("def tool(x):\n    return x\n", "tool")

_COLD = """
import json, sys, time
from toolguild.policies import Tier
from toolguild.sandbox import Program, open_sandbox
begin = time.perf_counter()
with open_sandbox(sys.argv[1], size=1) as sandbox:
    program = Program("def tool(x): return x", "tool")
    outcome = sandbox.run(program, {"x": 1}, tier=Tier(sys.argv[2]))
    taken = (time.perf_counter() - begin) * 1e3
    assert outcome.value == 1, outcome
print(json.dumps(taken))
"""


def caller(sandbox: Sandbox, tier: Tier) -> Callable[[], None]:
    """Return one warm call, which fails loudly."""

    def call() -> None:
        outcome = sandbox.run(IDENTITY, {"x": 1}, tier=tier)
        if outcome.value != 1:
            sys.exit(f"a call ended with {outcome}")

    call()
    return call


def cold(kind: Kind, tier: Tier, count: int) -> Times:
    """Time the opening of a sandbox and its first result, each in a process of its own.

    As installed, with its bytecode in place: whatever keeps Python from writing any is left out of
    the environment, and one run that is not counted writes it.
    """
    command = [sys.executable, "-c", _COLD, kind, tier]
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    outputs = [
        subprocess.run(command, capture_output=True, check=True, env=environment).stdout
        for _ in range(1 + count)
    ]
    return Times.of(json.loads(output) for output in outputs[1:])


def throughput(call: Callable[[], object], callers: int, seconds: float) -> float:
    """Return the calls a second of so many callers together."""
    with ThreadPoolExecutor(callers) as threads:
        rates = [threads.submit(per_second, call, seconds) for _ in range(callers)]
        return sum(rate.result() for rate in rates)


def all_at_once(sandbox: Sandbox, tier: Tier, callers: int) -> int:
    """Let so many callers call at the same moment; return how many got their own value back."""
    with ThreadPoolExecutor(callers) as threads:
        outcomes = threads.map(
            lambda number: sandbox.run(IDENTITY, {"x": number}, tier=tier), range(callers)
        )
        return sum(outcome.value == number for number, outcome in enumerate(outcomes))
