"""What a model that is down costs the main job: `python -m benchmarks.models_down`.

Each row runs `toolguild synthesize` without a model and then with one that is down, each as a
process of its own into a fresh registry: on the airline traces, and with them on runs with code of
which no draft passes, as only for such a model is asked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.models_down.servers import WAYS

SHARED = Path(os.environ.get("TOOLGUILD_SHARED", Path(__file__).parents[3] / "shared"))
AIRLINE = SHARED / "traces/tau-bench-airline/trajectories.json"
MOST_SECONDS_MORE = 5.0
SOUND = """
def weight_of(counts):
    total = 0
    for place, count in enumerate(counts):
        total += (place + 1) * count
    return total

print(weight_of([{0}, {0}, 5]))"""
FAILING = """
def share_of(parts, place):
    whole = sum(parts)
    return round(100 * parts[place] / whole, 1)

print(share_of([{0}, {0}, {1}], {2}))"""
"""Divides by nothing on most inputs, which the recorded runs do not show."""


@dataclass(frozen=True)
class Measured:
    """What one run took, and came to."""

    seconds: float
    tools: dict[str, str]
    """What became of each."""
    told: list[str]
    """What stderr says of the model."""


def write_code_runs(path: Path) -> None:
    """Write a log with code of which a tool is made, and other code of which no draft passes."""
    runs = []
    for number in range(1, 9):
        runs.append(_run_of(SOUND.format(number), f"{3 * number + 15}\n"))
        runs.append(_run_of(FAILING.format(number, 2 * number, number % 2), "25.0\n"))
    records = [{"id": f"run {number}", **run} for number, run in enumerate(runs)]
    path.write_text("\n".join(map(json.dumps, records)))


def _run_of(code: str, shown: str) -> dict[str, Any]:
    function = {"name": "python", "arguments": json.dumps({"code": code})}
    messages = [
        {"role": "user", "content": f"do this: {code}"},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]},
        {"role": "tool", "tool_call_id": "c", "content": shown},
    ]
    return {"messages": messages}


def run(logs: Sequence[Path], sandbox: str, url: str | None) -> Measured:
    """Run the job once, with a model at this address if there is one."""
    with tempfile.TemporaryDirectory() as directory:
        code = Path(directory, "code.jsonl")
        write_code_runs(code)
        command = [sys.executable, "-m", "toolguild.cli", "synthesize", str(code), *map(str, logs)]
        command += ["--registry", str(Path(directory, "registry.db")), "--sandbox", sandbox]
        command += ["--model-cache", str(Path(directory, "replies.db")), "--json"]
        command += ["--model", "some-model", "--model-url", url] if url else ["--no-llm"]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(f"toolguild ended with {done.returncode}: {done.stderr}")
    # What only a model could write is told of where one is named, and does not come about.
    tools = {
        tool["name"]: tool["fate"]
        for tool in json.loads(done.stdout)["tools"]
        if tool["fate"] != "not drafted"
    }
    told = [line for line in done.stderr.splitlines() if line.startswith("Going on without")]
    return Measured(seconds, tools, told)


def main() -> None:
    """Print a table, and fail where a run takes too long, or comes to anything else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models_down", description=__doc__)
    parser.add_argument("--sandbox", choices=["local", "docker"], default="local")
    parser.add_argument("--log", type=Path, default=AIRLINE, help="traces beside the runs of code")
    parser.add_argument("--no-log", action="store_true", help="none, for a run of few seconds")
    parser.add_argument(
        "--pairs", type=int, default=1, help="runs of each kind; the fastest counts"
    )
    parser.add_argument("--way", choices=WAYS, action="append", help="only this one, and others so")
    given = parser.parse_args()
    logs = [] if given.no_log else [given.log]
    print(f"Sandbox {given.sandbox}, {given.log if logs else 'no'} traces.")
    print(f"Seconds, the fewest of {given.pairs} as other work only adds to them.\n")
    print("| the model's endpoint | without | with | more | told once | same tools | bound |")
    print("| --- | ---: | ---: | ---: | --- | --- | --- |")
    failed = False
    for way in given.way or WAYS:
        pairs = []
        for _ in range(given.pairs):
            with WAYS[way]() as url:
                pairs.append([run(logs, given.sandbox, one) for one in (None, url)])
        without, beside = (min(one.seconds for one in runs) for runs in zip(*pairs, strict=True))
        once = all(len(pair[1].told) == 1 for pair in pairs)
        same = all(pair[0].tools == pair[1].tools for pair in pairs)
        kept = beside - without <= MOST_SECONDS_MORE and once and same
        failed = failed or not kept
        print(
            f"| {way} | {without:.1f} | {beside:.1f} | {beside - without:+.1f}"
            f" | {'yes' if once else 'NO'} | {'yes' if same else 'NO'}"
            f" | {MOST_SECONDS_MORE:.0f} s: {'kept' if kept else 'BROKEN'} |",
            flush=True,
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
