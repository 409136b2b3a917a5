"""The benchmark of calls: everything in one run, so that the ratios hold on any machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks.sandbox.baselines import (
    bare_fork,
    docker_exec,
    docker_run,
    warm_container,
    worker_fork,
)
from benchmarks.sandbox.ours import Kind, all_at_once, caller, cold, throughput
from benchmarks.sandbox.peer_image import peer_image
from benchmarks.sandbox.peers import PEERS, Peer, measure_peers
from benchmarks.sandbox.report import Bound, bounds_table, times_table
from benchmarks.sandbox.timing import Times, measure
from toolguild.policies import Tier
from toolguild.sandbox import Sandbox, open_sandbox

__all__ = ["run"]

_ROUNDS = 10
_WARM, _FORKS = 100, 100  # calls in each round
_DOCKER = 2  # of Docker's own commands in each round
_COLD, _PEERS = 7, 200
_SECONDS = 3.0
_PAUSE_S = 0.005
_CALLERS, _CROWD = 8, 50
_TIERS = {Tier.FULL: "isolation alone", Tier.SANDBOX: "with the inner wall"}
_KINDS: tuple[Kind, ...] = ("local", "docker")


def run(*, peers: bool) -> bool:
    """Print the tables; return whether every bound is kept."""
    with ExitStack() as stack:
        sandboxes = {kind: stack.enter_context(open_sandbox(kind)) for kind in _KINDS}
        times = _interleaved(sandboxes, stack.enter_context(warm_container()))
        bounds = _bounds(times)
        for kind, sandbox in sandboxes.items():
            bounds += _together(kind, sandbox)
    for kind in _KINDS:
        for tier in _TIERS:
            times[_cold(kind, tier)] = first = cold(kind, tier, _COLD)
            limit = 150 if kind == "local" else 1200
            bounds.append(Bound(_cold(kind, tier), first.p50, limit, "ms"))
    shown: dict[str, Peer] = dict(times)
    if peers:
        with peer_image() as image:
            measured = measure_peers(_PEERS, image)
        shown.update({PEERS[name]: peer for name, peer in measured.items()})
    print(times_table(shown, times[_warm("docker", Tier.SANDBOX)]))
    print()
    print(bounds_table(bounds))
    return all(bound.kept for bound in bounds)


def _warm(kind: Kind, tier: Tier, pause_s: float = _PAUSE_S) -> str:
    pace = f"{pause_s * 1e3:.0f} ms after the last" if pause_s else "back to back"
    return f"{kind}, warm call {pace}, {_TIERS[tier]}"


def _cold(kind: Kind, tier: Tier) -> str:
    return f"{kind}, cold to first result, {_TIERS[tier]}"


def _interleaved(sandboxes: dict[Kind, Sandbox], container: str) -> dict[str, Times]:
    """Take a few of each in turn, so that a busy moment of the machine falls on all."""
    takers: dict[str, Callable[[], Times]] = {
        "bare fork": lambda: bare_fork(_FORKS),
        "fork of an interpreter as large as a worker's": lambda: worker_fork(_FORKS),
    }
    for kind, sandbox in sandboxes.items():
        for tier in _TIERS:
            call = caller(sandbox, tier)
            for pause_s in (_PAUSE_S, 0.0):
                name = _warm(kind, tier, pause_s)
                takers[name] = partial(measure, call, _WARM, pause_s=pause_s)
    takers["docker run, hardened"] = lambda: docker_run(_DOCKER)
    takers["docker exec in a warm container"] = lambda: docker_exec(container, _DOCKER)
    times: dict[str, Times] = {}
    for turn in range(_ROUNDS):
        print(f"round {turn + 1} of {_ROUNDS}", file=sys.stderr)
        for name, take in takers.items():
            times[name] = times.get(name, Times(())) + take()
    return times


def _bounds(times: dict[str, Times]) -> list[Bound]:
    bare = times["bare fork"].p50
    run, exec_ = times["docker run, hardened"].p50, times["docker exec in a warm container"].p50
    bounds = []
    for tier, what in _TIERS.items():
        local, docker = times[_warm("local", tier)], times[_warm("docker", tier)]
        bounds += [
            Bound(f"local p50 over a bare fork, {what}", local.p50 - bare, 1.0, "ms"),
            Bound(f"docker p50 over a bare fork, {what}", docker.p50 - bare, 1.5, "ms"),
            Bound(f"docker run / docker, {what}", run / docker.p50, 100, "x", at_least=True),
            Bound(f"docker exec / docker, {what}", exec_ / docker.p50, 25, "x", at_least=True),
            Bound(f"docker p99 / p50, {what}", docker.p99 / docker.p50, 5, "x"),
        ]
    return bounds


def _together(kind: Kind, sandbox: Sandbox) -> list[Bound]:
    bounds = []
    for tier, what in _TIERS.items():
        call = caller(sandbox, tier)
        one, many = throughput(call, 1, _SECONDS), throughput(call, _CALLERS, _SECONDS)
        print(f"{kind}, {what}: {one:.0f} calls/s alone, {many:.0f} by {_CALLERS} callers")
        text = f"{kind}, {_CALLERS} callers / 1 caller, {what}"
        bounds.append(Bound(text, many / one, 1.7, "x", at_least=True))
        served = all_at_once(sandbox, tier, _CROWD)
        text = f"{kind}, {_CROWD} callers at once served, {what}"
        bounds.append(Bound(text, served, _CROWD, "calls", at_least=True))
    print()
    return bounds
