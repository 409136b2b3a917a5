"""What workers and programs with network may ask of the kernel: no more than they need."""

from __future__ import annotations

import json

import pytest

from toolguild.sandbox.bootstrap import base_profile
from toolguild.sandbox.linux.seccomp import (
    ARCHITECTURES,
    ONE_PROCESS,
    Profile,
    assemble,
    read_profile,
)
from toolguild.sandbox.linux.syscalls import NUMBERS
from toolguild.sandbox.network.filters import network_profile, network_program

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050000 | 38
UNIX, INET, INET6, NETLINK, PACKET, VSOCK = 1, 2, 10, 16, 17, 40
STREAM, DATAGRAM, RAW, SEQUENCED = 1, 2, 3, 5
NONBLOCK, CLOEXEC = 0o4000, 0o2000000
TCP, UDP, MPTCP = 6, 17, 262
HIGH = 1 << 32


def decide(profile: Profile, name: str, *arguments: int) -> int:
    """Return what the first rule that fits says; that filters do so is shown elsewhere."""
    padded = (*arguments, *[0] * (6 - len(arguments)))
    for rule in profile.rules:
        if name in rule.names and all(
            padded[each.index] & each.mask == each.value & each.mask for each in rule.conditions
        ):
            return rule.action
    return profile.default


SOCKETS = [
    ((INET, STREAM, 0), ALLOW, ALLOW),
    ((INET, STREAM, TCP), ALLOW, ALLOW),
    ((INET, STREAM | NONBLOCK | CLOEXEC, TCP), ALLOW, ALLOW),
    ((UNIX, STREAM, 0), ALLOW, EPERM),
    ((UNIX, STREAM | CLOEXEC, 0), ALLOW, EPERM),
    ((UNIX, DATAGRAM, 0), ENOSYS, EPERM),
    ((UNIX, SEQUENCED, 0), ENOSYS, EPERM),
    ((INET, DATAGRAM, 0), ENOSYS, EPERM),
    ((INET, DATAGRAM, UDP), ENOSYS, EPERM),
    ((INET, RAW, 1), ENOSYS, EPERM),
    ((INET, STREAM, MPTCP), ENOSYS, EPERM),
    ((INET, STREAM, UDP), ENOSYS, EPERM),
    ((INET, STREAM | 0x100, 0), ENOSYS, EPERM),
    ((INET6, STREAM, 0), ENOSYS, EPERM),
    ((NETLINK, RAW, 0), ENOSYS, EPERM),
    ((NETLINK, DATAGRAM, 0), ENOSYS, EPERM),
    ((PACKET, RAW, 0), ENOSYS, EPERM),
    ((VSOCK, STREAM, 0), ENOSYS, EPERM),
    # Of the 64 bits the kernel reads 32, and so do the rules.
    ((INET | HIGH, STREAM | HIGH, TCP | HIGH), ALLOW, ALLOW),
    ((UNIX | HIGH, STREAM, 0), ALLOW, EPERM),
    ((NETLINK | HIGH, STREAM, 0), ENOSYS, EPERM),
]


@pytest.mark.parametrize(("arguments", "worker", "program"), SOCKETS)
def test_sockets_are_made_for_streams_only(arguments, worker, program) -> None:
    assert decide(network_profile()[1], "socket", *arguments) == worker
    assert decide(network_program(), "socket", *arguments) == program


@pytest.mark.parametrize(
    ("name", "program"),
    [("connect", ALLOW), ("bind", EPERM), ("listen", EPERM), ("accept", EPERM), ("accept4", EPERM)],
)
def test_the_worker_listens_and_programs_connect(name, program) -> None:
    assert decide(network_profile()[1], name) == ALLOW
    assert decide(network_program(), name) == program


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(STREAM, ALLOW), (STREAM | CLOEXEC, ALLOW), (DATAGRAM, EPERM), (SEQUENCED, EPERM)],
)
def test_a_programs_pairs_are_streams(kind, expected) -> None:
    assert decide(network_program(), "socketpair", UNIX, kind, 0) == expected


@pytest.mark.parametrize(
    ("level", "option", "expected"),
    [
        (1, 9, ALLOW),  # SO_KEEPALIVE
        (6, 1, ALLOW),  # TCP_NODELAY
        (1, 26, EPERM),  # SO_ATTACH_FILTER
        (1, 50, EPERM),  # SO_ATTACH_BPF
        (1, 25, EPERM),  # SO_BINDTODEVICE
        (1, 60, EPERM),  # SO_ZEROCOPY
        (6, 13, EPERM),  # TCP_CONGESTION
        (6, 19, EPERM),  # TCP_REPAIR
        (6, 31, EPERM),  # TCP_ULP
        (0, 64, EPERM),  # IPT_SO_SET_REPLACE
        (0, 9, EPERM),
    ],
)
def test_a_program_sets_the_options_that_clients_set(level, option, expected) -> None:
    assert decide(network_program(), "setsockopt", 3, level, option) == expected
    assert decide(network_program(), "setsockopt", 3, level | HIGH, option) == expected


CHANGED = {
    "accept", "accept4", "bind", "connect", "listen", "setsockopt", "socket", "socketpair"
}  # fmt: skip


def test_all_else_is_as_in_the_shipped_profiles() -> None:
    for name in set(NUMBERS) - CHANGED:
        for first in (0, 1, 2, 16, 17, 0x10000, 0x10000000):
            shipped = decide(base_profile()[1], name, first)
            assert decide(network_profile()[1], name, first) == shipped, name
            assert decide(network_program(), name, first) == decide(ONE_PROCESS, name, first), name
    for name in ("setsockopt", "socketpair"):
        for first in (1, 2, 16):
            shipped = decide(base_profile()[1], name, first)
            assert decide(network_profile()[1], name, first) == shipped, name


def test_docker_reads_the_same_profile() -> None:
    text, profile = network_profile()
    document = json.loads(text)
    assert read_profile(document) == profile
    assert {name for entry in document["syscalls"] for name in entry["names"]} == set(NUMBERS)
    # One entry that refuses a call always would win over those that allow it sometimes.
    for name in ("socket", "connect", "bind", "listen", "accept", "accept4"):
        actions = {each["action"] for each in document["syscalls"] if name in each["names"]}
        assert actions == {"SCMP_ACT_ALLOW"}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_kernel_takes_programs_of_this_length(machine) -> None:
    most = 4096  # BPF_MAXINSNS
    assert len(assemble(network_profile()[1], machine)) // 8 < most
    assert len(assemble(network_program(), machine)) // 8 < most


def test_a_shipped_profile_that_decides_otherwise_is_not_guessed_at(monkeypatch) -> None:
    document = json.loads(base_profile()[0])
    document["syscalls"].append({"names": ["socket"], "action": "SCMP_ACT_ALLOW"})
    changed = json.dumps(document)
    monkeypatch.setattr(
        "toolguild.sandbox.network.filters.base_profile", lambda: (changed, ONE_PROCESS)
    )
    with pytest.raises(ValueError, match=r"seccomp\.json"):
        network_profile.__wrapped__()
