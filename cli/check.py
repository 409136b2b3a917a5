"""`toolguild check` and `toolguild validate`: what speaks against the text of a tool."""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.cli.access import access_of, file_options
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.settings import as_json, sandbox_option
from toolguild.policies import Tier, ToolguildError
from toolguild.sandbox import Json, Mount, SandboxKind, open_sandbox
from toolguild.synth.drafting import Case
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place
from toolguild.synth.validation import ValidationReport
from toolguild.synth.validation import validate as validate_draft
from toolguild.synth.validation.static import Severity, check_source

__all__ = ["check", "validate"]

MAX_TOOL_BYTES = 1_000_000


class InputFileError(ToolguildError, ValueError):
    """A file given to a command cannot be used; the message names it and its line."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--tier",
    type=click.Choice([str(tier) for tier in Tier]),
    default=str(Tier.SANDBOX),
    show_default=True,
    help="Tier whose rules to apply.",
)
@as_json
def check(file: Path, tier: str, as_json: bool) -> int:
    """Check the text of a tool by the static gate; nothing of it is run."""
    findings = check_source(_read_text(file), Tier(tier))
    if as_json:
        listed: list[Json] = [{**finding.to_json()} for finding in findings]
        print_json({"file": str(file), "tier": tier, "findings": listed})
    else:
        for finding in findings:
            out.print(plain(finding.render(str(file))), soft_wrap=True)
            out.print(plain(f"    {finding.remedy}", "dim"), soft_wrap=True)
        say(f"{len(findings)} findings" if findings else f"{file}: nothing found")
    refused = any(finding.severity is Severity.ERROR for finding in findings)
    return ExitCode.REFUSED if refused else ExitCode.DONE


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    help='Known results, one JSON object a line: {"arguments": {...}, "value": ...}.',
)
@file_options(kept=False)
@sandbox_option
@as_json
def validate(
    file: Path,
    cases: Path | None,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    sandbox: SandboxKind,
    as_json: bool,
) -> int:
    """Prove the text of a tool: static gate, known results, generated inputs, in a sandbox."""
    draft = draft_from_text(_read_text(file), _read_cases(cases) if cases else ())
    with open_sandbox(sandbox) as box:
        report = validate_draft(draft, box, access=access_of(mount, workspace))
    if as_json:
        print_json({"tool": report.tool, "passed": report.passed, **report.evidence()})
    else:
        _print_report(report)
    return ExitCode.DONE if report.passed else ExitCode.REFUSED


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_TOOL_BYTES:
            message = f"{path}: larger than {MAX_TOOL_BYTES:,} bytes, which no tool may be"
            raise InputFileError(message)
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 text (byte {error.start})"
        raise InputFileError(message) from error
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise InputFileError(message) from error


class _CaseLine(BaseModel):
    """One line of a file of cases."""

    arguments: dict[str, JsonValue]
    value: JsonValue = None
    error: str | None = None


def _read_cases(path: Path) -> list[Case]:
    cases = []
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
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
    verdict = "passed" if report.passed else "refused"
    say(f"{report.tool}: {verdict}, in sandbox {report.sandbox}, seed {report.seed}")
