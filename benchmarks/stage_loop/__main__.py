"""What the stage loop costs: `python -m benchmarks.stage_loop --help`.

Ends with 1 where a bound is broken, naming it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.sandbox.machine import about
from benchmarks.sandbox.tables import about_table, replace_part, table
from benchmarks.stage_loop.trail import Cost, in_stages, with_full_history

_HOPS = (12, 24, 48)
_GROWTH = 1.10
"""Of the largest request, from the shortest task to the longest, which has four times the steps."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and say whether every bound is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stage_loop", description=__doc__)
    parser.add_argument("--markdown", type=Path, help="page that has a part for the table")
    asked = parser.parse_args(arguments)
    stages = {hops: in_stages(hops) for hops in _HOPS}
    history = {hops: with_full_history(hops) for hops in _HOPS}
    shown = f"{about_table(about())}\n\n{_shown(stages, history)}"
    print(shown)
    if asked.markdown:
        replace_part(asked.markdown, "stage-loop", shown)
    broken = _broken(stages, history)
    for told in broken:
        print(f"BROKEN: {told}", file=sys.stderr)
    return 1 if broken else 0


def _shown(stages: dict[int, Cost], history: dict[int, Cost]) -> str:
    rows = [
        (
            f"{hops}",
            f"{stages[hops].most_input:,}",
            f"{history[hops].most_input:,}",
            f"{stages[hops].all_input:,}",
            f"{history[hops].all_input:,}",
            f"{stages[hops].requests}",
            f"{history[hops].requests}",
        )
        for hops in _HOPS
    ]
    growths = (
        f"{_HOPS[-1]} / {_HOPS[0]}",
        f"{_growth(stages):.2f} x",
        f"{_growth(history):.2f} x",
        *("",) * 4,
    )
    head = (
        "records to follow",
        "largest request, in stages",
        "with full history",
        "all requests, in stages",
        "with full history",
        "requests, in stages",
        "with full history",
    )
    return table(head, [*rows, growths])


def _growth(costs: dict[int, Cost]) -> float:
    return costs[_HOPS[-1]].most_input / costs[_HOPS[0]].most_input


def _broken(stages: dict[int, Cost], history: dict[int, Cost]) -> list[str]:
    broken = [
        f"{hops} records: the answers are {stages[hops].answer} and {history[hops].answer}"
        for hops in _HOPS
        if stages[hops].answer != history[hops].answer
    ]
    if _growth(stages) > _GROWTH:
        broken.append(f"the largest request grows {_growth(stages):.2f} times, {_GROWTH} at most")
    return broken


if __name__ == "__main__":
    sys.exit(main())
