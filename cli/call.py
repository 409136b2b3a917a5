"""`toolguild call`: one call of a registered tool, through gate, sandbox and record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from toolguild.cli.access import access_of, file_options, host_option
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.profile import profile_option
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import as_json, registry_option
from toolguild.policies import Profile, Tier
from toolguild.registry import ChangedFile, Registry, Toolbox, ToolResult
from toolguild.sandbox import Json, JsonObject, Mount

__all__ = ["call"]

MAX_LISTED = 20
"""Files that are told of by name."""


@click.command()
@click.argument("name")
@click.option("--args", "arguments", default="{}", metavar="JSON", help="Arguments, as an object.")
@file_options(kept=True)
@host_option
@registry_option
@sandbox_options
@profile_option
@as_json
def call(
    name: str,
    arguments: str,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    allow_host: tuple[str, ...],
    registry: str,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
) -> int:
    """Call the tool NAME and print its result.

    It gets nothing of your files and of the network but what you give it here, and of that only
    what it needs and its tier allows.

    The tools that a composite calls are the caller's own; here there are none, so that only
    tools that stand for themselves can be called from the command line.
    """
    access = access_of(mount, workspace, allow_host)
    with Registry.open(registry, profile=profile) as opened, sandbox.open(profile) as box:
        tier = opened.tool(name).tier
        result = Toolbox(opened, box, access=access).call_json(name, arguments)
    if as_json:
        print_json(_as_json(result))
    else:
        _show(name, result, workspace, tier)
    return ExitCode.DONE if result.ok else ExitCode.REFUSED


def _as_json(result: ToolResult) -> JsonObject:
    return {
        "status": str(result.status),
        "value": result.value,
        "error": result.error,
        "version": result.version,
        "duration_s": result.duration_s,
        "effects": [*sorted(result.effects)],
        "undeclared": [*sorted(result.undeclared)],
        "changes": _files(result.changes),
        "discarded": _files(result.discarded),
        "left_out": [*result.left_out],
        "hosts": [*result.hosts],
    }


def _files(changes: Sequence[ChangedFile]) -> list[Json]:
    return [{"path": change.path, "bytes": change.size} for change in changes]


def _show(name: str, result: ToolResult, workspace: Path | None, tier: Tier) -> None:
    if result.ok:
        text = json.dumps(result.value, ensure_ascii=False)
        out.print(plain(text, keep_lines=True), soft_wrap=True)
    else:
        say(f"{name}: {result.status}: {result.error}", "red")
    for line, style in _notes(result, workspace, tier):
        say(line, style)


def _notes(result: ToolResult, workspace: Path | None, tier: Tier) -> Iterator[tuple[str, str]]:
    """Yield what to say of what the call did besides its result, each with its style."""
    if result.changes:
        yield f"Changed in {workspace}: {_listed(map(_change, result.changes))}.", ""
    if result.discarded:
        why = _why_discarded(result, workspace, tier)
        yield f"Discarded, {why}: {_listed(map(_change, result.discarded))}.", "yellow"
    if result.left_out:
        yield f"Left out: {_listed(result.left_out)}.", "yellow"
    if result.hosts:
        yield f"Asked for: {_listed(result.hosts)}.", ""
    if result.undeclared:
        names = ", ".join(sorted(result.undeclared))
        yield f"Not declared by the tool, and used or asked for all the same: {names}.", "yellow"


def _why_discarded(result: ToolResult, workspace: Path | None, tier: Tier) -> str:
    if not result.ok:
        return "as the call did not succeed"
    if workspace is None and tier is not Tier.SANDBOX:
        return "as no --workspace was given"
    return "as nothing is written in the tier sandbox"


def _change(file: ChangedFile) -> str:
    return f"{file.path} ({'removed' if file.size is None else f'{file.size:,} bytes'})"


def _listed(names: Iterable[str]) -> str:
    """Return untrusted names on one line."""
    distinct = list(
        dict.fromkeys(name.replace("\n", "\N{REPLACEMENT CHARACTER}") for name in names)
    )
    more = f" and {len(distinct) - MAX_LISTED} more" if len(distinct) > MAX_LISTED else ""
    return ", ".join(distinct[:MAX_LISTED]) + more
