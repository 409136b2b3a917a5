"""The assembler, checked by interpreting its programs, and the profile that Docker shares."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.sandbox.bootstrap import base_profile
from toolguild.sandbox.linux.seccomp import (
    ARCHITECTURES,
    ONE_PROCESS,
    Condition,
    Filter,
    Profile,
    Rule,
    assemble,
    read_profile,
)
from toolguild.sandbox.linux.syscalls import NUMBERS

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050000 | 38
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def verdict(program: bytes, arch: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """Do what the kernel does with a classic BPF program over `struct seccomp_data`."""
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, arch, 0, *padded)
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator = position = 0
    while True:
        code, if_true, if_false, constant = instructions[position]
        position += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, constant)
        elif code == 0x54:
            accumulator &= constant
        elif code == 0x15:
            position += if_true if accumulator == constant else if_false
        elif code == 0x35:
            position += if_true if accumulator >= constant else if_false
        elif code == 0x06:
            return constant
        else:
            pytest.fail(f"unknown instruction {code:#x}")


def by_name(profile: Profile, name: str, *arguments: int, machine: str = "x86_64") -> int:
    number = NUMBERS[name][ARCHITECTURES.index(machine)]
    assert number is not None
    return verdict(assemble(profile, machine), AUDIT_ARCH[machine], number, arguments)


def fitted(pid: int) -> bytes:
    filter_ = Filter(assemble(ONE_PROCESS, "x86_64"))
    filter_.fit(1)  # as it can be fitted again
    filter_.fit(pid)
    return filter_.program


@pytest.fixture(scope="module")
def shipped() -> Profile:
    return base_profile()[1]


_U64 = st.integers(0, 2**64 - 1)
_CONDITIONS = st.lists(
    st.builds(Condition, index=st.integers(0, 5), value=_U64, mask=_U64), max_size=3
).map(tuple)
_RULES = st.lists(
    st.builds(
        Rule,
        names=st.sampled_from(["read", "write", "clone", "close"]).map(lambda name: (name,)),
        action=st.sampled_from([ALLOW, EPERM, ENOSYS]),
        conditions=_CONDITIONS,
    ),
    max_size=5,
).map(tuple)


@settings(deadline=None)
@given(
    profile=st.builds(Profile, default=st.sampled_from([ALLOW, EPERM]), rules=_RULES),
    name=st.sampled_from(["read", "write", "clone", "close", "open"]),
    arguments=st.tuples(*[_U64] * 6),
    matching=st.booleans(),
)
def test_a_program_decides_as_its_rules_do(profile, name, arguments, matching) -> None:
    if matching and profile.rules:
        # Chance alone would hardly ever hit a condition.
        changed = list(arguments)
        for condition in profile.rules[0].conditions:
            old = changed[condition.index]
            changed[condition.index] = (old & ~condition.mask) | (condition.value & condition.mask)
        arguments = tuple(changed)
    expected = next(
        (
            rule.action
            for rule in profile.rules
            if name in rule.names
            and all(arguments[c.index] & c.mask == c.value & c.mask for c in rule.conditions)
        ),
        profile.default,
    )
    assert by_name(profile, name, *arguments) == expected


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_calls_through_another_table_kill(shipped, machine) -> None:
    program = assemble(shipped, machine)
    i386 = 0x40000003
    assert verdict(program, i386, 3) == KILL
    assert verdict(program, AUDIT_ARCH[machine], 0x40000000 | 1) == KILL


def test_only_known_machines_have_filters(shipped) -> None:
    with pytest.raises(KeyError):
        assemble(shipped, "riscv64")


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("read", ALLOW),
        ("futex", ALLOW),
        ("openat", ALLOW),
        ("socket", EPERM),
        ("connect", EPERM),
        ("io_uring_setup", EPERM),
        ("keyctl", EPERM),
        ("userfaultfd", EPERM),
        ("ptrace", EPERM),
        ("mount", EPERM),
        ("unshare", EPERM),
        ("bpf", EPERM),
        ("clone3", ENOSYS),
    ],
)
def test_the_shipped_profile_decides(shipped, name, expected, machine) -> None:
    assert by_name(shipped, name, machine=machine) == expected


def test_unknown_calls_do_not_exist(shipped) -> None:
    assert verdict(assemble(shipped, "x86_64"), AUDIT_ARCH["x86_64"], 9999) == ENOSYS


NEW_USER, CLONE_THREAD, SIGCHLD = 0x10000000, 0x00010000, 17
HIGH = 1 << 32


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (SIGCHLD,), ALLOW),
        ("clone", (SIGCHLD | NEW_USER,), ENOSYS),
        ("clone", (SIGCHLD | NEW_USER | HIGH,), ENOSYS),
        ("socketpair", (1,), ALLOW),
        ("socketpair", (2,), ENOSYS),
        ("socketpair", (16,), ENOSYS),
        ("prlimit64", (0,), ALLOW),
        ("prlimit64", (1,), ENOSYS),
    ],
)
def test_arguments_decide_where_they_matter(shipped, name, arguments, expected) -> None:
    assert by_name(shipped, name, *arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (CLONE_THREAD,), ALLOW),
        ("clone", (SIGCHLD,), EPERM),
        ("fork", (), EPERM),
        ("execve", (), EPERM),
        ("prctl", (1,), EPERM),
        ("prctl", (1 | HIGH,), EPERM),  # the kernel reads 32 bits of it
        ("prctl", (4,), EPERM),
        ("prctl", (3,), ALLOW),
        ("read", (), ALLOW),
    ],
)
def test_a_program_may_have_threads_only(name, arguments, expected) -> None:
    assert by_name(ONE_PROCESS, name, *arguments) == expected


@pytest.mark.parametrize("name", ["kill", "tkill", "tgkill", "rt_sigqueueinfo"])
@pytest.mark.parametrize("target", [0, 1, 2, 41, 43, 2**64 - 1, 2**64 - 42])
def test_a_program_sends_no_signals_to_others(name, target) -> None:
    program = fitted(42)
    assert verdict(program, AUDIT_ARCH["x86_64"], NUMBERS[name][0], (target, 9)) == EPERM


@pytest.mark.parametrize("name", ["kill", "tgkill"])
def test_a_program_may_send_itself_signals(name) -> None:
    program = fitted(42)
    assert verdict(program, AUDIT_ARCH["x86_64"], NUMBERS[name][0], (42, 9)) == ALLOW
    # Of the 64 bits, the kernel reads 32.
    assert verdict(program, AUDIT_ARCH["x86_64"], NUMBERS[name][0], (42 | HIGH, 9)) == ALLOW


def test_the_profile_names_each_call_once_and_knows_its_number() -> None:
    document = json.loads(base_profile()[0])
    names = [name for entry in document["syscalls"] for name in entry["names"]]
    assert sorted(names) == sorted(NUMBERS)
    for column in (0, 1):
        numbers = [pair[column] for pair in NUMBERS.values() if pair[column] is not None]
        assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "entry",
    [
        {"names": ["read"], "action": "SCMP_ACT_TRACE"},
        {
            "names": ["read"],
            "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GT"}],
        },
    ],
)
def test_parts_of_the_format_that_are_not_understood_are_refused(entry) -> None:
    with pytest.raises(ValueError, match="not supported"):
        read_profile({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [entry]})
