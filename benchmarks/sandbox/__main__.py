"""How fast the sandboxes are, and what many calls leave: `python -m benchmarks.sandbox --help`.

Ends with 1 where a bound is broken, naming it, and with 3 where something needed is unavailable.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sandbox.machine import warn_if_busy
from benchmarks.sandbox.tables import replace_part
from toolguild.sandbox import SandboxUnavailableError

_CALLS, _SOAK = "calls", "soak"


def main() -> None:
    """Run what the command line asks for."""
    given = _parser().parse_args()
    warn_if_busy()
    try:
        tables, data, broken = _run(given)
    except SandboxUnavailableError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    print(tables)
    if given.json:
        given.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    if given.markdown:
        replace_part(given.markdown, given.command, tables)
    for sentence in broken[:20]:
        print(f"BROKEN: {sentence}", file=sys.stderr)
    sys.exit(bool(broken))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sandbox",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(
        command=_CALLS, peers=False, quick=False, size=None, json=None, markdown=None
    )
    commands = parser.add_subparsers(metavar="{calls,soak}", help="by default calls")
    calls = commands.add_parser(_CALLS, help="times of single calls and rates of many")
    for command in (parser, calls):
        command.add_argument(
            "--peers",
            action="store_true",
            default=argparse.SUPPRESS,
            help="what others offer as well, which pip fetches",
        )
        command.add_argument(
            "--quick",
            action="store_true",
            default=argparse.SUPPRESS,
            help="only to see that the benchmark works",
        )
        command.add_argument(
            "--size", type=int, default=argparse.SUPPRESS, help="workers of each pool"
        )
    soak = commands.add_parser(_SOAK, help="many mixed calls, and what they leave behind")
    soak.set_defaults(command=_SOAK)
    soak.add_argument("calls", type=int, nargs="?", default=20_000)
    soak.add_argument("--kind", choices=("local", "docker"), action="append")
    for command in (parser, calls, soak):
        command.add_argument(
            "--json", type=Path, default=argparse.SUPPRESS, help="file for all figures"
        )
        command.add_argument(
            "--markdown",
            type=Path,
            default=argparse.SUPPRESS,
            help="page that has a part for the tables, such as docs/benchmarks.md",
        )
    return parser


def _run(given: argparse.Namespace) -> tuple[str, dict[str, Any], Sequence[str]]:
    # Each imports what the other has no use for.
    if given.command == _SOAK:
        from benchmarks.sandbox.soak import soak, soak_tables

        soaked = soak(given.kind or ["local", "docker"], given.calls)
        return soak_tables(soaked), soaked.as_json(), soaked.problems
    from benchmarks.sandbox.calls import FULL, QUICK, measure_calls
    from benchmarks.sandbox.tables import calls_tables

    effort = QUICK if given.quick else FULL
    report = measure_calls(effort, peers=given.peers, size=given.size)
    return calls_tables(report), report.as_json(), report.broken


if __name__ == "__main__":
    main()
