"""Heads of a chain that were kept elsewhere, and what a walk along the chain finds of them."""

from __future__ import annotations

from collections.abc import Iterable

from toolguild.registry.heads import GENESIS, Head

__all__ = ["KeptHeads"]


class KeptHeads:
    """Those that a walk along one chain has still to come to, and the last that it met."""

    def __init__(self, link: str, kept: Iterable[tuple[Head, str]]) -> None:
        """Begin a walk.

        Args:
            link: What one link of the chain is called.
            kept: Heads, in any order, with the times at which they were kept.
        """
        self.held = Head(0, GENESIS)
        """The last head that was met as it was kept."""
        self._link = link
        self._ahead: dict[int, list[tuple[str, str]]] = {}
        for head, at in kept:
            self._ahead.setdefault(head.seq, []).append((head.hash, at))

    def problem_at(self, here: Head) -> str:
        """Come to a link; return why it is not the one that was kept, or an empty text."""
        kept = self._ahead.pop(here.seq, None)
        for hash_, at in kept or ():
            if hash_ != here.hash:
                problem = f"{self._link} {here.seq} is not the one anchored at {at}: "
                return f"{problem}it was rewritten{self._since()}"
        if kept:
            self.held = here
        return ""

    def problem_behind(self, last: Head) -> str:
        """Come to the last link; return what is missing behind it, or an empty text."""
        if not self._ahead:
            return ""
        kept = min(self._ahead)
        _, at = self._ahead[kept][0]
        first = last.seq + 1
        missing = f"{self._link} {first} was"
        if kept > first:
            missing = f"{self._link}s {first} to {kept} were"
        return f"{missing} cut off: {self._link} {kept} was anchored at {at}{self._since()}"

    def _since(self) -> str:
        if not self.held.seq:
            return ""
        return f", and {self._link} {self.held.seq} is the last anchored one that was not"
