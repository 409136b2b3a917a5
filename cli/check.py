"""`toolguild check`: what the static gate has to say about texts."""

from __future__ import annotations

from pathlib import Path

import click

from toolguild.cli.checking import (
    check_files,
    explain_rules,
    print_report,
    say_summary,
    write_sarif,
)
from toolguild.cli.console import print_json
from toolguild.cli.profile import profile_option
from toolguild.cli.settings import as_json
from toolguild.cli.tool_files import STDOUT
from toolguild.policies import Profile, Tier

__all__ = ["check"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--tier",
    type=click.Choice([str(tier) for tier in Tier]),
    default=str(Tier.SANDBOX),
    show_default=True,
    help="Tier whose rules to apply.",
)
@profile_option
@click.option("--explain", metavar="CODE", help="Explain a rule, such as TG101, or all; then end.")
@click.option("--sarif", metavar="FILE", help="Write a SARIF log, too; with - to stdout instead.")
@as_json
def check(
    paths: tuple[Path, ...],
    tier: str,
    profile: Profile,
    explain: str | None,
    sarif: str | None,
    as_json: bool,
) -> int:
    """Check the text of tools by the static gate; nothing of it is run.

    PATHS are files, folders with Python files in them, or - for stdin.
    """
    if explain is not None:
        return explain_rules(explain, profile)
    if not paths:
        message = "Missing argument 'PATHS...'."
        raise click.UsageError(message)
    if as_json and sarif == STDOUT:
        message = "--json and --sarif - both write to stdout; give --sarif a file"
        raise click.UsageError(message)
    report = check_files(paths, Tier(tier), profile)
    if sarif is not None:
        write_sarif(report, sarif)
    if as_json:
        print_json(report.to_json())
    elif sarif != STDOUT:
        print_report(report)
    say_summary(report)
    return report.exit_code
