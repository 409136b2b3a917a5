"""Tables, in Markdown, and the bounds that are kept or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.sandbox.timing import Times

__all__ = ["Bound", "bounds_table", "times_table"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure of the sandboxes that has to be kept."""

    text: str
    measured: float
    limit: float
    unit: str
    at_least: bool = False
    """Whether the figure is a lower bound."""

    @property
    def kept(self) -> bool:
        """Whether what was measured is within it."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def times_table(rows: Mapping[str, Times | str], unit: Times) -> str:
    """Show times with their ratio to the median of `unit`; a text says why there are none."""
    lines = [
        "| call | n | p50 | p99 | min | max | p50 by docker warm call |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, times in rows.items():
        if isinstance(times, str):
            lines.append(f"| {name} | 0 | not measured: {_cell(times)} | | | | |")
            continue
        figures = (times.p50, times.p99, times.ms[0], times.ms[-1])
        shown = " | ".join(_ms(figure) for figure in figures)
        lines.append(f"| {name} | {len(times.ms)} | {shown} | {times.p50 / unit.p50:.2f} |")
    return "\n".join(lines)


def bounds_table(bounds: Sequence[Bound]) -> str:
    """Show each bound with what was measured."""
    lines = ["| bound | limit | measured | |", "| --- | ---: | ---: | --- |"]
    for bound in bounds:
        sign = ">=" if bound.at_least else "<="
        limit, measured = f"{bound.limit:.3g} {bound.unit}", f"{bound.measured:.3g} {bound.unit}"
        verdict = "kept" if bound.kept else "BROKEN"
        lines.append(f"| {bound.text} | {sign} {limit} | {measured} | {verdict} |")
    return "\n".join(lines)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
