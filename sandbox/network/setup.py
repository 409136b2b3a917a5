"""What workers whose programs have the network are given, besides what others are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from toolguild.sandbox.bootstrap import ENVIRONMENT, PRELOAD, base_profile
from toolguild.sandbox.linux.seccomp import ONE_PROCESS, Profile
from toolguild.sandbox.network import relay
from toolguild.sandbox.network.filters import network_profile, network_program

if TYPE_CHECKING:  # the proxy brings asyncio along, which takes as long as starting a sandbox
    from toolguild.sandbox.network.egress import Egress

__all__ = ["environment", "opened_egress", "preload", "program_profile", "worker_profile"]

# Importing them takes a program longer than a request does.
_CLIENTS = ("http.client", "socket", "ssl", "urllib.error", "urllib.request")


def environment(*, network: bool) -> Mapping[str, str]:
    """Return every variable that programs see."""
    return {**ENVIRONMENT, **relay.ENVIRONMENT} if network else ENVIRONMENT


def preload(*, network: bool) -> tuple[str, ...]:
    """Return the modules that are imported once and for all."""
    return (*PRELOAD, *_CLIENTS) if network else PRELOAD


def worker_profile(*, network: bool) -> tuple[str, Profile]:
    """Return the worker's seccomp profile, as text for Docker and read for the local backend."""
    return network_profile() if network else base_profile()


def program_profile(*, network: bool) -> Profile:
    """Return the seccomp profile of programs, on top of the worker's."""
    return network_program() if network else ONE_PROCESS


@contextlib.contextmanager
def opened_egress(*, network: bool) -> Iterator[Egress | None]:
    """Open an egress for a worker that is started in here, and leave it open if that succeeds.

    Meanwhile there is a socket that lets nobody through, so that the worker can make sure of it.

    Raises:
        SandboxUnavailableError: this machine has no room or no means for it.
    """
    if not network:
        yield None
        return
    from toolguild.sandbox.network.egress import Egress

    egress = Egress()
    try:
        egress.begin_run(frozenset())
        yield egress
        egress.end_run()
    except BaseException:
        egress.close()
        raise
