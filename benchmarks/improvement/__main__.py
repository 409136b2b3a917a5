"""What the improvement loop lets through: `python -m benchmarks.improvement --help`.

Ends with 1 where a bound is broken, naming it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.improvement.attack import Attack, Clock, desk
from benchmarks.improvement.drops import FALSE_ALARM_RATES, HARMED, drops, false_alarms
from benchmarks.improvement.report import Found, broken, shown
from benchmarks.improvement.undoing import undo_each
from benchmarks.sandbox.machine import about
from benchmarks.sandbox.tables import about_table, replace_part
from toolguild.registry import verify
from toolguild.sandbox import Sandbox
from toolguild.sandbox.local import LocalSandbox


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and say whether every bound is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.improvement", description=__doc__)
    parser.add_argument("--proposals", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of what is proposed")
    parser.add_argument("--deployments", type=int, default=200, help="that do no harm")
    parser.add_argument("--drops", type=int, default=40, help="deployments that do, of each degree")
    parser.add_argument("--markdown", type=Path, help="page that has a part for the tables")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, LocalSandbox(size=1) as sandbox:
        found = _measured(asked, Path(folder), sandbox)
    told = f"{about_table(about())}\n\n{shown(found)}"
    print(told)
    if asked.markdown:
        replace_part(asked.markdown, "improvement", told)
    failed = broken(found)
    for one in failed:
        print(f"BROKEN: {one}", file=sys.stderr)
    return 1 if failed else 0


def _measured(asked: argparse.Namespace, folder: Path, sandbox: Sandbox) -> Found:
    clock = Clock()
    with desk(folder / "attacked.db", clock) as registry:
        attack = Attack(registry, sandbox, clock, asked.proposals, asked.seed)
        asyncio.run(attack.run())
        undone = undo_each(registry, attack.made)
        chain_holds = verify(registry).ok
    return Found(
        attack,
        undone,
        chain_holds,
        tuple(asyncio.run(drops(folder, sandbox, harmed, asked.drops)) for harmed in HARMED),
        tuple(false_alarms(folder, rate, asked.deployments) for rate in FALSE_ALARM_RATES),
    )


if __name__ == "__main__":
    sys.exit(main())
