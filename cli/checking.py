"""What `toolguild check` does: asks the gate about files, and shows what it said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from toolguild.cli.check_report import CheckedFile, CheckReport, ordered
from toolguild.cli.console import out, plain, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.sarif import sarif_log
from toolguild.cli.tool_files import STDIN, STDOUT, InputFileError, read_text, tool_files
from toolguild.policies import Profile, Tier
from toolguild.synth.validation.static import RULES, Severity, examine
from toolguild.synth.validation.static.reference import explain, find_rule

__all__ = ["check_files", "explain_rules", "print_report", "say_summary", "write_sarif"]

_EVERY_RULE = "all"
_SHORT_DIGEST = 12


def check_files(paths: Iterable[Path], tier: Tier, profile: Profile) -> CheckReport:
    """Ask the gate about every file, and about those in every folder, each file once."""
    found: dict[Path, None] = {}
    checked, unreadable = [], []
    for path in paths:
        try:
            found.update(dict.fromkeys(tool_files(path)))
        except InputFileError as error:
            unreadable.append(str(error))
    for path in found:
        try:
            text = read_text(path)
        except InputFileError as error:
            unreadable.append(str(error))
            continue
        name = "<stdin>" if path == STDIN else str(path)
        checked.append(CheckedFile(name, text, examine(text, tier, profile=profile)))
    return CheckReport(tier, profile, tuple(checked), tuple(unreadable))


def print_report(report: CheckReport) -> None:
    """Write findings and needs to stdout, a line each, as linters do."""
    for file in report.files:
        for finding in file.told.findings:
            out.print(plain(finding.render(file.name)), soft_wrap=True)
            out.print(plain(f"    {finding.remedy}", "dim"), soft_wrap=True)
        for effect in file.told.effects:
            place = f"{file.name}:{effect.line}:{effect.column}"
            out.print(plain(f"{place}: needs {effect.capability}: {effect.what}"), soft_wrap=True)
        for use in file.told.tools:
            place = f"{file.name}:{use.line}:{use.column}"
            out.print(plain(f"{place}: calls {use.tool}"), soft_wrap=True)


def say_summary(report: CheckReport) -> None:
    """Write to stderr how many files were refused and what could not be read."""
    for reason in report.unreadable:
        say(f"Error: {reason}", "red")
    findings = [finding for file in report.files for finding in file.told.findings]
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    refused = sum(file.told.refused for file in report.files)
    needs = ordered(frozenset().union(*(file.told.needs for file in report.files)))
    parts = [
        f"{_count(len(report.files), 'file')}, {refused} refused",
        f"{_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}",
        f"needs {', '.join(needs)}" if needs else "needs no files and no network",
    ]
    profile = f"{report.profile.name} {report.profile.digest[:_SHORT_DIGEST]}"
    say(f"{'; '.join(parts)} (tier {report.tier}, profile {profile})")


def write_sarif(report: CheckReport, target: str) -> None:
    """Write the report as a SARIF log, to a file or with `-` to stdout.

    Raises:
        InputFileError: the file cannot be written.
    """
    text = json.dumps(sarif_log(report), indent=2) + "\n"
    if target == STDOUT:
        out.file.write(text)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"--sarif {target}: {error.strerror or error}"
        raise InputFileError(message) from error


def explain_rules(code: str, profile: Profile) -> ExitCode:
    """Print what there is to say about a rule, or about all.

    Raises:
        UnknownRuleError: there is no such rule.
    """
    rules = RULES if code == _EVERY_RULE else (find_rule(code),)
    text = "\n\n\n".join(explain(rule, profile) for rule in rules)
    out.print(plain(text, keep_lines=True), soft_wrap=True)
    return ExitCode.DONE


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
