"""What a tool returns, taken apart as far as results of calls may stand in it."""

from __future__ import annotations

from toolguild.sandbox import Json
from toolguild.synth.mining import canonical

__all__ = ["parts_of"]

_DEPTH = 3
"""Levels of a returned value on which results of calls stand: by key, and by item of a list."""


def parts_of(value: Json, depth: int = _DEPTH) -> set[str]:
    """Return a value and its parts, in canonical form."""
    parts = {canonical(value)}
    if depth:
        below = value if isinstance(value, list) else []
        below = list(value.values()) if isinstance(value, dict) else below
        for part in below:
            parts |= parts_of(part, depth - 1)
    return parts
