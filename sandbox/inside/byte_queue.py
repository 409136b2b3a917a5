"""Bytes on their way from one descriptor to another."""

from __future__ import annotations

import os

__all__ = ["ByteQueue"]

_CHUNK = 1 << 16


class ByteQueue:
    """What was read first is written first."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def view(self, count: int | None = None) -> memoryview:
        """Return the first bytes, by default all; to be released before anything changes."""
        with memoryview(self._bytes) as whole:
            return whole[:count]

    def read_from(self, descriptor: int) -> int:
        """Take what a descriptor has and return how much that was: nothing at its end.

        Raises:
            BlockingIOError: it has nothing yet.
        """
        data = os.read(descriptor, _CHUNK)
        self._bytes += data
        return len(data)

    def write_to(self, descriptor: int) -> None:
        """Hand on as much as a descriptor takes.

        Raises:
            BlockingIOError: it takes nothing yet.
        """
        del self._bytes[: os.write(descriptor, self._bytes)]

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes at the end."""
        self._bytes += data

    def skip(self, count: int) -> None:
        """Drop the first bytes."""
        del self._bytes[:count]

    def cut(self, count: int) -> None:
        """Drop what is beyond the first bytes."""
        del self._bytes[count:]

    def clear(self) -> None:
        """Drop everything."""
        self._bytes.clear()
