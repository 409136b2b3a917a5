"""`toolguild tools drift`: results that are others than registered tools were validated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from toolguild.cli.access import access_of, file_options
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.logs import log_options, read_options, tell_problems
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import registry_option
from toolguild.policies import Profile
from toolguild.policies.drift import Consequence
from toolguild.sandbox import Json, JsonObject, Mount
from toolguild.synth.drift import (
    Dependence,
    Drift,
    DriftReport,
    calls_of_traces,
    find_drift,
    reopen_dependents,
)
from toolguild.synth.traces import Problem, read_traces

__all__ = ["drift"]

_STYLES = {
    Consequence.UNTOUCHED: "green",
    Consequence.REOPENED: "yellow",
    Consequence.QUARANTINED: "red",
}


@click.command("drift")
@log_options
@click.option("--dry-run", is_flag=True, help="Only tell; re-open nothing.")
@registry_option
@file_options(kept=False)
@sandbox_options
@profile_option
def drift(
    paths: tuple[Path, ...],
    dry_run: bool,
    registry: str,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
    **log: str | None,
) -> int:
    """Look in newer logs for calls that registered tools were validated on, and compare results.

    PATHS are log files, or folders of them. Each field that is different is told, with the number
    of calls. Where it is drift by the profile, the recorded runs of the tools that call the one
    which drifted are replayed in the sandbox, as recorded and with that field as it is now. Those
    that do something else then begin a new record at `sandbox`, or are quarantined if they only
    fail; the others are left as they are. Exit code 1 says that there is drift.
    """
    problems: list[Problem] = []
    with open_existing(registry, profile) as opened, sandbox.open(profile) as box:
        traces = read_traces(paths, options=read_options(log), on_problem=problems.append)
        access = access_of(mount, workspace)
        report = find_drift(opened, calls_of_traces(traces), box, profile, access)
        reopened = [] if dry_run else reopen_dependents(opened, report)
    tell_problems(problems)
    if as_json:
        print_json(_as_json(report, reopened))
    else:
        _show(report)
        _say(report, reopened, dry_run=dry_run)
    return ExitCode.REFUSED if report.found else ExitCode.DONE


def _show(report: DriftReport) -> None:
    if report.drifts:
        table = new_table("tool", "what is different", "calls", "drift")
        for one in report.drifts:
            change = one.change
            counts = f"{change.changed} of {change.comparable}"
            word, style = ("yes", "red") if one.is_drift else ("no", "dim")
            table.add_row(plain(change.tool), plain(change.words), counts, plain(word, style))
        out.print(table)
    for one in report.found:
        out.print()
        _show_dependences(one)


def _show_dependences(drift: Drift) -> None:
    tool, words = plain(drift.change.tool).plain, plain(drift.change.words).plain
    table = new_table(f"calls {tool}", "depends", words)
    for one in drift.dependences:
        word = plain(one.consequence, _STYLES[one.consequence])
        table.add_row(plain(one.version.ref), word, plain(one.words))
    out.print(table)


def _say(report: DriftReport, reopened: Sequence[str], *, dry_run: bool) -> None:
    if not report.comparable:
        say("No call in the logs was recorded for a registered tool; nothing was compared.")
    elif not report.found:
        say(f"No drift in {report.comparable} calls that registered tools were validated on.")
    elif dry_run:
        say("Nothing was re-opened: --dry-run only tells.")
    elif reopened:
        say(f"Re-opened: {', '.join(reopened)}. `toolguild tools why NAME` says what is missing.")
    else:
        say("Nothing had to be re-opened, or is open for this already.")
    if report.without_recordings:
        refs = ", ".join(version.ref for version in report.without_recordings)
        say(f"Nothing can be said of {refs}: no recordings of our own.", "yellow")


def _as_json(report: DriftReport, reopened: Sequence[str]) -> JsonObject:
    changes: list[Json] = [
        {
            **asdict(one.change),
            "drift": one.is_drift,
            "tools": [_dependence(each) for each in one.dependences],
        }
        for one in report.drifts
    ]
    return {
        "comparable_calls": report.comparable,
        "changes": changes,
        "reopened": [*reopened],
        "without_recordings": [version.ref for version in report.without_recordings],
    }


def _dependence(one: Dependence) -> JsonObject:
    replayed = one.replayed
    return {
        "ref": one.version.ref,
        "consequence": one.consequence,
        "runs": replayed.runs,
        "differing": replayed.differing,
        "broken": replayed.broken,
        "through": [*one.through],
    }
