"""Telling whether the process that a container belongs to still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["LABEL", "Owner"]

LABEL = "toolguild.sandbox.owner"
"""Label of every container of ours; its value tells whose it is."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from every other, also from later ones that get its number."""

    machine: str
    """Where the number counts: the boot of the kernel and the namespace of process ids."""
    pid: int
    started: str
    """When it started, in the kernel's ticks since boot; empty where that cannot be told."""

    @classmethod
    def current(cls) -> Self:
        """Return this process."""
        return cls(_machine(), os.getpid(), _start_time(os.getpid()))

    @classmethod
    def parse(cls, label: str) -> Self | None:
        """Read what `str` made of an owner; None where it is something else."""
        machine, _, rest = label.partition(" ")
        pid, _, started = rest.partition(" ")
        return cls(machine, int(pid), started) if machine and pid.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.machine} {self.pid} {self.started}"

    @property
    def surely_gone(self) -> bool:
        """Whether it has ended; False also where this process cannot know."""
        if self.machine != _machine():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return _start_time(self.pid) != self.started


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # Field 22, counted from behind the command name, which may hold anything.
    return stat.rpartition(")")[2].split()[19]
