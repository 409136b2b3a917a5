"""Frames to and from a container, over the connection that `docker attach` makes."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Any

from toolguild.sandbox.channel import Channel, ChannelClosedError
from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["AttachedChannel"]


class AttachedChannel(Channel):
    """Frames over a container's stdin and stdout.

    What comes from the container is cut into pieces with a head of eight bytes: the stream (1 for
    stdout, 2 for stderr), three zeros, and the length.
    Format: https://docs.docker.com/reference/api/engine/ (attach to a container).
    """

    _HEAD = struct.Struct("!BxxxI")
    _CHUNK = 1 << 16
    _MAX_ERRORS = 2000

    def __init__(self, attached: Any) -> None:
        """Take over what `attach_socket` returned.

        Raises:
            SandboxUnavailableError: the engine is reached over something that is no socket.
        """
        super().__init__()
        self.errors = b""
        """The beginning of what the container wrote to stderr."""
        self._attached = attached  # keeps the connection open
        self._socket = getattr(attached, "_sock", attached)
        if not isinstance(self._socket, socket.socket):
            msg = "The docker sandbox reaches engines over unix and tcp sockets only, not over ssh."
            raise SandboxUnavailableError(msg)
        self._socket.setblocking(False)
        self._pieces = bytearray()

    def close(self) -> None:
        """Close the connection, and with it the container's stdin."""
        # From the outside in: closed later, by the garbage collector, the response would find that
        # what it reads from is closed, and complain.
        if response := getattr(self._attached, "_response", None):
            response.close()
        self._attached.close()
        self._socket.close()

    def _read_descriptor(self) -> int:
        descriptor: int = self._socket.fileno()
        return descriptor

    _write_descriptor = _read_descriptor

    def _read_some(self) -> bytes | None:
        try:
            data = self._socket.recv(self._CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError as error:
            raise ChannelClosedError(str(error)) from error
        if not data:
            msg = "the container ended"
            raise ChannelClosedError(msg)
        self._pieces += data
        return self._take_pieces()

    def _take_pieces(self) -> bytes:
        payload = b""
        while len(self._pieces) >= self._HEAD.size:
            stream, length = self._HEAD.unpack_from(self._pieces)
            end = self._HEAD.size + length
            if len(self._pieces) < end:
                break
            piece = bytes(self._pieces[self._HEAD.size : end])
            del self._pieces[:end]
            if stream == 1:
                payload += piece
            else:
                self.errors = (self.errors + piece)[: self._MAX_ERRORS]
        return payload

    def _write_some(self, data: memoryview) -> int:
        try:
            sent: int = self._socket.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return 0
        except OSError as error:
            raise ChannelClosedError(str(error)) from error
        return sent
