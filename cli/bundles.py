"""`toolguild tools export` and `tools import`: tools from one registry to another one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from toolguild.cli.claims import worked
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.lifecycle import tell_waiting
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing, open_to_look
from toolguild.cli.sealing import Target, target_options
from toolguild.cli.settings import as_json, registry_option
from toolguild.cli.trust import trusted_keys, trusted_keys_option
from toolguild.policies import Profile
from toolguild.registry import Registry
from toolguild.registry.bundles import (
    Arrival,
    BundledTool,
    BundleError,
    Exported,
    Fate,
    Imported,
    ImportRefusedError,
    ImportSettings,
    UntrustedBundleError,
    export_all,
    export_tools,
    import_bundle,
    payload_of,
    read_bundle,
    receive,
)
from toolguild.registry.canonical import canonical_json, text_digest
from toolguild.registry.signing import PrivateKey
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.tool_spec import refusal
from toolguild.synth.traces.secrets_in_text import find_secrets

__all__ = ["export_command", "import_command"]


@click.command("export")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Export every active tool.")
@target_options
@click.option(
    "--with-reports",
    is_flag=True,
    help="Add what the evidence rests on: recorded arguments and results.",
)
@registry_option
@as_json
def export_command(
    names: tuple[str, ...],
    everything: bool,
    target: Target,
    with_reports: bool,
    registry: str,
    as_json: bool,
) -> int:
    """Write tools to a signed bundle, for another registry.

    NAME is `name`, `name@3`, `name@sha256:ab12` or `name@alias`; the tools that it calls come
    along, aliases do not. Recorded arguments and results stay here unless --with-reports is given,
    paths of logs are cut to the names of files. A tool's own text and words are exported as they
    are.
    """
    if bool(names) == everything:
        message = "Name the tools to export, or give --all."
        raise click.UsageError(message)
    with open_existing(registry) as opened:
        exported = (
            export_all(opened, with_reports=with_reports)
            if everything
            else export_tools(opened, names, with_reports=with_reports)
        )
    payload = payload_of(exported.bundle)
    target.write(payload)
    digest = text_digest(payload.decode())
    if as_json:
        print_json(_exported_as_json(exported, target.path, digest, target.key))
    else:
        _print_exported(exported, target.path, digest, target.key)
    return ExitCode.DONE


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@trusted_keys_option
@click.option("--unsigned", is_flag=True, help="Take a bundle that nobody signed.")
@click.option("--replace", is_flag=True, help="Let names that are known here mean what arrives.")
@click.option(
    "--rename",
    default="",
    metavar="PREFIX",
    help="Put PREFIX before names that mean something else here.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@registry_option
@profile_option
@as_json
def import_command(
    file: Path,
    key_files: tuple[Path, ...],
    unsigned: bool,
    replace: bool,
    rename: str,
    dry_run: bool,
    registry: str,
    profile: Profile,
    as_json: bool,
) -> int:
    """Take the tools of the bundle FILE into the registry: all of them, or none.

    Each starts again in the tier sandbox, with no record: what its exporter says of it is kept as a
    claim, and counts for nothing. A tool whose name is known here becomes the next version of that
    name, which goes on meaning what it did unless --replace or --rename is given.
    """
    if replace and rename:
        message = "--replace and --rename exclude each other."
        raise click.UsageError(message)
    settings = ImportSettings(
        replace=replace,
        rename=rename,
        gate=lambda spec: refusal(spec, profile),
        dry_run=dry_run,
    )
    keys, data = trusted_keys(key_files), read_bundle(file)
    try:
        received = receive(data, keys, unsigned=unsigned)
        look = open_to_look(registry, profile) if dry_run else None
        with look or Registry.open(registry, profile=profile) as opened:
            imported = import_bundle(opened, received, settings)
    except BundleError as error:
        say(f"Error: {file}: {error}", "red")
        refused_here = isinstance(error, UntrustedBundleError | ImportRefusedError)
        return ExitCode.REFUSED if refused_here else ExitCode.USAGE
    if as_json:
        print_json(_imported_as_json(imported, dry_run=dry_run))
    else:
        _print_imported(imported, dry_run=dry_run)
    if not imported.received.signed_by:
        say("Nobody signed this bundle: anybody could have written it.", "yellow")
    return ExitCode.DONE


def _exported_as_json(
    exported: Exported, output: Path, digest: str, key: PrivateKey | None
) -> JsonObject:
    tools: list[Json] = [
        {"ref": tool.ref, "digest": tool.spec.digest, "report": tool.report}
        for tool in exported.bundle.tools
    ]
    return {
        "output": str(output),
        "bundle": digest,
        "key": key.public.id if key else None,
        "tools": tools,
        "missing": {name: [*callers] for name, callers in exported.missing.items()},
        "left_out": [*exported.left_out],
        "possible_secrets": {**_possible_secrets(exported.bundle.tools)},
    }


def _print_exported(exported: Exported, output: Path, digest: str, key: PrivateKey | None) -> None:
    table = new_table("tool", "worked here", "calls")
    for tool in exported.bundle.tools:
        calls = plain(", ".join(tool.spec.calls) or "no other tool")
        table.add_row(plain(tool.ref), worked(tool.record), calls)
    out.print(table)
    by = f"signed by {key.public.id}" if key else "unsigned: importers have to ask for that"
    count = len(exported.bundle.tools)
    say(f"{_tools(count)} in {output}, {by}.")
    say(f"Bundle {digest}.")
    if exported.bundle.reports:
        say("The reports in it hold recorded arguments and results.", "yellow")
    if exported.left_out:
        say(f"Left out, as not active: {', '.join(exported.left_out)}.")
    if exported.missing:
        say(f"Importing agents bring their own: {', '.join(exported.missing)}.")
    for ref, kinds in _possible_secrets(exported.bundle.tools).items():
        say(f"{ref} may hold a secret ({kinds}); look at it before you share it.", "yellow")


def _possible_secrets(tools: Iterable[BundledTool]) -> dict[str, str]:
    """Return what the texts of tools seem to hold, by their refs."""
    found = {
        tool.ref: {
            secret.kind
            for value in tool.spec.content().values()
            for secret in find_secrets(value if isinstance(value, str) else canonical_json(value))
        }
        for tool in tools
    }
    return {ref: ", ".join(sorted(kinds)) for ref, kinds in found.items() if kinds}


def _imported_as_json(imported: Imported, *, dry_run: bool) -> JsonObject:
    tools: list[Json] = [
        {
            "ref": arrival.ref,
            "digest": arrival.spec.digest,
            "from": arrival.tool.ref,
            "fate": str(arrival.fate),
            "meant": arrival.meant,
            "waits": arrival.waits,
            "instead_of": arrival.instead_of,
            "claimed": {"tier": str(arrival.tool.tier), "record": arrival.tool.record},
        }
        for arrival in imported.arrivals
    ]
    return {
        "bundle": imported.received.digest,
        "signed_by": [*imported.received.signed_by],
        "dry_run": dry_run,
        "changed": imported.changed,
        "tools": tools,
        "missing": {name: [*callers] for name, callers in imported.missing.items()},
    }


def _print_imported(imported: Imported, *, dry_run: bool) -> None:
    table = new_table("tool", "from", "outcome", "claimed")
    for arrival in imported.arrivals:
        claimed = f"{worked(arrival.tool.record)}, {arrival.tool.tier}"
        same_name = arrival.spec.name == arrival.tool.spec.name
        origin = f"version {arrival.tool.number}" if same_name else arrival.tool.ref
        table.add_row(plain(arrival.ref), plain(origin), plain(_outcome(arrival)), plain(claimed))
    out.print(table)
    new = sum(arrival.fate is not Fate.KNOWN for arrival in imported.arrivals)
    done = "would arrive" if dry_run else "arrived"
    say(f"{imported.received.origin.capitalize()}.")
    say(f"{_tools(new)} {done} in tier sandbox." if imported.changed else "All of it was here.")
    tell_waiting(sum(arrival.waits for arrival in imported.arrivals))
    if new:
        say("What their exporter claims of them, uses that worked and tier, does not count here.")
    if dry_run:
        say("Nothing was written.")
    if imported.missing:
        say(f"They call what is not here; bring your own: {', '.join(imported.missing)}.", "yellow")


def _outcome(arrival: Arrival) -> str:
    name = arrival.spec.name
    told = str(arrival.fate)
    if arrival.waits:
        told = f"{told}, waits"
    if arrival.instead_of is None:
        return told
    if arrival.meant and not arrival.waits:
        return f"{told}; {name} means it, not {arrival.instead_of} any more"
    return f"{told}; {name} still means {arrival.instead_of}"


def _tools(count: int) -> str:
    return "1 tool" if count == 1 else f"{count} tools"
