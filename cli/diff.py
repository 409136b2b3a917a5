"""`toolguild tools diff`: two versions side by side."""

from __future__ import annotations

import difflib

import click

from toolguild.cli.console import out, plain, print_json
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import as_json, registry_option
from toolguild.registry import ToolVersion
from toolguild.registry.model import Record
from toolguild.registry.schema_changes import SchemaChange, schema_changes
from toolguild.sandbox import Json, JsonObject

__all__ = ["diff"]

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@click.command("diff")
@click.argument("old")
@click.argument("new")
@registry_option
@as_json
def diff(old: str, new: str, registry: str, as_json: bool) -> int:
    """Show what is different between OLD and NEW: code, schemas, and what speaks for each.

    Changes of a schema that can break callers are marked.
    """
    with open_existing(registry) as opened:
        versions = [opened.tool(old), opened.tool(new)]
        records = [opened.track_record(version.digest) for version in versions]
    before, after = versions
    lines = _lines(before, after)
    changes = schema_changes(before.spec, after.spec)
    sides = [_side(*one) for one in zip(versions, records, strict=True)]
    if as_json:
        told: list[Json] = [_change(change) for change in changes]
        print_json({"old": sides[0], "new": sides[1], "schema": told, "code": "\n".join(lines)})
        return ExitCode.DONE
    for line in lines:
        out.print(plain(line, _STYLES.get(line[:1], "")))
    if not lines:
        out.print(plain("The code is the same.", "dim"))
    _show_changes(changes)
    table = new_table("", before.ref, after.ref)
    for name in sides[0]:
        table.add_row(name, *(plain(str(side[name])) for side in sides))
    out.print()
    out.print(table)
    return ExitCode.DONE


def _lines(before: ToolVersion, after: ToolVersion) -> list[str]:
    old, new = before.spec.source.splitlines(), after.spec.source.splitlines()
    return [*difflib.unified_diff(old, new, before.ref, after.ref, lineterm="")]


def _show_changes(changes: list[SchemaChange]) -> None:
    if not changes:
        return
    out.print()
    for change in changes:
        word, style = ("breaking", "red") if change.breaking else ("compatible", "green")
        out.print(plain(f"{word}: {change.field} {change.what}", style))


def _change(change: SchemaChange) -> JsonObject:
    return {"field": change.field, "what": change.what, "breaking": change.breaking}


def _side(version: ToolVersion, record: Record) -> JsonObject:
    evidence = version.evidence
    tried = evidence.get("adequacy")
    found = f"{tried.get('killed')} of {tried.get('mutants')}" if isinstance(tried, dict) else "-"
    thin = evidence.get("thin")
    return {
        "tier": version.tier.value,
        "state": version.state.value,
        "worked": f"{record.successes} of {record.runs}",
        "recorded cases": str(evidence.get("cases", "-")),
        "generated inputs": str(evidence.get("inputs", "-")),
        "faults found": found,
        "thin": "; ".join(map(str, thin)) if isinstance(thin, list) and thin else "no",
        "calls": ", ".join(version.spec.calls) or "-",
        "needs": ", ".join(sorted(version.spec.needs)) or "-",
    }
