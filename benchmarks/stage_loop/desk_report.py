"""What is shown of the support desk, and which bounds it keeps."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.sandbox.tables import table
from benchmarks.stage_loop.support_desk import Compared, Worked

__all__ = ["desk_broken", "desk_table"]

_CALLS, _TOKENS = 0.50, 0.40
"""Shares that learned tools save at the least."""


def desk_table(compared: Sequence[Compared]) -> str:
    """Show what the tickets took with and without learned tools."""
    head = ("tickets", "", "the desk's own tools", "and learned ones", "saved")
    return table(head, [row for one in compared for row in _rows(one)])


def desk_broken(compared: Sequence[Compared]) -> list[str]:
    """Name the bounds that are broken."""
    broken = []
    for one in compared:
        if not (one.is_right(one.without) and one.is_right(one.with_learned)):
            broken.append(f"{one.label}: not answered as the demo's agent does it")
        for what, saved, least in (
            ("calls", one.calls_saved, _CALLS),
            ("input tokens", one.tokens_saved, _TOKENS),
        ):
            if saved < least:
                told = f"{_percent(saved)} of the {what} saved, {_percent(least)} at least"
                broken.append(f"{one.label}: {told}")
    return broken


def _rows(one: Compared) -> list[tuple[str, ...]]:
    own, learned = one.without, one.with_learned
    return [
        (one.label, "calls", f"{own.calls}", f"{learned.calls}", _percent(one.calls_saved)),
        (
            "",
            "input tokens",
            f"{own.input_tokens:,}",
            f"{learned.input_tokens:,}",
            _percent(one.tokens_saved),
        ),
        ("", "requests", f"{own.requests}", f"{learned.requests}", ""),
        ("", "stages", f"{own.stages}", f"{learned.stages}", ""),
        ("", "calls that learned tools made", f"{own.inside}", f"{learned.inside}", ""),
        ("", "database at the end", *[_same(one, worked) for worked in (own, learned)], ""),
    ]


def _same(one: Compared, worked: Worked) -> str:
    return "as expected" if one.is_right(worked) else "different"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
