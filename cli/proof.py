"""What a validation found, as a person reads it."""

from __future__ import annotations

import pprint
from collections.abc import Sequence

from toolguild.cli.console import out, plain
from toolguild.cli.console import table as new_table
from toolguild.sandbox import Json, JsonObject

__all__ = ["print_findings", "snippet"]

_MAX_SURVIVORS = 3
_VERDICTS = {True: ("passed", "green"), False: ("failed", "red"), None: ("not asked", "dim")}


def print_findings(tool: str, findings: JsonObject) -> None:
    """Print the checks of a validation, a failure of each, and how far the evidence reaches.

    Args:
        tool: Name of the tool.
        findings: What `ValidationReport.evidence` gives.
    """
    checks = _objects(findings.get("checks"))
    table = new_table("check", "", "")
    for check in checks:
        passed = check.get("passed")
        word, style = _VERDICTS[passed if isinstance(passed, bool) else None]
        table.add_row(str(check.get("name")), plain(word, style), plain(str(check.get("detail"))))
    tried = findings.get("adequacy")
    if isinstance(tried, dict):
        found = f"{tried.get('killed')} of {tried.get('mutants')} were found"
        table.add_row("faults put into it", plain("tried", "dim"), plain(found))
    out.print(table)
    for check in checks:
        for one in _objects(check.get("counterexamples"))[:1]:
            out.print(plain(f"{_call(tool, one)}  # {one.get('observed')}"))
            told = f"    instead of: {one.get('expected')}; its id is {one.get('id')}"
            out.print(plain(told, "dim"))
    _print_thinness(findings, tried if isinstance(tried, dict) else {})


def _print_thinness(findings: JsonObject, tried: JsonObject) -> None:
    reasons = findings.get("thin")
    for reason in reasons if isinstance(reasons, list) else ():
        out.print(plain(f"The evidence is thin: {reason}", "yellow"))
    survived = tried.get("survived")
    for difference in (survived if isinstance(survived, list) else [])[:_MAX_SURVIVORS]:
        out.print(plain(f"  a fault that would not have been found: {difference}"))


def snippet(dossier: JsonObject, failure: JsonObject) -> str:
    """Return a program that shows one failure: the tool, what it calls, and the call.

    Args:
        dossier: The document of the validation, see `synth.validation.dossier`.
        failure: One of its counterexamples.
    """
    tool = dossier["tool"]
    assert isinstance(tool, dict)  # noqa: S101 - the document was read before
    parts = [
        f"# {line}"
        for what in ("expected", "observed")
        for line in f"{what}: {failure.get(what)}".splitlines()
    ]
    if tool.get("calls"):
        parts.append(_stand_in(_objects(dossier.get("cases"))))
    parts += [str(tool["source"]).strip(), "", "", f"print({_call(str(tool['name']), failure)})"]
    return "\n".join(parts) + "\n"


def _stand_in(cases: Sequence[JsonObject]) -> str:
    """Return the text of a `call_tool` that answers as the recorded runs did."""
    answers = [
        (call.get("tool"), call.get("arguments"), call.get("result"))
        for case in cases
        for call in _objects(case.get("calls"))
    ]
    return f"""
RECORDED = {pprint.pformat(answers, width=100, sort_dicts=False)}


class ToolCallError(Exception):
    pass


def call_tool(name, arguments):
    for tool, given, result in RECORDED:
        if (tool, given) == (name, arguments):
            return result
    raise ToolCallError(f"no recorded run has {{name}}({{arguments}})")

"""


def _call(tool: str, failure: JsonObject) -> str:
    given = failure.get("arguments")
    pairs = given.items() if isinstance(given, dict) else ()
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in pairs)})"


def _objects(value: Json) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
