"""How good validation is: at finding faults, turning away bad tools, and letting good ones pass.

Ends with 1 where a bound is broken, naming it, and with 3 where something needed is unavailable.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

from benchmarks.sandbox.machine import about, warn_if_busy
from benchmarks.sandbox.tables import replace_part
from benchmarks.validation.admission import hand_in
from benchmarks.validation.corpora import try_corpora
from benchmarks.validation.faults import equivalents, judge, seeded
from benchmarks.validation.proposer import propose
from benchmarks.validation.report import Originals, Report
from benchmarks.validation.rewriting import refused_originals
from benchmarks.validation.speed import measure_speed
from benchmarks.validation.tables import markdown
from benchmarks.validation.tools import proven_tools
from toolguild.sandbox import Sandbox, SandboxUnavailableError, open_sandbox

_CORPORA, _SPEED, _FAULTS, _PROPOSER = PARTS = ("corpora", "speed", "faults", "proposer")
_THREADS = 4


def main() -> None:
    """Measure what the command line asks for, show it, and end with 1 where a bound is broken."""
    given = _parser().parse_args()
    warn_if_busy()
    # Until 3.11.8 a collection while one thread parses lets another's `ast.parse` fail with
    # SystemError (python/cpython#106905); nothing here lives long enough to need one.
    gc.disable()
    try:
        report = measured(given.part or PARTS, given.sandbox, peers=not given.no_peers)
    except SandboxUnavailableError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    tables = markdown(report)
    print(tables)
    if given.json:
        data = json.dumps(report.to_json(), indent=1, default=list)
        given.json.write_text(f"{data}\n", encoding="utf-8")
    if given.markdown:
        replace_part(given.markdown, "validation", tables)
    for sentence in report.broken:
        print(f"BROKEN: {sentence}", file=sys.stderr)
    sys.exit(bool(report.broken))


def measured(parts: Sequence[str], kind: Literal["docker", "local"], *, peers: bool) -> Report:
    """Run parts of the benchmark.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    report = Report(about=_about())
    # First, while the machine has nothing else of ours to do.
    if _SPEED in parts:
        report = replace(report, speed=measure_speed())
    if _CORPORA in parts:
        report = replace(report, corpora=try_corpora(peers=peers))
    if _FAULTS in parts or _PROPOSER in parts:
        with open_sandbox(kind) as sandbox, ThreadPoolExecutor(_THREADS) as executor:
            report = _of_tools(report, parts, sandbox, executor)
    return report


def _of_tools(report: Report, parts: Sequence[str], sandbox: Sandbox, executor: Executor) -> Report:
    tools, failed = proven_tools(sandbox, executor)
    if _FAULTS in parts:
        refused = refused_originals(tools, sandbox, executor)
        known = equivalents()
        report = replace(
            report,
            originals=Originals(tools, failed, refused),
            faults=judge(seeded(tools), known, sandbox, executor),
        )
    if _PROPOSER in parts:
        bad = propose([tool.draft for tool in tools], sandbox, executor)
        with tempfile.TemporaryDirectory() as folder:
            admissions = hand_in(bad, Path(folder), sandbox, executor)
        report = replace(report, admissions=admissions)
    return report


def _about() -> dict[str, str]:
    told = about()
    return {**told, "command": f"python -m benchmarks.validation {' '.join(sys.argv[1:])}".rstrip()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", choices=PARTS, action="append", help="by default all")
    parser.add_argument("--sandbox", choices=("local", "docker"), default="local")
    parser.add_argument("--no-peers", action="store_true", help="leave out what pip would fetch")
    parser.add_argument("--json", type=Path, help="file for everything that was measured")
    parser.add_argument(
        "--markdown",
        type=Path,
        help="page that has a part for the tables, such as docs/benchmarks.md",
    )
    return parser


if __name__ == "__main__":
    main()
