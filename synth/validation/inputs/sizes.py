"""How long generated strings and lists are."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.sandbox import Json, JsonObject

__all__ = ["LARGE", "lengths_of"]

LARGE = 300
"""Characters or items of what is large."""

_MOST = 2_000
"""More than this is never made, whatever a schema asks for."""


def lengths_of(
    schema: JsonObject,
    shortest: str,
    longest: str,
    seen: Sequence[str | list[Json] | JsonObject],
    usual: int,
) -> tuple[int, int, int]:
    """Return the least length, the greatest that is drawn, and the greatest that is allowed.

    Args:
        schema: What the lengths are for.
        shortest: The keyword with the least.
        longest: The keyword with the greatest.
        seen: Recorded values.
        usual: The length of the longest value where none was recorded.
    """
    low = min(_whole(schema.get(shortest), 0), _MOST)
    highest = max(low, min(_whole(schema.get(longest), _MOST), _MOST))
    drawn = 2 * max(map(len, seen), default=usual) + 3
    return low, min(max(low, drawn), highest), highest


def _whole(value: Json, otherwise: int) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(int(value), 0)
    return otherwise
