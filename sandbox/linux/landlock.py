"""Landlock: an unprivileged process gives up access to files, the network and signals.

Format: the kernel's include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolguild.sandbox.linux.kernel import syscall

__all__ = ["ABI_SCOPED", "Grant", "abi", "restrict"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2

ABI_SCOPED = 6
"""The first ABI that also keeps signals and abstract sockets inside."""

_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
# Write and truncate files; make, rename and remove files, folders and symbolic links. Among them
# is no right to make devices, sockets or named pipes.
_CHANGE = sum(1 << bit for bit in (1, 4, 5, 7, 8, 12, 13, 14))
_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_RIGHTS_NEWEST = 16
_ABI_NETWORK = 4
_ALL_NETWORK = 0b11  # bind and connect, TCP
_ALL_SCOPES = 0b11  # abstract sockets and signals


@dataclass(frozen=True, slots=True)
class Grant:
    """Access to one path and, where it is a directory, to what lies beneath it."""

    path: str
    read: bool = True
    """Read files; implies `list` for directories."""
    list: bool = True
    write: bool = False
    """Write to files that are there."""
    change: bool = False
    """Do with files and folders beneath a directory whatever one does with one's own."""


def abi() -> int:
    """Return the version of Landlock that the kernel offers, 0 where it offers none."""
    try:
        return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict(grants: Iterable[Grant], ports: Iterable[int] = ()) -> None:
    """Give up every access but the grants: files, TCP, and signals as far as the ABI knows them.

    Needs `no_new_privs`. Paths that do not exist are left out.

    Args:
        grants: Paths to keep.
        ports: TCP ports to keep, to listen at and to connect to.

    Raises:
        OSError: the kernel has no Landlock.
    """
    version = abi()
    rights = (1 << _FILE_RIGHTS_BY_ABI.get(version, _FILE_RIGHTS_NEWEST)) - 1
    attributes = struct.pack("=Q", rights)
    if version >= _ABI_NETWORK:
        attributes += struct.pack("=Q", _ALL_NETWORK)
    if version >= ABI_SCOPED:
        attributes += struct.pack("=Q", _ALL_SCOPES)
    ruleset = syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for grant in grants:
            _add(ruleset, grant, rights)
        for port in ports if version >= _ABI_NETWORK else ():
            # struct landlock_net_port_attr
            rule = struct.pack("=QQ", _ALL_NETWORK, port)
            syscall(_ADD_RULE, ruleset, _RULE_NET_PORT, rule, 0)
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _add(ruleset: int, grant: Grant, known: int) -> None:
    try:
        place = os.open(grant.path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rights = _READ_FILE * grant.read | _WRITE_FILE * grant.write
        if Path(grant.path).is_dir():
            rights |= _READ_DIR * grant.list | (_CHANGE & known) * grant.change
        # struct landlock_path_beneath_attr, which is packed.
        rule = struct.pack("=Qi", rights, place)
        syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
