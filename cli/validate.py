"""`toolguild validate`: proving the text of a tool, and proving a registered one again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import BaseModel, JsonValue, ValidationError

from toolguild.cli.access import access_of, file_options
from toolguild.cli.claims import claimed_report
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.profile import profile_option
from toolguild.cli.proof import print_findings, snippet
from toolguild.cli.registries import open_existing
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import as_json, registry_option
from toolguild.cli.tool_files import InputFileError, read_text
from toolguild.policies import Profile
from toolguild.registry import ChangeRefusedError, Registry, UnknownToolError, digest
from toolguild.sandbox import Access, JsonObject, Mount
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.tool_spec import draft_of, spec_of
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place
from toolguild.synth.validation import (
    ValidationReport,
    ValidationSettings,
    dossier,
    read_dossier,
)
from toolguild.synth.validation import validate as validate_draft
from toolguild.synth.validation.differences import difference

__all__ = ["report_of", "validate"]


@click.command()
@click.argument("what", metavar="FILE|REF")
@click.option(
    "--cases",
    type=click.Path(path_type=Path),
    help='Known results, one JSON object a line: {"arguments": {...}, "value": ...}.',
)
@click.option(
    "--replay",
    is_flag=True,
    help="Validate a registered tool or a rejected draft again, as its report says.",
)
@click.option("--failure", metavar="ID", help="With --replay: print this failure as a program.")
@click.option(
    "--keep",
    is_flag=True,
    help="Validate a registered tool by --cases; a proof that passes becomes its evidence.",
)
@file_options(kept=False)
@registry_option
@sandbox_options
@profile_option
@as_json
def validate(
    what: str,
    cases: Path | None,
    replay: bool,
    failure: str | None,
    keep: bool,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    registry: str,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
) -> int:
    """Prove the text of a tool: static gate, known results, generated inputs, in a sandbox.

    With --replay, REF names a tool in the registry, such as `name` or `name@3`, or the digest of
    a rejected draft; what it was validated by is taken from its report. With --keep, REF names a
    tool in the registry, too, and only what you give is known of its results.
    """
    if keep and (replay or failure):
        message = "--keep excludes --replay: a proof by old recordings says nothing new."
        raise click.UsageError(message)
    access = access_of(mount, workspace)
    if replay or failure:
        with Registry.open(registry) as opened:
            _, before = report_of(opened, what)
        if failure:
            return _print_failure(before, failure)
        return _replay(before, sandbox, profile, access, as_json=as_json)
    known = _read_cases(cases) if cases else ()
    draft = (
        _registered_draft(registry, what, known, profile)
        if keep
        else draft_from_text(read_text(Path(what)), known, profile)
    )
    settings = ValidationSettings(profile=profile)
    with sandbox.open(profile) as box:
        report = validate_draft(draft, box, settings, access)
    whole = dossier(draft, report, settings)
    kept_of = _keep(registry, draft, profile, whole) if keep and report.passed else None
    _tell(report, digest(whole), kept_of, as_json=as_json)
    return ExitCode.DONE if report.passed else ExitCode.REFUSED


def _tell(report: ValidationReport, told: str, kept_of: str | None, *, as_json: bool) -> None:
    findings = report.evidence()
    if as_json:
        verdict: JsonObject = {"tool": report.tool, "passed": report.passed}
        print_json({**verdict, **findings, "report": told, "kept_of": kept_of})
        return
    print_findings(report.tool, findings)
    say(f"{report.tool}: {_verdict(report.passed)}, in sandbox {report.sandbox}, report {told}")
    if kept_of:
        say(f"Kept as the evidence of {kept_of}.", "green")


def _registered_draft(registry: str, ref: str, cases: Sequence[Case], profile: Profile) -> Draft:
    """Return a registered version as a draft, as it stands under a profile.

    Raises:
        ChangeRefusedError: under this profile it would be another tool.
    """
    with open_existing(registry) as opened:
        version = opened.tool(ref)
    draft = draft_of(version, cases)
    if spec_of(draft, profile).digest != version.digest:
        message = (
            f"under this profile, {version.ref} needs something else than it is registered with"
        )
        raise ChangeRefusedError(message)
    return draft


def _keep(registry: str, draft: Draft, profile: Profile, report: JsonObject) -> str:
    """Keep a proof as the evidence of the version that it is of; return its `name@number`."""
    ref = f"{draft.name}@{spec_of(draft, profile).digest}"
    findings = report["findings"]
    assert isinstance(findings, dict)  # noqa: S101 - so `dossier` makes it
    with open_existing(registry) as opened:
        return opened.add_evidence(ref, findings, report, why="validated by hand").ref


def report_of(registry: Registry, ref: str) -> tuple[str, JsonObject]:
    """Return the report of a registered version, or of a rejected draft, with its digest.

    That of an imported version is its exporter's, if it came along.

    Args:
        registry: Where it is.
        ref: `name`, `name@3`, `name@sha256:ab12`, or the name or digest of a rejected draft.

    Raises:
        UnknownToolError: there is no such tool, or it came without a report.
    """
    try:
        version = registry.tool(ref)
        named = version.evidence.get("report", claimed_report(version))
    except UnknownToolError:
        drafts = [one for one in registry.rejections() if ref in (one.spec.name, one.spec.digest)]
        if not drafts:
            raise
        named = drafts[-1].evidence.get("report")
    if not isinstance(named, str):
        message = f"{ref} was registered without a report; `toolguild synthesize` makes one"
        raise UnknownToolError(message)
    return named, registry.report(named)


def _replay(
    before: JsonObject, sandbox: SandboxChoice, profile: Profile, access: Access, *, as_json: bool
) -> int:
    """Validate again what a report tells of, and compare the reports."""
    read = read_dossier(before, profile)
    with sandbox.open(profile) as box:
        report = validate_draft(read.draft, box, read.settings, access)
    after = dossier(read.draft, report, read.settings)
    other = difference(before, after)
    same_verdict = before.get("passed") == after["passed"]
    if as_json:
        print_json(
            {
                "tool": report.tool,
                "passed": report.passed,
                "before": digest(before),
                "after": digest(after),
                "reproduced": not other,
                "difference": other,
            }
        )
    else:
        print_findings(report.tool, report.evidence())
        how = f"another report: {other}" if other else f"the same report again, {digest(after)}"
        say(f"{report.tool}: {_verdict(report.passed)}; {how}")
    return ExitCode.DONE if same_verdict else ExitCode.REFUSED


def _print_failure(report: JsonObject, wanted: str) -> int:
    findings = report.get("findings")
    checks = findings.get("checks") if isinstance(findings, dict) else None
    for check in checks if isinstance(checks, list) else ():
        found = check.get("counterexamples") if isinstance(check, dict) else None
        for one in found if isinstance(found, list) else ():
            if isinstance(one, dict) and one.get("id") == wanted:
                # Written as it is, so that it can be run; what would move a terminal is taken out.
                out.file.write(plain(snippet(report, one), keep_lines=True).plain)
                return ExitCode.DONE
    message = f"--failure {wanted}: the report has no failure with this id"
    raise InputFileError(message)


def _verdict(passed: bool) -> str:
    return "passed" if passed else "refused"


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
