"""The benchmark of calls: everything in one run, so that the ratios hold on any machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import NamedTuple

from benchmarks.sandbox.baselines import (
    bare_fork,
    docker_exec,
    docker_run,
    fork_rate,
    warm_container,
    warm_fork,
)
from benchmarks.sandbox.machine import about
from benchmarks.sandbox.ours import Kind, all_at_once, caller, cold, throughput
from benchmarks.sandbox.peers import measure_peers
from benchmarks.sandbox.report import Bound, CallsReport, Rate, Timed
from benchmarks.sandbox.tables import BARE_FORK, FIRST_RESULT, WARM_FORK
from benchmarks.sandbox.timing import Times, measure
from toolguild.policies import Tier
from toolguild.sandbox import Sandbox, open_sandbox
from toolguild.sandbox.pool import default_size

__all__ = ["FULL", "QUICK", "Effort", "measure_calls"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is measured."""

    rounds: int
    """Turns in which everything has its part, so that a busy moment of the machine falls on all."""
    calls: int
    """Warm calls of each kind in a round, and forks of each baseline."""
    commands: int
    """Each of Docker's own commands in a round."""
    cold: int
    peers: int
    seconds: float
    """For each rate,"""
    turns: int
    """in so many turns."""


FULL = Effort(rounds=10, calls=100, commands=3, cold=11, peers=200, seconds=20.0, turns=25)
QUICK = Effort(rounds=1, calls=5, commands=1, cold=1, peers=5, seconds=0.2, turns=1)
"""To see that the benchmark itself works."""

_PAUSE_S = 0.005
_CALLERS, _CROWD = 8, 50
_KINDS: tuple[Kind, ...] = ("local", "docker")
_TIERS = (Tier.RESTRICTED, Tier.SANDBOX)
"""The isolation alone, and with the wall in it."""

_WARM = "warm call, 5 ms after the last"
_AT_ONCE = "warm call, back to back"
_RUN, _EXEC = "docker run, hardened", "docker exec in a warm container"


class _Key(NamedTuple):
    call: str
    sandbox: str = ""
    tier: str = ""


class _Callers(NamedTuple):
    sandbox: str
    tier: str
    callers: int


_Times = dict[_Key, Times]
_Rates = dict[_Callers, list[float]]
"""Calls a second, of each turn."""


def measure_calls(effort: Effort, *, peers: bool, size: int | None = None) -> CallsReport:
    """Measure everything; progress goes to stderr.

    Args:
        effort: How often.
        peers: Whether to measure what others offer, too.
        size: Workers of each pool, instead of its default.
    """
    facts = {**about(), "workers of a pool": str(size or default_size())}
    bounds: list[Bound] = []
    with ExitStack() as stack:
        sandboxes = {kind: stack.enter_context(_opened(kind, size)) for kind in _KINDS}
        for kind, sandbox in sandboxes.items():
            facts[f"{kind} isolation"] = sandbox.level
        times = _interleaved(effort, sandboxes, stack.enter_context(warm_container()))
        rates = _rates(effort, sandboxes)
        for kind, sandbox in sandboxes.items():
            for tier in _TIERS:
                bounds += _bounds_together(kind, sandbox, tier, rates)
    for kind in _KINDS:
        for tier in _TIERS:
            _say(f"{kind}, {tier}: from cold")
            times[_Key(FIRST_RESULT, kind, tier)] = cold(kind, tier, effort.cold)
    return CallsReport(
        facts,
        [
            Timed.of(key.call, each, sandbox=key.sandbox, tier=key.tier)
            for key, each in times.items()
        ],
        [Rate(*key, round(median(measured), 1)) for key, measured in rates.items()],
        measure_peers(effort.peers) if peers else (),
        [*_bounds_of_calls(times), *_bounds_of_cold(times), *bounds],
    )


def _opened(kind: Kind, size: int | None) -> Sandbox:
    return open_sandbox(kind, size=size) if size else open_sandbox(kind)


def _interleaved(effort: Effort, sandboxes: dict[Kind, Sandbox], container: str) -> _Times:
    takers: dict[_Key, Callable[[], Times]] = {
        _Key(BARE_FORK): partial(bare_fork, effort.calls),
        _Key(WARM_FORK): partial(warm_fork, effort.calls),
    }
    for kind, sandbox in sandboxes.items():
        for tier in _TIERS:
            call = caller(sandbox, tier)
            for name, pause_s in ((_WARM, _PAUSE_S), (_AT_ONCE, 0.0)):
                takers[_Key(name, kind, tier)] = partial(
                    measure, call, effort.calls, pause_s=pause_s
                )
    takers[_Key(_RUN)] = partial(docker_run, effort.commands)
    takers[_Key(_EXEC)] = partial(docker_exec, container, effort.commands)
    times: _Times = {}
    for turn in range(effort.rounds):
        _say(f"round {turn + 1} of {effort.rounds}")
        for key, take in takers.items():
            times[key] = times.get(key, Times(())) + take()
    return times


def _bounds_of_calls(times: _Times) -> list[Bound]:
    fork, run, exec_ = (times[_Key(name)].p50 for name in (BARE_FORK, _RUN, _EXEC))
    bounds = []
    for tier in _TIERS:
        local, docker = (times[_Key(_WARM, kind, tier)] for kind in _KINDS)
        bounds += [
            Bound(f"p50 over a {BARE_FORK}", "local", tier, local.p50 - fork, 1.0, "ms"),
            Bound(f"p50 over a {BARE_FORK}", "docker", tier, docker.p50 - fork, 1.5, "ms"),
            Bound("docker run / p50", "docker", tier, run / docker.p50, 100, "x", at_least=True),
            Bound("docker exec / p50", "docker", tier, exec_ / docker.p50, 25, "x", at_least=True),
            Bound("p99 / p50", "local", tier, local.p99 / local.p50, 5, "x"),
            Bound("p99 / p50", "docker", tier, docker.p99 / docker.p50, 5, "x"),
        ]
    return bounds


def _bounds_of_cold(times: _Times) -> list[Bound]:
    limits = {"local": 150, "docker": 1200}
    return [
        Bound(
            f"{FIRST_RESULT}, p50",
            kind,
            tier,
            times[_Key(FIRST_RESULT, kind, tier)].p50,
            limits[kind],
            "ms",
        )
        for kind in _KINDS
        for tier in _TIERS
    ]


def _rates(effort: Effort, sandboxes: dict[Kind, Sandbox]) -> _Rates:
    """Measure one caller and several of everything by turns; return the rates of each turn.

    A machine that is shared with others has less than its processors at some moments: these fall on
    everything, and bare forks show how much more two processes get done than one.
    """
    seconds = effort.seconds / effort.turns
    takers: dict[_Callers, Callable[[float], float]] = {
        _Callers(BARE_FORK, "", processes): partial(fork_rate, processes) for processes in (1, 2)
    }
    for kind, sandbox in sandboxes.items():
        for tier in _TIERS:
            call = caller(sandbox, tier)
            throughput(call, _CALLERS, effort.seconds / 10)  # until the pool's places are filled
            for callers in (1, _CALLERS):
                takers[_Callers(kind, tier, callers)] = partial(throughput, call, callers)
    rates: _Rates = {key: [] for key in takers}
    for turn in range(effort.turns):
        _say(f"many callers, turn {turn + 1} of {effort.turns}")
        for key, take in takers.items():
            rates[key].append(take(seconds))
    return rates


def _bounds_together(kind: Kind, sandbox: Sandbox, tier: Tier, rates: _Rates) -> list[Bound]:
    one, many = (rates[_Callers(kind, tier, callers)] for callers in (1, _CALLERS))
    ratio = median(together / alone for alone, together in zip(one, many, strict=True))
    served = all_at_once(sandbox, tier, _CROWD)
    what = f"calls/s of {_CALLERS} callers / of 1"
    return [
        Bound(what, kind, tier, ratio, 1.7, "x", at_least=True),
        Bound(
            f"of {_CROWD} callers at once, served",
            kind,
            tier,
            served,
            _CROWD,
            "calls",
            at_least=True,
        ),
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
