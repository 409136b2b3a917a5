"""`toolguild audit`: the trail of changes, proving it, and keeping its head elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import as_json, registry_option
from toolguild.registry import AuditReport, AuditRow, NotJsonError
from toolguild.registry import audit as trail
from toolguild.registry.anchors import (
    AnchoredHead,
    append_to_file,
    read_anchors,
    read_file,
    take_anchor,
)
from toolguild.registry.git_notes import NOTES_REF, append_note, read_notes
from toolguild.registry.signing import PublicKey, read_private_key, read_public_key
from toolguild.sandbox import Json, JsonObject

__all__ = ["audit"]

HERE = Path()
"""The repository that notes are kept in: that of the current folder."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SHORT = len("sha256:") + 12


@click.group()
def audit() -> None:
    """Read the trail of changes, prove it, and keep its head elsewhere."""


@audit.command("verify")
@click.option(
    "--anchor",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with the heads in this file. May be given several times.",
)
@click.option("--git-note", is_flag=True, help=f"Compare with the heads in {NOTES_REF}.")
@click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PUBLIC",
    help="Take only heads signed with one of these keys. May be given several times.",
)
@registry_option
@as_json
def verify(
    files: tuple[Path, ...],
    git_note: bool,
    key_files: tuple[Path, ...],
    registry: str,
    as_json: bool,
) -> int:
    """Walk the hash chain, replay it, and compare the result with the registry's tables.

    Without anchored heads, a trail that was cut off together with the tables, or written anew as a
    whole, does not show.
    """
    # Those who are trusted for their tools, in [trust], are not by that trusted with heads.
    keys = [read_public_key(path) for path in key_files]
    anchors = _anchors(files, keys, git_note=git_note)
    with open_existing(registry) as opened:
        report = trail.verify(opened, anchors)
    if as_json:
        print_json(_verdict(report, anchors, signed=bool(keys)))
    elif report.ok:
        out.print(plain(_all_well(report, anchors, signed=bool(keys))), soft_wrap=True)
    else:
        out.print(plain(_told(report), "red"), soft_wrap=True)
    return ExitCode.DONE if report.ok else ExitCode.REFUSED


@audit.command("tail")
@click.option(
    "-n", "--count", type=click.IntRange(1, 100_000), default=10, show_default=True, help="Rows."
)
@registry_option
@as_json
def tail(count: int, registry: str, as_json: bool) -> int:
    """Print the last rows of the trail, the newest last."""
    with open_existing(registry) as opened:
        rows = trail.tail(opened, count)
        names = trail.refs(opened, [row.subject for row in rows])
    if as_json:
        listed: list[Json] = [_row(row) for row in rows]
        print_json({"rows": listed})
    elif rows:
        table = new_table("row", "at", "who", "what", "of", "why")
        for row in rows:
            table.add_row(
                str(row.seq),
                plain(row.at[:19]),
                plain(row.actor),
                plain(row.action),
                plain(names.get(row.subject) or str(_told_of(row, "after", "name") or row.subject)),
                plain(_DIGEST.sub(_shortened, str(_told_of(row, "why") or ""))),
            )
        out.print(table)
    else:
        say("Nothing has happened yet.")
    return ExitCode.DONE


@audit.command("head")
@click.option(
    "--anchor",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add the head to this file, which should be kept on another machine.",
)
@click.option("--git-note", is_flag=True, help=f"Add it to the note on HEAD in {NOTES_REF}.")
@click.option(
    "--key",
    "private_key",
    type=click.Path(path_type=Path),
    metavar="PRIVATE",
    help="Sign the head with this key.",
)
@registry_option
@as_json
def head(
    file: Path | None, git_note: bool, private_key: Path | None, registry: str, as_json: bool
) -> int:
    """Print where the trail ends: row, hash, time, and the last use; keep it elsewhere where asked.

    `toolguild audit verify` with the same --anchor or --git-note finds what was cut off or written
    anew since.
    """
    key = read_private_key(private_key) if private_key else None
    with open_existing(registry) as opened:
        anchor = take_anchor(opened, key)
    if file is not None:
        append_to_file(file, anchor)
        say(f"Anchored in {file}.")
    if git_note:
        append_note(HERE, anchor)
        say(f"Anchored in {NOTES_REF}; `git push origin {NOTES_REF}` takes it elsewhere.")
    if as_json:
        print_json(_head(anchor))
    else:
        out.print(plain(anchor.line), soft_wrap=True)
    return ExitCode.DONE


def _anchors(
    files: Sequence[Path], keys: Sequence[PublicKey], *, git_note: bool
) -> list[AnchoredHead]:
    anchors = [one for path in files for one in read_anchors(read_file(path), str(path), keys)]
    if git_note:
        anchors += read_anchors(read_notes(HERE), NOTES_REF, keys)
    return anchors


def _all_well(report: AuditReport, anchors: Sequence[AnchoredHead], *, signed: bool) -> str:
    rows = "1 row holds" if report.rows == 1 else f"{report.rows} rows hold"
    told = f"{rows}, and the tables are as the trail says. Head {report.head}."
    if not anchors:
        return f"{told} No anchored head was compared."
    last = max(anchor.seq for anchor in anchors)
    heads = (
        "1 anchored head agrees" if len(anchors) == 1 else f"{len(anchors)} anchored heads agree"
    )
    checked = "signatures checked" if signed else "signatures not checked"
    return f"{told} {heads}, up to row {last}, {checked}."


def _told(report: AuditReport) -> str:
    where = f"row {report.seq}" if report.seq is not None else "tables"
    before = f" Rows 1 to {report.rows} hold." if report.rows else ""
    return f"Broken at {where}: {report.problem}.{before}"


def _verdict(report: AuditReport, anchors: Sequence[AnchoredHead], *, signed: bool) -> JsonObject:
    problems: list[Json] = [{"row": report.seq, "problem": report.problem}]
    return {
        "ok": report.ok,
        "rows": report.rows,
        "head": report.head,
        "anchors": len(anchors),
        "signatures_checked": signed,
        "problems": [] if report.ok else problems,
    }


def _head(anchor: AnchoredHead) -> JsonObject:
    return {
        "row": anchor.seq,
        "hash": anchor.hash,
        "at": anchor.at,
        "use": anchor.uses.seq if anchor.uses else None,
        "use_hash": anchor.uses.hash if anchor.uses else None,
        "key": anchor.key,
        "signature": anchor.signature,
    }


def _row(row: AuditRow) -> JsonObject:
    return {
        "row": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "content": _content(row),
        "hash": row.hash,
    }


def _content(row: AuditRow) -> Json:
    """Return the body of a row; its text where somebody damaged it."""
    try:
        return row.content
    except NotJsonError:
        return row.body


def _shortened(digest: re.Match[str]) -> str:
    return digest[0][:_SHORT]


def _told_of(row: AuditRow, *path: str) -> Json:
    found = _content(row)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
