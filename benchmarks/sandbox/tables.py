"""Tables in Markdown, wide enough to be read as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.sandbox.report import Bound, CallsReport, Compared, Rate, Timed

__all__ = [
    "BARE_FORK",
    "FIRST_RESULT",
    "WARM_FORK",
    "about_table",
    "calls_tables",
    "replace_part",
    "table",
]

BARE_FORK, WARM_FORK = "bare fork", "warm fork"
FIRST_RESULT = "first result from cold"

_WHAT_IS_WHAT = f"""\
- {BARE_FORK}: fork, exit and wait, in an interpreter that has loaded next to nothing
- {WARM_FORK}: the same in one that has loaded the modules that a worker preloads
- tier `restricted`: the isolation alone; tier `sandbox`: with the RestrictedPython wall in it
- the bounds on warm calls are on those 5 ms after the last; back to back, a call waits for its
  process to be forked, which otherwise happens between calls
- {FIRST_RESULT}: from opening a sandbox, in a process of its own, to its first result\
"""


def calls_tables(report: CallsReport) -> str:
    """Show everything that was measured."""
    parts = [
        about_table(report.about),
        "### Bounds",
        _bounds(report.bounds),
        "### Times",
        _times(report.times),
        _WHAT_IS_WHAT,
        "### Calls per second",
        _rates(report.rates),
    ]
    if report.peers:
        parts += ["### Beside others", _peers(report.peers, report.times)]
    return "\n\n".join(parts)


def about_table(about: Mapping[str, str]) -> str:
    """Show when and where something was measured."""
    return table(("", ""), list(about.items()), numbers=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """Lay out a table; with `numbers`, all columns that hold nothing else are set to the right."""
    lines = [[_cell(text) for text in row] for row in (head, *rows)]
    columns = list(zip(*lines, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    right = [numbers and all(map(_is_number, column[1:])) for column in columns]
    rule = ["-" * (width - 1) + (":" if r else "-") for width, r in zip(widths, right, strict=True)]
    shown = []
    for line in (lines[0], rule, *lines[1:]):
        cells = (
            text.rjust(width) if r else text.ljust(width)
            for text, width, r in zip(line, widths, right, strict=True)
        )
        shown.append(f"| {' | '.join(cells)} |")
    return "\n".join(shown)


def replace_part(page: Path, name: str, text: str) -> None:
    """Put a text between the marks of that name on a page.

    Raises:
        ValueError: the page does not have them.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        msg = f"{page} has no part between `{begin}` and `{end}`"
        raise ValueError(msg)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _bounds(bounds: Sequence[Bound]) -> str:
    rows = [
        (
            bound.what,
            bound.sandbox,
            bound.tier,
            f"{'>=' if bound.at_least else '<='} {bound.limit:g} {bound.unit}",
            f"{_figure(bound.measured)} {bound.unit}",
            "kept" if bound.kept else "BROKEN",
        )
        for bound in bounds
    ]
    return table(("bound", "sandbox", "tier", "limit", "measured", ""), rows)


def _times(times: Sequence[Timed]) -> str:
    p50 = {timed.call: timed.p50_ms for timed in times}
    forks = (p50[BARE_FORK], p50[WARM_FORK])
    rows = [
        (
            timed.call,
            timed.sandbox,
            timed.tier,
            str(timed.n),
            *map(_figure, (timed.p50_ms, timed.p99_ms, timed.min_ms, timed.max_ms)),
            *(_figure(timed.p50_ms - fork) if _is_warm(timed) else "" for fork in forks),
        )
        for timed in times
    ]
    head = (
        "milliseconds", "sandbox", "tier", "n", "p50", "p99", "min", "max",
        "p50 - bare fork", "p50 - warm fork",
    )  # fmt: skip
    return table(head, rows)


def _rates(rates: Sequence[Rate]) -> str:
    rows = [
        (rate.sandbox, rate.tier, str(rate.callers), f"{rate.calls_per_s:.0f}") for rate in rates
    ]
    return table(("sandbox", "tier", "callers at once", "calls/s"), rows)


def _peers(peers: Sequence[Compared], times: Sequence[Timed]) -> str:
    unit = {timed.sandbox: timed.p50_ms for timed in reversed(times) if timed.tier == "sandbox"}
    rows = []
    for peer in peers:
        figures = ["", "", "", ""]
        if timed := peer.times:
            figures = [_figure(timed.p50_ms), _figure(timed.p99_ms)]
            figures += [_figure(timed.p50_ms / unit[name]) for name in ("local", "docker")]
        rows.append((peer.peer, peer.version, peer.isolation, peer.state, *figures))
    head = (
        "peer", "version", "isolation", "what a call finds of earlier ones", "p50 ms", "p99 ms",
        "times our local", "times our docker",
    )  # fmt: skip
    missing = [f"- {peer.peer} is not measured: {peer.why_not}" for peer in peers if peer.why_not]
    return "\n".join([table(head, rows), *([""] if missing else []), *missing])


def _is_warm(timed: Timed) -> bool:
    return bool(timed.sandbox) and timed.call != FIRST_RESULT


def _figure(number: float) -> str:
    return f"{number:.2f}" if abs(number) < 100 else f"{number:.0f}"


def _is_number(text: str) -> bool:
    return not text or text.replace(".", "", 1).removeprefix("-").isdecimal()


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
