"""How fast the static gate is and what it lets through; ends with 1 where a bound is broken."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.static_gate.corpora import escapes, ordinary_tools
from benchmarks.static_gate.peers import peer_verdicts
from benchmarks.static_gate.report import Measured
from benchmarks.static_gate.speed import hostile_seconds, tool_times
from benchmarks.static_gate.verdicts import gate_verdicts
from toolguild.policies import load_profile, shipped_profiles


def main() -> None:
    """Measure, show, and end with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.static_gate", description=__doc__)
    parser.add_argument("--no-peers", action="store_true", help="leave out what pip would fetch")
    parser.add_argument("--profile", choices=shipped_profiles(), default="balanced")
    parser.add_argument("--count", type=int, default=300, help="checks of the tool of 40 lines")
    parser.add_argument("--json", metavar="FILE", help="write JSON, too; with - to stdout instead")
    given = parser.parse_args()
    profile = load_profile(given.profile)
    attempts, ordinary = escapes(), ordinary_tools()
    measured = Measured(
        profile=profile,
        tool=tool_times(given.count, profile),
        hostile=hostile_seconds(profile),
        gate=gate_verdicts(attempts, ordinary, profile),
        peers=[] if given.no_peers else peer_verdicts(attempts, ordinary),
    )
    document = json.dumps(measured.to_json(), indent=2) + "\n"
    if given.json == "-":
        sys.stdout.write(document)
    else:
        print(measured.to_markdown())
        if given.json:
            Path(given.json).write_text(document, encoding="utf-8")
    sys.exit(not measured.kept)


if __name__ == "__main__":
    main()
