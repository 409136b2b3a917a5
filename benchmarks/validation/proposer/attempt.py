"""What an adversary hands in: a text in the place of a good one, and what shows that it is bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from toolguild.sandbox import JsonObject
from toolguild.synth.drafting import Draft

__all__ = ["DIFFERS", "Attempt", "BadTool", "Kind"]

DIFFERS = """
def shows(good, bad, arguments):
    expected = good().call(arguments)
    return expected[0] != "late" and bad().call(arguments) != expected
"""
"""The probe for texts that do something else than the tool for the witness."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A text that means to be bad; whether it is shows only when its probe runs."""

    variant: str
    source: str
    arguments: JsonObject
    """The witness: valid arguments for which it shows."""
    probe: str = DIFFERS
    """Says how it shows (see `inside.shows`)."""


Kind: TypeAlias = Callable[[Draft], Iterator[Attempt]]
"""Writes bad texts of one kind in the place of a tool's own; none where the tool gives no room."""


@dataclass(frozen=True, slots=True)
class BadTool:
    """A text that was seen to be bad, in the place of a real tool's."""

    kind: str
    variant: str
    good: Draft
    source: str
    arguments: JsonObject
    probe: str

    @property
    def draft(self) -> Draft:
        """What is handed in: everything is the real tool's, but the text."""
        return replace(self.good, source=self.source)
