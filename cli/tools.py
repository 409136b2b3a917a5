"""`toolguild tools`: what the registry holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from rich.syntax import Syntax

from toolguild.cli.claims import claimed_report, told_of_claims
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.lifecycle import LISTED_STATES
from toolguild.cli.proof import print_findings
from toolguild.cli.search import index_tools, search_tools
from toolguild.cli.settings import as_json, registry_option
from toolguild.cli.validate import report_of
from toolguild.policies import Tier
from toolguild.registry import Record as TrackRecord
from toolguild.registry import Registry, RejectedDraft, State, ToolVersion, UnknownToolError
from toolguild.registry.location import shown
from toolguild.sandbox import Json, JsonObject

__all__ = ["tools"]

MAX_LISTED = 3
"""Entries of a list that a table shows."""


@click.group()
def tools() -> None:
    """Look at the tools in the registry."""


tools.add_command(search_tools)
tools.add_command(index_tools)


@tools.command("list")
@click.option("--tier", type=click.Choice([str(tier) for tier in Tier]), help="Only this tier.")
@click.option(
    "--state", type=click.Choice(LISTED_STATES), help="Only this state; proposed is what waits."
)
@click.option("--rejected", is_flag=True, help="Show the drafts that did not pass, and why.")
@registry_option
@as_json
def list_tools(
    tier: str | None, state: str | None, rejected: bool, registry: str, as_json: bool
) -> int:
    """List the tools, each by the version that its name points at.

    With `--state proposed`, list the versions that wait to come into use, in their order.
    """
    with Registry.open(registry) as opened:
        if rejected:
            _list_rejected(opened.rejections(), as_json=as_json)
            return ExitCode.DONE
        versions = _versions(opened, Tier(tier) if tier else None, State(state) if state else None)
        records = {version.digest: opened.track_record(version.digest) for version in versions}
        aliases = opened.governance.aliases()
    if as_json:
        rows: list[Json] = [
            _row(version, records[version.digest], aliases.get(version.spec.name, {}))
            for version in versions
        ]
        print_json({"tools": rows})
    elif versions:
        _print_table(versions, records, aliases)
    elif tier or state:
        say("There is no such tool.")
    else:
        say(f"No tools in {shown(registry)}; `toolguild synthesize LOGS` makes some.")
    return ExitCode.DONE


def _versions(registry: Registry, tier: Tier | None, state: State | None) -> list[ToolVersion]:
    if state is not State.PROPOSED:
        return registry.tools(tier=tier, state=state)
    # Names may mean other versions while these wait.
    return [one for one in registry.governance.proposals() if tier in (None, one.tier)]


@tools.command("show")
@click.argument("ref")
@registry_option
@as_json
def show_tool(ref: str, registry: str, as_json: bool) -> int:
    """Show one tool: REF is `name`, `name@3`, `name@sha256:ab12` or `name@alias`."""
    with Registry.open(registry) as opened:
        version = opened.tool(ref)
        record = opened.track_record(version.digest)
        callers = opened.callers(version.digest)
        aliases = opened.governance.aliases().get(version.spec.name, {})
    if as_json:
        print_json(
            {
                **_row(version, record, aliases),
                "undeclared": record.undeclared,
                "callers": {**callers},
                **version.spec.content(),
                "provenance": version.provenance,
                "evidence": version.evidence,
            }
        )
    else:
        _print_tool(version, record, callers, aliases)
    return ExitCode.DONE


@tools.command("report")
@click.argument("ref")
@registry_option
@as_json
def show_report(ref: str, registry: str, as_json: bool) -> int:
    """Show what a tool's validation found; REF may name a rejected draft, too.

    With --json the whole report is printed, as it is kept: `toolguild validate REF --replay`
    goes by it.
    """
    with Registry.open(registry) as opened:
        digest, report = report_of(opened, ref)
        claimed = _is_claimed(opened, ref, digest)
    findings, tool = report.get("findings"), report.get("tool")
    if as_json or not isinstance(findings, dict) or not isinstance(tool, dict):
        print_json(report)
        return ExitCode.DONE
    print_findings(str(tool.get("name")), findings)
    for line in _surroundings(report):
        out.print(plain(line, "dim"))
    out.print(plain(f"report {digest}", "dim"))
    if claimed:
        say(f"Its exporter found this; `toolguild validate {ref} --replay` looks here.", "yellow")
    return ExitCode.DONE


def _is_claimed(registry: Registry, ref: str, report: str) -> bool:
    try:
        version = registry.tool(ref)
    except UnknownToolError:  # a rejected draft
        return False
    return "report" not in version.evidence and claimed_report(version) == report


def _surroundings(report: JsonObject) -> list[str]:
    """Return what was in force, a line each."""
    found = report.get("surroundings")
    lines = []
    for name, value in found.items() if isinstance(found, dict) else ():
        members = value.items() if isinstance(value, dict) else ()
        told = ", ".join(f"{member} {version}" for member, version in members) or str(value)
        lines.append(f"{name}: {told}")
    return lines


def _row(version: ToolVersion, record: TrackRecord, aliases: Mapping[str, str]) -> JsonObject:
    return {
        "name": version.spec.name,
        "ref": version.ref,
        "digest": version.digest,
        "aliases": {**aliases},
        "tier": str(version.tier),
        "state": str(version.state),
        "successes": record.successes,
        "failures": record.failures,
        "description": version.spec.description,
        "registered_at": version.registered_at.isoformat(),
    }


def _uses(record: TrackRecord) -> str:
    trials = record.successes + record.failures
    return f"{record.successes}/{trials}" if trials else "-"


def _print_table(
    versions: Sequence[ToolVersion],
    records: Mapping[str, TrackRecord],
    aliases: Mapping[str, Mapping[str, str]],
) -> None:
    shows_aliases = ["aliases"] if aliases else []
    table = new_table("tool", *shows_aliases, "tier", "state", "worked", "from", "what it does")
    for version in versions:
        told = plain(_told_aliases(aliases.get(version.spec.name, {})))
        table.add_row(
            plain(version.ref),
            *([told] if shows_aliases else []),
            str(version.tier),
            str(version.state),
            _uses(records[version.digest]),
            plain(_origin(version.provenance)),
            plain(version.spec.description),
        )
    out.print(table)


def _told_aliases(aliases: Mapping[str, str]) -> str:
    return ", ".join(f"{alias} is @{ref.partition('@')[2]}" for alias, ref in aliases.items())


def _origin(provenance: JsonObject) -> str:
    support = provenance.get("support")
    kind = provenance.get("kind", provenance.get("origin", ""))
    return f"{kind}, {support} tasks" if support else str(kind)


def _list_rejected(drafts: Sequence[RejectedDraft], *, as_json: bool) -> None:
    if as_json:
        rows: list[Json] = [
            {
                "name": draft.spec.name,
                "digest": draft.spec.digest,
                "reasons": [*draft.reasons],
                "rejected_at": draft.rejected_at.isoformat(),
                "source": draft.spec.source,
            }
            for draft in drafts
        ]
        print_json({"rejected": rows})
        return
    if not drafts:
        say("No draft was rejected.")
        return
    table = new_table("draft", "why")
    for draft in drafts:
        table.add_row(plain(draft.spec.name), plain("; ".join(draft.reasons)))
    out.print(table)


def _print_tool(
    version: ToolVersion,
    record: TrackRecord,
    callers: Mapping[str, int],
    aliases: Mapping[str, str],
) -> None:
    spec = version.spec
    out.print(plain(f"{version.ref}  {version.tier}, {version.state}", "bold"))
    out.print(plain(spec.digest, "dim"))
    out.print(plain(spec.description))
    out.print()
    source = plain(spec.source, keep_lines=True).plain
    out.print(Syntax(source, "python", background_color="default", word_wrap=True))
    facts = new_table("", "", header=False)
    facts.add_row("worked", _uses(record))
    if aliases:
        facts.add_row("aliases", plain(_told_aliases(aliases)))
    facts.add_row("calls", plain(", ".join(spec.calls) or "no other tool"))
    called_by = ", ".join(f"{ref} ({count} times)" for ref, count in callers.items())
    facts.add_row("called by", plain(called_by or "no other tool"))
    facts.add_row("needs", ", ".join(sorted(spec.needs)) or "nothing outside its own memory")
    if record.undeclared:
        uses = "use" if record.undeclared == 1 else "uses"
        seen = f"seen in {record.undeclared} {uses} doing what it does not declare"
        facts.add_row("effects", plain(seen, "yellow"))
    facts.add_row("registered", version.registered_at.isoformat(timespec="seconds"))
    for name, value in version.provenance.items():
        facts.add_row(plain(name), plain(_fact(name, value), keep_lines=True))
    out.print(facts)
    if version.evidence.get("checks"):
        print_findings(spec.name, version.evidence)
        evidence = version.evidence
        where = f"in sandbox {evidence.get('sandbox')}, seed {evidence.get('seed')}"
        out.print(plain(f"{where}, profile {evidence.get('profile')}", "dim"))
        out.print(plain(f"report {evidence.get('report')}", "dim"))


def _fact(name: str, value: Json) -> str:
    match name, value:
        case "members", dict(members):
            return "\n".join(_member(member, how) for member, how in members.items())
        case "claims", dict(claims):
            return told_of_claims(claims)
    return _short(value)


def _member(name: str, member: Json) -> str:
    """Return how a tool stands for another one, and where that was found."""
    match member:
        case {"takes": dict(takes), "constants": dict(constants), "places": [first, *_], **more}:
            given = {**takes, **{parameter: repr(value) for parameter, value in constants.items()}}
            told = ", ".join(f"{parameter}={value}" for parameter, value in given.items())
            return f"{name} as {told}: {more.get('support')} tasks, first {first}"
    return name


def _short(value: Json) -> str:
    match value:
        case list():
            shown = "\n".join(map(_short, value[:MAX_LISTED]))
            more = len(value) - MAX_LISTED
            return f"{shown}\nand {more} more" if more > 0 else shown
        case dict():
            return ", ".join(f"{member} {name}" for name, member in value.items())
    return str(value)
