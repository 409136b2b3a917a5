"""What mined tools save on unseen tasks, beside what frequency miners would save, unverified.

In call sequences, and in code, there beside the library learner Stitch.

Ends with 1 where a bound is broken, naming it, and with 3 where something needed is unavailable.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from benchmarks.mining.baselines import BASELINES
from benchmarks.mining.code import CodePart, code_part
from benchmarks.mining.folds import TOOLS, Saved, ours, theirs
from benchmarks.mining.live import (
    HOW_TO_INSTALL,
    LiveCheck,
    is_available,
    live_bounds,
    live_words,
)
from benchmarks.mining.precision import judged_sample, precision_bounds, precision_table
from benchmarks.mining.scale import Scale, measure_scale
from benchmarks.mining.stitch import require_stitch
from benchmarks.sandbox.machine import about
from benchmarks.sandbox.report import Bound
from benchmarks.sandbox.tables import about_table, replace_part, table
from toolguild.sandbox import Sandbox, SandboxUnavailableError, open_sandbox
from toolguild.synth.traces import Trace, read_traces

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared"
_ASSIGNMENTS = 5
"""Ways to part the tasks, besides the one whose figures count."""


@dataclass(frozen=True, slots=True)
class _Log:
    name: str
    path: str
    least: float
    """Per cent of the calls that must be saved."""
    is_live: bool = False
    """Whether the tools that the log speaks of can be called."""


_LOGS = (
    _Log("airline", "tau-bench-airline/trajectories.json", 30.0),
    _Log("BFCL", "bfcl-multi-turn", 20.0, is_live=True),
)
_CODE = "mint"
"""The log with code."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One miner on one log."""

    log: str
    miner: str
    verified: bool
    saved: Saved
    others: list[float]
    """Per cent saved with the tasks parted otherwise."""


def main() -> None:
    """Measure, show it, and end with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mining", description=__doc__)
    parser.add_argument("--sandbox", choices=["local", "docker"], default="local")
    parser.add_argument("--without-scale", action="store_true", help="leave large logs out")
    parser.add_argument("--json", type=Path, help="file for everything that was measured")
    parser.add_argument("--markdown", type=Path, help="page that has a part for the tables")
    given = parser.parse_args()
    rows: list[_Row] = []
    code = CodePart()
    try:
        require_stitch()
        with open_sandbox(given.sandbox) as sandbox:
            live = _live(sandbox)
            for log in _LOGS:
                rows += _measured(log, sandbox, live if log.is_live else None)
            print("precision", file=sys.stderr, flush=True)
            logs = {log.name: _traces(log.path) for log in _LOGS}
            judged, not_met = judged_sample(logs, sandbox)
            code = code_part(_traces(_CODE), sandbox)
        scale = Scale() if given.without_scale else measure_scale(_shared())
    except (SandboxUnavailableError, ModuleNotFoundError) as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    bounds = [
        *_bounds(rows),
        *live_bounds(live),
        *precision_bounds(judged),
        *code.bounds(),
        *scale.bounds(),
    ]
    tables = "\n\n".join(
        [
            _tables(rows, bounds),
            live_words(live),
            precision_table(judged, not_met),
            code.tables(),
            *scale.tables(),
        ]
    )
    print(tables)
    if given.json:
        told = {
            "calls": [asdict(row) for row in rows],
            "precision": [asdict(one) for one in judged],
            "code": code.as_json(),
            "scale": asdict(scale),
        }
        given.json.write_text(json.dumps(told, indent=1))
    if given.markdown:
        replace_part(given.markdown, "mining", tables)
    broken = [bound for bound in bounds if not bound.kept]
    for bound in broken:
        print(f"BROKEN: {bound}", file=sys.stderr)
    sys.exit(bool(broken))


def _live(sandbox: Sandbox) -> LiveCheck | None:
    if is_available():
        return LiveCheck(_shared() / "bfcl-multi-turn" / "trajectories.json", sandbox)
    print(f"not tried on live tools: {HOW_TO_INSTALL}", file=sys.stderr)
    return None


def _measured(log: _Log, sandbox: Sandbox, live: LiveCheck | None) -> list[_Row]:
    traces = _traces(log.path)
    others = range(1, _ASSIGNMENTS + 1)
    print(f"{log.name}: {len(traces)} runs", file=sys.stderr, flush=True)
    rows = [
        _Row(
            log.name,
            "toolguild",
            verified=True,
            saved=ours(
                traces,
                0,
                sandbox,
                proven=True,
                on_measured=live.try_all if live else lambda measured: None,
            ),
            others=[ours(traces, number, sandbox, proven=False).share for number in others],
        )
    ]
    for name, miner in BASELINES.items():
        print(f"{log.name}: {name}", file=sys.stderr, flush=True)
        rest = [theirs(traces, number, miner).share for number in others]
        rows.append(_Row(log.name, name, False, theirs(traces, 0, miner), rest))
    return rows


def _traces(path: str) -> list[Trace]:
    problems: list[object] = []
    return list(read_traces([_shared() / path], on_problem=problems.append))


def _shared() -> Path:
    return Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE)) / "traces"


def _bounds(rows: list[_Row]) -> list[Bound]:
    least = {log.name: log.least for log in _LOGS}
    mine = [row for row in rows if row.verified]
    return [
        *(
            Bound(
                f"{row.log}: verified calls saved",
                "",
                "",
                row.saved.share,
                least[row.log],
                "%",
                at_least=True,
            )
            for row in mine
        ),
        *(
            Bound(
                f"{row.log}: tools in a box",
                "",
                "",
                max(map(len, row.saved.tools), default=0),
                TOOLS,
                "tools",
            )
            for row in mine
        ),
    ]


def _tables(rows: list[_Row], bounds: list[Bound]) -> str:
    told = about()
    command = f"python -m benchmarks.mining {' '.join(sys.argv[1:])}".rstrip()
    shown = [
        (
            row.log,
            row.miner,
            "yes" if row.verified else "no",
            f"{row.saved.share:.1f}",
            f"{mean(row.others):.1f} ({min(row.others):.1f} to {max(row.others):.1f})",
            str(row.saved.saved),
            str(row.saved.calls),
            str(row.saved.extra) if row.verified else "",
            str(row.saved.refused) if row.verified else "",
        )
        for row in rows
    ]
    head = (
        "log",
        "miner",
        "verified",
        "% saved",
        "other folds",
        "saved",
        "calls",
        "extra reads",
        "uses refused",
    )
    kept = [
        (
            bound.what,
            f"{'>=' if bound.at_least else '<='} {bound.limit:g} {bound.unit}",
            f"{bound.measured:.4g} {bound.unit}",
            "kept" if bound.kept else "BROKEN",
        )
        for bound in bounds
    ]
    boxes = [
        (row.log, str(number), ", ".join(names))
        for row in rows
        for number, names in enumerate(row.saved.tools, 1)
    ]
    return "\n\n".join(
        [
            about_table({**told, "command": command}),
            "### Bounds",
            table(("bound", "limit", "measured", ""), kept),
            "### Calls saved on unseen tasks, five folds by task, at most ten tools",
            table(head, shown),
            "- verified: every use was run in the sandbox and returned the recorded result of every"
            " call that it takes\n  the place of; frequency miners ignore arguments, and what they"
            " save is an upper bound\n- other folds: mean and range with the tasks parted in five"
            " other ways (there, our tools are drafted only, not\n  proven)\n- extra reads: calls"
            " that only read, and that the agents did not make",
            "### The toolboxes",
            table(("log", "fold", "tools"), boxes, numbers=False),
        ]
    )


if __name__ == "__main__":
    main()
