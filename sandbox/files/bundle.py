"""Files on their way between the host and a worker, as part of a frame's body.

An index comes first, a JSON object behind its length (big-endian, 32 bits), and then the content
of its `files`, one after the other. To the worker the index holds `folders` and `files` (path and
size each), and back from it `files`, `removed` and `left_out`.
"""

from __future__ import annotations

import json
import struct

__all__ = ["INDEX_LENGTH", "MAX_INDEX", "MAX_LEFT_OUT", "encode_index"]

INDEX_LENGTH = struct.Struct("!I")
MAX_INDEX = 1 << 22
"""Bytes of an index; enough for as many files as there may be, with paths as they are."""
MAX_LEFT_OUT = 100
"""Lines about what cannot go back, besides one that says how many more there are."""


def encode_index(index: dict[str, object]) -> bytes:
    """Return the bytes of an index, its length included."""
    encoded = json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return INDEX_LENGTH.pack(len(encoded)) + encoded
