"""System call filters: a profile in Docker's format, assembled into the kernel's BPF.

One profile, `seccomp.json`, serves both backends: Docker reads it as it is, the local backend
assembles it here. Formats: https://docs.docker.com/engine/security/seccomp/ and the kernel's
Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolguild.sandbox.linux.kernel import prctl_ahead
from toolguild.sandbox.linux.syscalls import NUMBERS

__all__ = [
    "ARCHITECTURES",
    "ONE_PROCESS",
    "Filter",
    "Profile",
    "assemble",
    "read_profile",
]

ARCHITECTURES = ("x86_64", "aarch64")
"""Machines that filters can be assembled for, as `os.uname().machine` names them."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_SYSCALL_BIT = 0x40000000

# From include/uapi/linux/seccomp.h and include/uapi/linux/prctl.h.
_RET_KILL_PROCESS = 0x80000000
_RET_ERRNO = 0x00050000
_RET_ALLOW = 0x7FFF0000
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

# Instructions of the classic BPF machine, from include/uapi/linux/bpf_common.h.
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

# Where struct seccomp_data keeps its fields; both architectures are little-endian.
_OFFSET_NUMBER = 0
_OFFSET_ARCH = 4
_OFFSET_ARGUMENTS = 16

_EPERM = 1
_ALL_BITS = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when the bits of an argument that the mask selects have the given value."""

    index: int
    value: int
    mask: int = _ALL_BITS


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the named calls where every condition holds."""

    names: tuple[str, ...]
    action: int
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """A list of rules, of which the first that fits a call decides, and what decides otherwise."""

    default: int
    rules: tuple[Rule, ...] = field(default_factory=tuple)


def _deny(*names: str, when: Condition | None = None) -> Rule:
    return Rule(names, _RET_ERRNO | _EPERM, (when,) if when else ())


def _option(value: int) -> Condition:
    # The kernel reads these arguments as 32-bit numbers, so a comparison of all 64 bits could be
    # passed by setting a high one.
    return Condition(0, value, mask=0xFFFFFFFF)


_CLONE_THREAD = 0x00010000
_OWN_PID = 0x70696421  # stands for it until `Filter.fit`; beyond every number of a process
_SOCKET_KIND = 0xF  # without the flags; of these, 2 is SOCK_DGRAM and 3 is SOCK_RAW
_SIGNALS = ("kill", "rt_sigqueueinfo", "tgkill", "tkill")

ONE_PROCESS = Profile(
    _RET_ALLOW,
    (
        _deny("fork", "vfork", "execve"),
        _deny("clone", when=Condition(0, 0, mask=_CLONE_THREAD)),
        # A program must neither outlive its supervisor nor open itself to its siblings.
        _deny("prctl", when=_option(1)),  # PR_SET_PDEATHSIG
        _deny("prctl", when=_option(4)),  # PR_SET_DUMPABLE
        # It keeps to the worker's processor.
        _deny("sched_setaffinity"),
        # One of datagrams could send to any socket file in a directory that it is shown.
        *(_deny("socketpair", when=Condition(1, kind, mask=_SOCKET_KIND)) for kind in (2, 3)),
        # To itself only: the supervisor has the same identity.
        Rule(_SIGNALS[:3], _RET_ALLOW, (Condition(0, _OWN_PID, mask=0xFFFFFFFF),)),
        _deny(*_SIGNALS),
    ),
)
"""On top of the shipped profile, for the program itself: threads, but no second process."""


def read_profile(document: Mapping[str, Any]) -> Profile:
    """Read the part of Docker's profile format that `seccomp.json` uses.

    Raises:
        ValueError: it uses another part.
    """
    rules = tuple(_read_rule(entry) for entry in document["syscalls"])
    return Profile(_read_action(document["defaultAction"], document.get("defaultErrnoRet")), rules)


def _read_rule(entry: Mapping[str, Any]) -> Rule:
    conditions = tuple(_read_condition(argument) for argument in entry.get("args", ()))
    action = _read_action(entry["action"], entry.get("errnoRet"))
    return Rule(tuple(entry["names"]), action, conditions)


def _read_action(name: str, errno: int | None) -> int:
    if name == "SCMP_ACT_ALLOW":
        return _RET_ALLOW
    if name == "SCMP_ACT_ERRNO":
        return _RET_ERRNO | (_EPERM if errno is None else errno)
    msg = f"seccomp profile: action {name} is not supported"
    raise ValueError(msg)


def _read_condition(argument: Mapping[str, Any]) -> Condition:
    if argument["op"] == "SCMP_CMP_EQ":
        return Condition(argument["index"], argument["value"])
    if argument["op"] == "SCMP_CMP_MASKED_EQ":
        # In this format `value` is the mask and `valueTwo` what must be left.
        return Condition(argument["index"], argument["valueTwo"], argument["value"])
    msg = f"seccomp profile: comparison {argument['op']} is not supported"
    raise ValueError(msg)


_Instruction = tuple[int, int, int, int]
"""Code, how many instructions to skip if true, and if false, and the constant."""


def assemble(profile: Profile, machine: str) -> bytes:
    """Return the profile as an array of `struct sock_filter` for one architecture.

    A call from another architecture's table (32-bit, x32) kills the process, since its numbers
    mean other calls.

    Raises:
        KeyError: the machine is none of `ARCHITECTURES`, or a rule names an unknown call.
    """
    column = ARCHITECTURES.index(machine) if machine in _AUDIT_ARCH else None
    if column is None:
        raise KeyError(machine)
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _RET_KILL_PROCESS),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_JUMP_AT_LEAST, 0, 1, _X32_SYSCALL_BIT),
        (_RETURN, 0, 0, _RET_KILL_PROCESS),
    ]
    for rule in profile.rules:
        for name in rule.names:
            number = NUMBERS[name][column]
            if number is not None:
                program += _test(number, rule.conditions, rule.action)
    program.append((_RETURN, 0, 0, profile.default))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _test(number: int, conditions: Sequence[Condition], action: int) -> list[_Instruction]:
    if not conditions:
        return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)]
    checks = list(_checks(conditions))
    body: list[_Instruction] = []
    for position, (offset, mask, value) in enumerate(checks):
        # Behind this check stand the later ones (three instructions each) and the verdict.
        rest = 3 * (len(checks) - position - 1) + 1
        body += [(_LOAD, 0, 0, offset), (_AND, 0, 0, mask), (_JUMP_EQUAL, 0, rest, value)]
    body.append((_RETURN, 0, 0, action))
    reload_number = (_LOAD, 0, 0, _OFFSET_NUMBER)
    return [(_JUMP_EQUAL, 0, len(body) + 1, number), *body, reload_number]


def _checks(conditions: Iterable[Condition]) -> Iterator[tuple[int, int, int]]:
    """Split each 64-bit comparison into the two of 32 bits that BPF can make."""
    for condition in conditions:
        for half in (0, 1):
            mask = (condition.mask >> (32 * half)) & 0xFFFFFFFF
            if mask:
                offset = _OFFSET_ARGUMENTS + 8 * condition.index + 4 * half
                yield offset, mask, (condition.value >> (32 * half)) & mask


class _FilterProgram(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Filter:
    """An assembled profile, laid out for the kernel.

    It can be made ahead, in a process that forks another for each program: for every page that a
    forked process is the first to write to, it waits for a copy.
    """

    def __init__(self, program: bytes) -> None:
        """Lay out what `assemble` returned; empty, it filters nothing."""
        self._bytes = bytearray(program)
        own_pid = struct.pack("=I", _OWN_PID)
        # The constant of an instruction is its second half.
        self._own_pids = [at for at in range(4, len(program), 8) if program[at : at + 4] == own_pid]
        address = ctypes.addressof((ctypes.c_char * len(program)).from_buffer(self._bytes))
        # Kept, as the kernel is given its address.
        self._struct = _FilterProgram(len(program) // 8, address)
        self._install = prctl_ahead(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(self._struct))

    @property
    def program(self) -> bytes:
        """The instructions, as an array of `struct sock_filter`."""
        return bytes(self._bytes)

    def fit(self, pid: int) -> None:
        """Make it the filter of the process that has this number, where it is an `ONE_PROCESS`."""
        number = pid.to_bytes(4, sys.byteorder)
        for position in self._own_pids:
            self._bytes[position : position + 4] = number

    def install(self) -> None:
        """Put this thread under the filter, for good; needs `no_new_privs`.

        Raises:
            OSError: the kernel has no filters or refuses this one.
        """
        if self._bytes:
            self._install()
