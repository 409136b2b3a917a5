"""Tables of which the trail tells row by row, each time with a digest over all columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from toolguild.registry import aliases, approvals, validations
from toolguild.registry.improvement import storage as improvement
from toolguild.sandbox import Json

__all__ = ["ToldRows"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One such table."""

    key: str
    """What names a row, in what the trail tells of it."""
    spoken: str
    """What messages call a row, around its name."""
    digests: Callable[[Connection], Mapping[Any, str]]
    """Gives the digests of all rows by their names."""


_KINDS: Final = {
    "alias": _Kind("alias", "the alias {}", aliases.row_digests),
    "approval": _Kind("request", "request {} for approval", approvals.row_digests),
    "change": _Kind("number", "change {}", improvement.change_digests),
    "scored_run": _Kind("number", "scored run {}", improvement.run_digests),
    "validation": _Kind("number", "validation {}", validations.row_digests),
}
"""By the field in which a row of the trail tells of them."""
_OF_NO_VERSION: Final = frozenset({"change", "scored_run"})


class ToldRows:
    """What these tables must hold after the changes in the trail."""

    def __init__(self) -> None:
        """Begin before the first row of the trail."""
        self._told: dict[str, dict[str, Json]] = {kind: {} for kind in _KINDS}

    def apply(self, body: Mapping[str, Json]) -> bool:
        """Make the change that a row of the trail tells of, if it is one of these tables'.

        Returns:
            Whether the row tells of nothing else: it is about no version then.
        """
        for kind, rows in self._told.items():
            told = body.get(kind)
            if isinstance(told, dict):
                rows[str(told.get(_KINDS[kind].key))] = told.get("row")
        return not _OF_NO_VERSION.isdisjoint(body)

    def differences(self, connection: Connection) -> Iterator[str]:
        """Yield what the tables hold that the trail does not tell, and the other way round."""
        for name, kind in _KINDS.items():
            told = self._told[name]
            kept = {str(key): row for key, row in kind.digests(connection).items()}
            for key in sorted(kept.keys() | told.keys()):
                if kept.get(key) != told.get(key):
                    spoken = kind.spoken.format(key)
                    yield f"{spoken} is not in the tables as the trail says"
