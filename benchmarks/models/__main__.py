"""What a model adds: `python -m benchmarks.models --model NAME`.

Tools are made of half of the tasks of each log, without a model and with it, and what they save is
measured on the other half, each use verified in the sandbox. `--reference` asks a server on this
machine that knows good answers to what the wanted tools are, and declines all else: what a model
could add there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.models.halves import Logs, logs
from benchmarks.models.reference import reference_server
from benchmarks.sandbox.machine import about
from benchmarks.sandbox.tables import about_table, replace_part, table

SHARED = Path(os.environ.get("TOOLGUILD_SHARED", Path(__file__).parents[3] / "shared"))
_EPISODES = {"messy sequence", "recovery", "unknown tool"}


@dataclass(frozen=True)
class Made:
    """What one run of `synthesize` made, and `measure` says of it."""

    seconds: float
    tools: Sequence[Mapping[str, Any]]
    spent: Mapping[str, Any] | None
    calls: int
    """Calls in the runs that were measured."""
    saved: int
    characters: int
    """Characters of code that agents need not have written there."""

    def registered(self) -> list[Mapping[str, Any]]:
        """Return the tools that passed."""
        return [tool for tool in self.tools if tool["ref"] is not None]


@dataclass(frozen=True)
class Row:
    """One log, without the model and with it."""

    logs: str
    tools_without: int
    tools_with: int
    written: int
    """Tools that it wrote where none could be drafted,"""
    wanted: int
    """of so many."""
    mended: int
    failed: int
    """Drafts that failed without it."""
    united: int
    described: int
    rounds: float
    """Requests for a tool that it wrote or mended, on average."""
    requests: int
    tokens: int
    usd: float | None
    calls: int
    saved_without: int
    saved_with: int
    characters_without: int
    characters_with: int
    seconds_more: float


def measured(one: Logs, options: Sequence[str], environment: Mapping[str, str]) -> Row:
    """Run one log without the model and with it."""
    with tempfile.TemporaryDirectory() as folder:
        mined, other = one.part(Path(folder))
        without = _made(mined, other, Path(folder, "without.db"), ["--no-llm"], environment)
        with_it = _made(mined, other, Path(folder, "with.db"), options, environment)
    authors = [tool["written"] for tool in with_it.registered()]
    by_it = [
        tool for tool in with_it.registered() if (tool["written"] or {}).get("origin") == "model"
    ]
    episodes = [tool for tool in with_it.tools if tool["opportunity"]["kind"] in _EPISODES]
    written = [tool for tool in by_it if tool in episodes]
    served = {tool["name"] for tool in with_it.tools if "does its work" in str(tool["reasons"])}
    failed = {tool["name"] for tool in without.tools if tool["fate"] == "rejected"}
    mended = [tool for tool in by_it if tool["name"] in failed]
    rounds = [author["rounds"] for author in (tool["written"] for tool in by_it)]
    spent = with_it.spent or {"requests": 0, "input_tokens": 0, "output_tokens": 0, "usd": None}
    return Row(
        logs=one.name,
        tools_without=len(without.registered()),
        tools_with=len(with_it.registered()),
        written=len(written),
        wanted=len(episodes),
        mended=len(mended),
        failed=len(failed),
        united=len(served),
        described=sum("words" in (author or {}) for author in authors),
        rounds=sum(rounds) / len(rounds) if rounds else 0.0,
        requests=spent["requests"],
        tokens=spent["input_tokens"] + spent["output_tokens"],
        usd=spent["usd"],
        calls=with_it.calls,
        saved_without=without.saved,
        saved_with=with_it.saved,
        characters_without=without.characters,
        characters_with=with_it.characters,
        seconds_more=with_it.seconds - without.seconds,
    )


def _made(
    mined: Path, other: Path, registry: Path, options: Sequence[str], environment: Mapping[str, str]
) -> Made:
    started = time.monotonic()
    made = _toolguild("synthesize", mined, registry, options, environment)
    seconds = time.monotonic() - started
    found = _toolguild("measure", other, registry, [], environment)
    characters = found["code"]["characters"]
    return Made(
        seconds,
        made["tools"],
        made["model"],
        found["calls"],
        found["calls_saved"],
        characters["before"] - characters["after"],
    )


def _toolguild(
    command: str, path: Path, registry: Path, options: Sequence[str], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Run a command and return what it printed; 1 only says that nothing was made or saved."""
    words = [sys.executable, "-m", "toolguild.cli", command, str(path), "--json"]
    ran = subprocess.run(
        [*words, "--registry", str(registry), *options],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        check=False,
    )
    if ran.returncode not in (0, 1):
        sys.exit(f"{command} {path}: toolguild ended with {ran.returncode}")
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _table(rows: Sequence[Row]) -> str:
    head = (
        *("logs", "tools", "written", "mended", "united", "described", "rounds", "requests"),
        *("tokens", "dollars", "calls saved", "characters saved", "seconds more"),
    )
    return table(head, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.logs,
        f"{row.tools_without} -> {row.tools_with}",
        f"{row.written} of {row.wanted}",
        f"{row.mended} of {row.failed}",
        str(row.united),
        str(row.described),
        f"{row.rounds:.1f}",
        str(row.requests),
        f"{row.tokens:,}",
        "unknown" if row.usd is None else f"{row.usd:.4f}",
        f"{_share(row.saved_without, row.calls)} -> {_share(row.saved_with, row.calls)}",
        f"{row.characters_without:,} -> {row.characters_with:,}",
        f"{row.seconds_more:.0f}",
    )


def _share(saved: int, calls: int) -> str:
    return f"{saved} of {calls} ({saved / calls:.1%})" if calls else "no calls"


def main() -> None:
    """Print a row for each log."""
    parser = argparse.ArgumentParser(description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--model", help="the model, at $OPENAI_BASE_URL with $OPENAI_API_KEY")
    asked.add_argument("--reference", action="store_true", help="ask what knows good answers")
    parser.add_argument("--model-tokens", help="tokens that the runs on one log may take")
    parser.add_argument("--logs", action="append", help="only these, by name")
    parser.add_argument("--markdown", type=Path, help="page whose tables are to be replaced")
    parser.add_argument("--json", type=Path, help="file for every figure")
    arguments = parser.parse_args()
    where = {**about(), "command": f"python -m benchmarks.models {' '.join(sys.argv[1:])}"}
    options = ["--model", arguments.model or "reference"]
    options += ["--model-tokens", arguments.model_tokens] if arguments.model_tokens else []
    with (
        tempfile.TemporaryDirectory() as folder,
        reference_server() if arguments.reference else nullcontext({}) as environment,
    ):
        options += ["--model-cache", str(Path(folder, "replies.db"))]
        rows = []
        for one in logs(SHARED):
            if not arguments.logs or one.name in arguments.logs:
                print(f"{one.name} ...", file=sys.stderr)
                rows.append(measured(one, options, environment))
    shown = f"{about_table({**where, 'model': options[1]})}\n\n{_table(rows)}"
    print(shown)
    if arguments.markdown:
        replace_part(arguments.markdown, "models", shown)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
