"""A mutant: a tool's text with one small fault put into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Mutant", "difference"]

_MAX_SHOWN = 120
_CONTEXT = 40
"""Characters shown before the first that differs, in lines too long to be shown whole."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed text; it compiles, and to something else than the original."""

    id: str
    """Follows from the changed text alone, so the same fault has the same id in every report."""
    operator: str
    """Name of the operator that made it."""
    line: int
    """Line of the original on which the change starts, from 1."""
    column: int
    """Column in characters, from 1."""
    description: str
    """What was changed into what, without the code around it."""
    source: str
    """The whole changed text."""


def difference(original: str, mutant: Mutant) -> str:
    """Return the changed lines as a person reads them: ``line 7: `x < 1` -> `x <= 1` ``."""
    before, after = _lines(original), _lines(mutant.source)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    changed = [lines[start : len(lines) - end] for lines in (before, after)]
    old, new = (_first(lines) for lines in changed)
    is_long = max(len(old), len(new)) > _MAX_SHOWN
    shown_from = max(0, _common(old, new) - _CONTEXT) if is_long else 0
    told = [_cut(line, shown_from) for line in (old, new)]
    more = [f" ... ({len(lines) - 1} more)" if len(lines) > 1 else "" for lines in changed]
    return f"line {start + 1}: `{told[0]}{more[0]}` -> `{told[1]}{more[1]}`"


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _first(lines: Sequence[str]) -> str:
    return next((line.strip() for line in lines if line.strip()), "")


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items two sequences have in common at their start."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _cut(line: str, start: int) -> str:
    text = f"...{line[start:]}" if start else line
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
