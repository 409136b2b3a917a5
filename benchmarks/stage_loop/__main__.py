"""What the stage loop costs, and what learned tools save it.

`python -m benchmarks.stage_loop --help`. Ends with 1 where a bound is broken, naming it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.sandbox.machine import about
from benchmarks.sandbox.tables import about_table, replace_part
from benchmarks.stage_loop.desk_report import desk_broken, desk_table
from benchmarks.stage_loop.support_desk import compare_desks
from benchmarks.stage_loop.trail import in_stages, with_full_history
from benchmarks.stage_loop.trail_report import HOPS, trail_broken, trail_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and say whether every bound is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stage_loop", description=__doc__)
    parser.add_argument("--markdown", type=Path, help="page that has parts for the tables")
    asked = parser.parse_args(arguments)
    stages = {hops: in_stages(hops) for hops in HOPS}
    history = {hops: with_full_history(hops) for hops in HOPS}
    desks = compare_desks()
    shown = {
        "stage-loop": f"{about_table(about())}\n\n{trail_table(stages, history)}",
        "stage-loop-desk": desk_table(desks),
    }
    print("\n\n".join(shown.values()))
    if asked.markdown:
        for part, text in shown.items():
            replace_part(asked.markdown, part, text)
    broken = [*trail_broken(stages, history), *desk_broken(desks)]
    for told in broken:
        print(f"BROKEN: {told}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
