"""System call filters for workers whose programs have the network.

Both start from the shipped ones. The worker's, which Docker or the launcher installs, lets it make
stream sockets: the relay listens for programs and connects to the host's socket. The program's, on
top of it, leaves of these only what a client needs, in a network namespace where there is nobody
but the relay to connect to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from toolguild.sandbox.bootstrap import base_profile
from toolguild.sandbox.linux.seccomp import ONE_PROCESS, Profile, read_profile

__all__ = ["network_profile", "network_program"]

_Entry = dict[str, Any]

# Linux's numbers, and not those of the `socket` module: a Docker engine's host may be another
# system. From include/linux/socket.h, include/uapi/asm-generic/socket.h, include/uapi/linux/tcp.h.
_AF_UNIX, _AF_INET = 1, 2
_SOCK_STREAM, _SOCK_NONBLOCK, _SOCK_CLOEXEC = 1, 0o4000, 0o2000000
_IPPROTO_IP, _IPPROTO_TCP = 0, 6
_SOL_SOCKET = 1

# The kernel reads these arguments as 32-bit numbers.
_INT = 0xFFFFFFFF
_TYPE = _INT & ~(_SOCK_NONBLOCK | _SOCK_CLOEXEC)

_USES_OF_SOCKETS = ("accept", "accept4", "bind", "connect", "listen")
_DECIDED_HERE = {*_USES_OF_SOCKETS, "socket"}

_OPTIONS = {
    _SOL_SOCKET: (
        2,  # SO_REUSEADDR
        7,  # SO_SNDBUF
        8,  # SO_RCVBUF
        9,  # SO_KEEPALIVE
        13,  # SO_LINGER
        20,  # SO_RCVTIMEO
        21,  # SO_SNDTIMEO
    ),
    _IPPROTO_TCP: (
        1,  # TCP_NODELAY
        4,  # TCP_KEEPIDLE
        5,  # TCP_KEEPINTVL
        6,  # TCP_KEEPCNT
        12,  # TCP_QUICKACK
        18,  # TCP_USER_TIMEOUT
    ),
}
"""Options that HTTP clients set, by level; among the others are filters, encryption and the choice
of algorithms in the kernel."""


@cache
def network_profile() -> tuple[str, Profile]:
    """Return the worker's profile, as text for Docker and read for the local backend.

    Raises:
        ValueError: the shipped profile does not name sockets as it is expected to.
    """
    document = json.loads(base_profile()[0])
    kept = [entry for entry in document["syscalls"] if not _DECIDED_HERE & set(entry["names"])]
    left_out = [entry for entry in document["syscalls"] if entry not in kept]
    if [set(entry["names"]) for entry in left_out] != [_DECIDED_HERE]:
        msg = f"seccomp.json must decide on {', '.join(sorted(_DECIDED_HERE))} in one entry"
        raise ValueError(msg)
    document["syscalls"] = [
        *kept,
        *_tcp_sockets(),
        _allow("socket", _is(0, _AF_UNIX), _is(1, _SOCK_STREAM, _TYPE), _is(2, _IPPROTO_IP)),
        *(_allow(name) for name in _USES_OF_SOCKETS),
    ]
    return json.dumps(document), read_profile(document)


@cache
def network_program() -> Profile:
    """Return the program's profile: `ONE_PROCESS`, and of sockets what a client of TCP needs."""
    document = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [
            *_tcp_sockets(),
            _deny("socket"),
            _deny("accept", "accept4", "bind", "listen"),
            # As asyncio needs it. One of datagrams could send to any socket file in sight.
            _allow("socketpair", _is(0, _AF_UNIX), _is(1, _SOCK_STREAM, _TYPE)),
            _deny("socketpair"),
            *_harmless_options(),
            _deny("setsockopt"),
        ],
    }
    sockets = read_profile(document)
    return Profile(sockets.default, (*ONE_PROCESS.rules, *sockets.rules))


def _tcp_sockets() -> Iterator[_Entry]:
    for protocol in (_IPPROTO_IP, _IPPROTO_TCP):
        yield _allow("socket", _is(0, _AF_INET), _is(1, _SOCK_STREAM, _TYPE), _is(2, protocol))


def _harmless_options() -> Iterator[_Entry]:
    for level, options in _OPTIONS.items():
        for option in options:
            yield _allow("setsockopt", _is(1, level), _is(2, option))


def _allow(name: str, *conditions: _Entry) -> _Entry:
    entry = {"names": [name], "action": "SCMP_ACT_ALLOW"}
    return {**entry, "args": conditions} if conditions else entry


def _deny(*names: str) -> _Entry:
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}


def _is(index: int, value: int, mask: int = _INT) -> _Entry:
    """Return the condition that an argument has a value in the bits of a mask."""
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
