"""Whether the kernel killed for want of memory, as a control group tells."""

from __future__ import annotations

import contextlib
import os

__all__ = ["OomCounter"]

_CHUNK = 1 << 16


class OomCounter:
    """Counts in the control group of this worker."""

    # Version 2 and version 1, as they are mounted in a container.
    _FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")

    def __init__(self) -> None:
        self._file = -1
        for name in self._FILES:
            with contextlib.suppress(OSError):
                self._file = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        self._before = self._count()

    def reset(self) -> None:
        """Count from now on."""
        self._before = self._count()

    def happened(self) -> bool:
        """Return whether it happened since the last reset."""
        return self._count() > self._before

    def _count(self) -> int:
        if self._file < 0:
            return 0
        lines = os.pread(self._file, _CHUNK, 0).splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(b"oom_kill "))
