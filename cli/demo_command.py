"""`toolguild demo`: the whole of toolguild on an example, without network or key.

On Linux it needs no Docker either.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click
from rich.syntax import Syntax

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.demo.session import Comparison, DemoResult, play
from toolguild.cli.errors import ExitCode
from toolguild.cli.settings import as_json
from toolguild.policies import ToolguildError
from toolguild.sandbox import JsonObject, Sandbox, SandboxUnavailableError, open_sandbox
from toolguild.synth import Fate

__all__ = ["demo"]


class DemoDirectoryError(ToolguildError, ValueError):
    """The directory given for the demo is not empty."""


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Empty or new directory that keeps the logs, databases and registry.",
)
@as_json
def demo(keep: Path | None, as_json: bool) -> int:
    """Play the support desk: an agent's traces become tools, and the tools save it calls."""
    started = time.monotonic()
    with _sandbox() as sandbox:
        if keep is None:
            with tempfile.TemporaryDirectory(prefix="toolguild-demo-") as directory:
                result = play(Path(directory), sandbox, say)
        else:
            result = play(_empty(keep), sandbox, say)
    if as_json:
        print_json(_as_json(result))
    else:
        _show(result)
        say(f"Done in {time.monotonic() - started:.1f} s, in sandbox {sandbox.level}.")
        if keep is not None:
            say(f"Look around: toolguild tools list --registry {keep / 'registry.db'}")
    unchanged = all(one.same_replies and one.same_database for one in (result.first, result.fresh))
    return ExitCode.DONE if unchanged else ExitCode.REFUSED


def _sandbox() -> Sandbox:
    """Open the local sandbox, in its weakest form if there is no other; off Linux, Docker's.

    Raises:
        SandboxUnavailableError: this is not Linux, and no Docker engine answers.
    """
    if sys.platform != "linux":
        return open_sandbox("auto")
    try:
        return open_sandbox("local")
    except SandboxUnavailableError as error:
        weakest = open_sandbox("local", weakest=True)
        goes_on = f"The demo runs its own code only, so it goes on at the level {weakest.level}."
        say(f"{error}\n{goes_on}", "yellow")
        return weakest


def _empty(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            message = f"{directory} is not empty; name a new directory"
            raise DemoDirectoryError(message)
    except OSError as error:
        message = f"{directory}: {error.strerror or error}"
        raise DemoDirectoryError(message) from error
    return directory


def _as_json(result: DemoResult) -> JsonObject:
    return {
        "traces": result.traces,
        "tools": [one.ref for one in result.results if one.fate is Fate.REGISTERED],
        "first": _comparison(result.first),
        "fresh": _comparison(result.fresh),
        "tools_used": {**result.tools_used},
    }


def _comparison(comparison: Comparison) -> JsonObject:
    return {
        "tickets": comparison.tickets,
        "calls_before": comparison.calls_before,
        "calls_after": comparison.calls_after,
        "same_replies": comparison.same_replies,
        "same_database": comparison.same_database,
    }


def _show(result: DemoResult) -> None:
    made = new_table("tool made from the traces", "tasks", "calls of it in the second run")
    for one in result.results:
        if one.fate is Fate.REGISTERED:
            uses = result.tools_used.get(one.name, 0)
            draft = one.proof.draft
            cases = (*draft.cases, *draft.held_out) if draft else ()
            support = len({case.task_id for case in cases})
            made.add_row(plain(one.ref), str(support), str(uses))
    out.print(made)
    most_used = max(result.tools_used, key=lambda name: result.tools_used[name], default=None)
    for one in result.results:
        if one.name == most_used and one.proof.draft is not None:
            out.print()
            source = plain(one.proof.draft.source, keep_lines=True).plain
            out.print(Syntax(source, "python", background_color="default", word_wrap=True))
    table = new_table("tickets", "calls before", "after", "saved", "replies", "database")
    for label, batch in (("the same", result.first), ("fresh", result.fresh)):
        saved = 1 - batch.calls_after / batch.calls_before
        table.add_row(
            f"{batch.tickets} {label}",
            str(batch.calls_before),
            str(batch.calls_after),
            f"{saved:.0%}",
            "the same" if batch.same_replies else "different",
            "the same" if batch.same_database else "different",
        )
    out.print(table)
