"""Whether the registry holds what is written to it, and how fast: on SQLite and on PostgreSQL.

Ends with 1 where a bound is broken, naming it, and with 3 where something needed is unavailable.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.registry.databases import Places, places
from benchmarks.registry.edits import measure_edits
from benchmarks.registry.kills import measure_kills
from benchmarks.registry.postgres_server import NoServerError
from benchmarks.registry.processes import measure_processes
from benchmarks.registry.recording import measure_recording
from benchmarks.registry.report import Part, bounds_table
from benchmarks.registry.retrieval import measure_retrieval
from benchmarks.sandbox.machine import about, warn_if_busy
from benchmarks.sandbox.tables import about_table, replace_part

PARTS: dict[str, Callable[[Places], Part]] = {
    "recording": measure_recording,
    "processes": measure_processes,
    "kills": measure_kills,
    "edits": measure_edits,
    "retrieval": measure_retrieval,
}
"""What is measured, in this order: times first, while nothing else of ours runs."""
QUICK: dict[str, Callable[[Places], Part]] = {
    "recording": lambda given: measure_recording(given, repeats=200),
    "processes": lambda given: measure_processes(given, rounds=3),
    "kills": lambda given: measure_kills(given, kills=4),
    "edits": lambda given: measure_edits(given, 20, 20, 20, 6),
    "retrieval": lambda given: measure_retrieval(given, size=2000, questions=20),
}


def main() -> None:
    """Measure what the command line asks for, show it, and end with 1 where a bound is broken."""
    given = _parser().parse_args()
    warn_if_busy()
    told = {
        **about(),
        "command": f"python -m benchmarks.registry {' '.join(sys.argv[1:])}".rstrip(),
    }
    found: dict[str, Part] = {}
    try:
        with places() as on:
            for name in given.part or PARTS:
                print(name, file=sys.stderr, flush=True)
                found[name] = (QUICK if given.quick else PARTS)[name](on)
    except NoServerError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    for name, part in found.items():
        shown = "\n\n".join([about_table(told), bounds_table(part.bounds), *part.tables])
        print(f"\n## {name}\n\n{shown}")
        if given.markdown:
            replace_part(given.markdown, f"registry-{name}", shown)
    if given.json:
        data = {name: {**asdict(part), "broken": part.broken} for name, part in found.items()}
        text = json.dumps({"about": told, **data}, indent=1)
        given.json.write_text(f"{text}\n", encoding="utf-8")
    broken = [sentence for part in found.values() for sentence in part.broken]
    for sentence in broken:
        print(f"BROKEN: {sentence}", file=sys.stderr)
    sys.exit(bool(broken))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.registry",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", choices=PARTS, action="append", help="by default all")
    parser.add_argument("--quick", action="store_true", help="only to see that it works")
    parser.add_argument("--json", type=Path, help="file for everything that was measured")
    parser.add_argument(
        "--markdown",
        type=Path,
        help="page that has a part for the tables of each, such as docs/benchmarks.md",
    )
    return parser


if __name__ == "__main__":
    main()
