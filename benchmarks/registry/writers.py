"""Processes that write to a registry until they are done or killed, and acknowledge each write."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from benchmarks.registry.databases import spec
from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, Use

__all__ = ["SHARED", "USES_A_ROUND", "barrier", "writer"]

SHARED = "shared"
"""The tool that all of them use and move between tiers."""
USES_A_ROUND = 4

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__, "sqlalchemy.dialects.postgresql.psycopg"])


def barrier(parties: int) -> Any:
    """Return what so many writers may start at."""
    return _context.Barrier(parties)


def writer(
    where: str, name: str, rounds: int, acknowledged: Path, start: Any = None
) -> ForkServerProcess:
    """Return a process that writes so many rounds, to be started."""
    return _context.Process(target=_write, args=(where, name, rounds, acknowledged, start))


def _write(where: str, name: str, rounds: int, acknowledged: Path, start: Any) -> None:
    tiers = list(Tier)
    told = os.open(acknowledged, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def done(what: str) -> None:
        os.write(told, f"{what}\n".encode())

    if start is not None:
        start.wait(60)
    with Registry.open(where, actor=name) as registry:
        shared = registry.register(spec(SHARED, "Used by all.")).version.digest
        for number in range(rounds):
            for part in range(USES_A_ROUND):
                made = f"{name}-{number}-{part}"
                registry.record(Use(shared, made, CallStatus.OK, 0.01, registry.now(), task="t"))
                done(f"use {made}")
            version = registry.register(spec("own", f"{name}-{number}.")).version
            done(f"version {version.digest}")
            why = f"{name}-{number}"
            registry.set_tier(f"own@{version.digest}", Tier.RESTRICTED, why=why)
            done(f"tier {why}")
            # Not acknowledged: where another one set the same tier before, nothing is written.
            registry.set_tier(SHARED, tiers[sum(why.encode()) % len(tiers)], why=why)
