"""What a mutation operator is: one kind of small fault that people and models make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.validation.adequacy.tree import Change, Site

__all__ = ["Find", "Operator"]

Find: TypeAlias = Callable[[Site], Iterator[Change]]


@dataclass(frozen=True, slots=True)
class Operator:
    """One kind of fault, with examples that are its tests."""

    name: str
    docs: str
    """What it changes, and what it leaves alone because no input could tell."""
    find: Find
    """Yields the faults of this kind that can be put into one place."""
    makes: tuple[tuple[str, str], ...]
    """Statements before, each with one that it must become."""
    spares: tuple[str, ...] = ()
    """Statements in which it must change nothing."""
