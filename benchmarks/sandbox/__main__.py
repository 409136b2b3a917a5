"""How fast the sandboxes are, and what many calls leave; ends with 1 where a bound is broken."""

from __future__ import annotations

import argparse
import sys


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    parser.add_argument("--no-peers", action="store_true", help="leave out what pip would fetch")
    commands = parser.add_subparsers(dest="command")
    soak_parser = commands.add_parser("soak", help="many mixed calls, and what they leave behind")
    soak_parser.add_argument("calls", type=int, nargs="?", default=20_000)
    soak_parser.add_argument("--kind", choices=("local", "docker"), action="append")
    given = parser.parse_args()
    if given.command == "soak":
        from benchmarks.sandbox import soak

        kinds = given.kind or ["local", "docker"]
        kept = True
        for kind in kinds:
            kept = soak.run(kind, given.calls) and kept
    else:
        from benchmarks.sandbox import calls

        kept = calls.run(peers=not given.no_peers)
    sys.exit(not kept)


if __name__ == "__main__":
    main()
