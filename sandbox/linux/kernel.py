"""Calls into the Linux kernel that the standard library does not offer.

Runs inside the isolation as well as outside it, so it needs the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Callable
from typing import NoReturn

__all__ = [
    "PR_SET_CHILD_SUBREAPER",
    "PR_SET_DUMPABLE",
    "PR_SET_PDEATHSIG",
    "drop_capabilities",
    "forbid_new_privileges",
    "mount",
    "mprotect",
    "prctl",
    "prctl_ahead",
    "syscall",
    "unmount_lazily",
    "unshare",
]

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
_PR_CAPBSET_DROP = 24
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_CAPABILITY_VERSION_3 = 0x20080522
_HIGHEST_CAPABILITY = 63

# Every bit of include/uapi/linux/securebits.h with its lock, except "keep capabilities", which is
# only locked: uid 0 means nothing special from here on.
_SECUREBITS = 0b11101111


@functools.cache
def _libc() -> ctypes.CDLL:
    # Not at import: on Windows, where Docker may still be used, there is no such library.
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def syscall(number: int, *arguments: object) -> int:
    """Make a system call by its number.

    Raises:
        OSError: the kernel refused it.
    """
    return _check(_libc().syscall(ctypes.c_long(number), *arguments))


def _check(result: int) -> int:
    if result < 0:
        _raise_error()
    return result


def _raise_error() -> NoReturn:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))


def mprotect(address: int, length: int, protection: int) -> None:
    """Say what may be done with pages of this process's memory.

    Raises:
        OSError: the kernel refused it.
    """
    _check(
        _libc().mprotect(
            ctypes.c_void_p(address), ctypes.c_size_t(length), ctypes.c_int(protection)
        )
    )


def prctl(option: int, value: int = 0, third: object = 0) -> None:
    """Change a property of this process.

    Raises:
        OSError: the kernel refused it.
    """
    prctl_ahead(option, value, third)()


def prctl_ahead(option: int, value: int = 0, third: object = 0) -> Callable[[], None]:
    """Return what calls `prctl`, with everything that is needed for it at hand."""
    call = _libc().prctl
    arguments = (
        ctypes.c_int(option),
        ctypes.c_ulong(value),
        third,
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )

    def call_it() -> None:
        if call(*arguments) < 0:
            _raise_error()

    return call_it


def unshare(flags: int) -> None:
    """Move this process, or for process ids its children, into namespaces of their own."""
    _check(_libc().unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system; the arguments are those of the system call."""
    texts = (source.encode(), target.encode(), kind.encode() if kind else None)
    _check(_libc().mount(*texts, ctypes.c_ulong(flags), options.encode() or None))


def unmount_lazily(target: str) -> None:
    """Take a mount out of the tree now; it goes when nothing uses it any more."""
    detach = 2
    _check(_libc().umount2(target.encode(), ctypes.c_int(detach)))


def forbid_new_privileges() -> None:
    """Make sure that no later `execve` grants anything; also what unprivileged filters require."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Give up every capability for good, in all of the kernel's five sets."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_HIGHEST_CAPABILITY + 1):
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last capability that this kernel knows, or not ours to drop
    # Refused without CAP_SETPCAP; but then there is nothing to lose either.
    with contextlib.suppress(PermissionError):
        prctl(_PR_SET_SECUREBITS, _SECUREBITS)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc().capset(header, nothing))
