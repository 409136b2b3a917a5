"""The messages between the host and a worker: a JSON header and a body of plain bytes.

A frame is two big-endian 32-bit lengths, the header (a JSON object, written by our own code on
either side) and the body. A body that comes from a program is carried as it is: only the host
parses it, and only there does it matter what it says.
"""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

__all__ = [
    "FRAME_LENGTHS",
    "Frame",
    "FrameBuffer",
    "FrameError",
    "Header",
    "encode_frame",
    "frame_head",
]

FRAME_LENGTHS = struct.Struct("!II")
_MAX_HEADER = 1 << 16
_encode = json.JSONEncoder().encode
_decode = json.JSONDecoder().decode

Header = dict[str, Any]


class FrameError(ValueError):
    """The bytes are not frames: the other side is broken or no longer itself."""


class Frame(NamedTuple):
    """One message."""

    header: Header
    body: bytes

    @property
    def kind(self) -> str:
        """What the message is: the `kind` of its header."""
        return str(self.header.get("kind"))


def encode_frame(header: Header, body: bytes = b"") -> bytes:
    """Return the bytes of one frame."""
    return frame_head(header, len(body)) + body


def frame_head(header: Header, body_bytes: int) -> bytes:
    """Return the bytes of one frame up to its body."""
    head = _encode(header).encode("ascii")
    return FRAME_LENGTHS.pack(len(head), body_bytes) + head


class FrameBuffer:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what was just read."""
        self._bytes += data

    def pop(self, max_body: int) -> Frame | None:
        """Return the next frame, None while it is incomplete.

        Raises:
            FrameError: a length is beyond what the caller allows, or the header is no JSON object.
        """
        if len(self._bytes) < FRAME_LENGTHS.size:
            return None
        head_length, body_length = FRAME_LENGTHS.unpack_from(self._bytes)
        if head_length > _MAX_HEADER or body_length > max_body:
            msg = f"frame of {head_length} + {body_length} bytes"
            raise FrameError(msg)
        start = FRAME_LENGTHS.size + head_length
        end = start + body_length
        if len(self._bytes) < end:
            return None
        try:
            header = _decode(self._bytes[FRAME_LENGTHS.size : start].decode("ascii"))
        except ValueError as error:
            msg = f"frame header: {error}"
            raise FrameError(msg) from error
        if not isinstance(header, dict):
            msg = "frame header is not an object"
            raise FrameError(msg)
        body = bytes(self._bytes[start:end])
        del self._bytes[:end]
        return Frame(header, body)
