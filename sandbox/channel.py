"""A stream of frames to and from a worker, in which no wait is without a deadline."""

from __future__ import annotations

import os
import select
import time
from abc import ABC, abstractmethod
from typing import IO

from toolguild.sandbox.frames import Frame, FrameBuffer, FrameError

__all__ = ["Channel", "ChannelClosedError", "PipeChannel"]

_CHUNK = 1 << 16


class ChannelClosedError(ConnectionError):
    """The other side is gone, or what it sends are no frames."""


class Channel(ABC):
    """Carries frames; reading and writing stop at a deadline (on the clock of `time.monotonic`)."""

    def __init__(self) -> None:
        self._frames = FrameBuffer()

    def send(self, data: bytes, deadline: float) -> None:
        """Write encoded frames.

        Raises:
            TimeoutError: the deadline passed first.
            ChannelClosedError: the other side is gone.
        """
        view = memoryview(data)
        while view:
            written = self._write_some(view)
            view = view[written:]
            if not written:
                self._wait(self._write_descriptor(), select.POLLOUT, deadline)

    def receive(self, max_body: int, deadline: float) -> Frame:
        """Wait for the next frame.

        Raises:
            TimeoutError: the deadline passed first.
            ChannelClosedError: the other side is gone, or sent what is no frame.
        """
        try:
            while not (frame := self._frames.pop(max_body)):
                data = self._read_some()
                if data is None:
                    self._wait(self._read_descriptor(), select.POLLIN, deadline)
                else:
                    self._frames.feed(data)
        except FrameError as error:
            raise ChannelClosedError(str(error)) from error
        return frame

    @staticmethod
    def _wait(descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0 or not poll.poll(remaining_s * 1000 + 1):
            raise TimeoutError

    @abstractmethod
    def close(self) -> None:
        """Close this side; closing twice is harmless."""

    @abstractmethod
    def _read_descriptor(self) -> int:
        """What to wait on before reading."""

    @abstractmethod
    def _write_descriptor(self) -> int:
        """What to wait on before writing."""

    @abstractmethod
    def _read_some(self) -> bytes | None:
        """Return what is there, None if nothing is; raise ChannelClosedError at the end."""

    @abstractmethod
    def _write_some(self, data: memoryview) -> int:
        """Write what fits now and return how much; raise ChannelClosedError if it is closed."""


class PipeChannel(Channel):
    """Frames over two unbuffered pipes, which the channel owns."""

    def __init__(self, read: IO[bytes], write: IO[bytes]) -> None:
        super().__init__()
        self._read, self._write = read, write
        for pipe in (read, write):
            os.set_blocking(pipe.fileno(), False)

    def close(self) -> None:
        """Close both pipes."""
        self._read.close()
        self._write.close()

    def _read_descriptor(self) -> int:
        return self._read.fileno()

    def _write_descriptor(self) -> int:
        return self._write.fileno()

    def _read_some(self) -> bytes | None:
        try:
            data = self._read.read(_CHUNK)
        except (OSError, ValueError) as error:
            raise ChannelClosedError(str(error)) from error
        if data == b"":
            msg = "the worker closed its side"
            raise ChannelClosedError(msg)
        return data

    def _write_some(self, data: memoryview) -> int:
        try:
            # None where the pipe is full.
            return self._write.write(data) or 0
        except (OSError, ValueError) as error:
            raise ChannelClosedError(str(error)) from error
