"""`toolguild check` and `toolguild validate`: what speaks against the text of a tool."""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.cli.access import access_of, file_options
from toolguild.cli.checking import (
    check_files,
    explain_rules,
    print_report,
    say_summary,
    write_sarif,
)
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.profile import profile_option
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import as_json
from toolguild.cli.tool_files import STDOUT, InputFileError, read_text
from toolguild.policies import Profile, Tier
from toolguild.sandbox import Mount
from toolguild.synth.drafting import Case
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place
from toolguild.synth.validation import ValidationReport, ValidationSettings
from toolguild.synth.validation import validate as validate_draft
from toolguild.synth.validation.adequacy import Adequacy

__all__ = ["check", "validate"]

_MAX_SURVIVORS = 3


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


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    help='Known results, one JSON object a line: {"arguments": {...}, "value": ...}.',
)
@file_options(kept=False)
@sandbox_options
@profile_option
@as_json
def validate(
    file: Path,
    cases: Path | None,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
) -> int:
    """Prove the text of a tool: static gate, known results, generated inputs, in a sandbox."""
    draft = draft_from_text(read_text(file), _read_cases(cases) if cases else (), profile)
    settings = ValidationSettings(profile=profile)
    with sandbox.open(profile) as box:
        report = validate_draft(draft, box, settings, access_of(mount, workspace))
    if as_json:
        print_json({"tool": report.tool, "passed": report.passed, **report.evidence()})
    else:
        _print_report(report)
    return ExitCode.DONE if report.passed else ExitCode.REFUSED


class _CaseLine(BaseModel):
    """One line of a file of cases."""

    arguments: dict[str, JsonValue]
    value: JsonValue = None
    error: str | None = None


def _read_cases(path: Path) -> list[Case]:
    cases = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            read = _CaseLine.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            message = f"{path}:{number}: {where}: {first['msg']}"
            raise InputFileError(message) from error
        place = Place(str(path), number)
        cases.append(Case(dict(read.arguments), read.value, read.error, (), str(number), place))
    return cases


def _print_adequacy(report: ValidationReport, adequacy: Adequacy) -> None:
    thin = "; the evidence is thin: give more known results" if report.is_thin else ""
    found = f"{len(adequacy.kills)} of {adequacy.total} faults put into the tool were found{thin}"
    out.print(plain(found, "yellow" if thin else ""))
    for difference in adequacy.differences()[:_MAX_SURVIVORS]:
        out.print(plain(f"  not found: {difference}"))


def _print_report(report: ValidationReport) -> None:
    table = new_table("check", "", "")
    for one in report.checks:
        style = "green" if one.passed else "red"
        table.add_row(
            one.name, plain("passed" if one.passed else "failed", style), plain(one.detail)
        )
    out.print(table)
    for one in report.checks:
        for counterexample in one.counterexamples[:1]:
            arguments = ", ".join(
                f"{name}={value!r}" for name, value in counterexample.arguments.items()
            )
            out.print(plain(f"{report.tool}({arguments})  # {counterexample.observed}"))
    if report.adequacy and report.adequacy.total:
        _print_adequacy(report, report.adequacy)
    verdict = "passed" if report.passed else "refused"
    say(f"{report.tool}: {verdict}, in sandbox {report.sandbox}, seed {report.seed}")
