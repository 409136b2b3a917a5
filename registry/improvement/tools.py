"""Letting the registry's tools follow the changes that brought or retired them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from toolguild.registry import chain, lifecycle, meanings, recording, schema
from toolguild.registry.errors import UnknownToolError
from toolguild.registry.improvement import history
from toolguild.registry.improvement.model import Change
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import find_version, pointed_at_by, versions_of
from toolguild.registry.model import State, ToolVersion

__all__ = ["follow", "parts_of", "retire"]

_IN_USE = frozenset({State.ACTIVE})
_ROOM = 1
"""For a version that comes back: it was in use before, and counted then."""


def follow(
    connection: Connection,
    journal: Journal,
    before: Sequence[Change],
    after: Sequence[Change],
    why: str,
) -> None:
    """Retire and restore the versions whose use is another one after a change.

    Args:
        connection: The transaction that writes the change.
        journal: Tells of it.
        before: The agent's changes before.
        after: The same, with the change.
        why: A sentence.

    Raises:
        UnknownToolError: a change speaks of a version that is not registered.
    """
    had = history.tools_in_use(before)
    for digest, wanted in history.tools_in_use(after).items():
        version = find_version(connection, schema.versions.c.digest == digest)
        if version is None:
            msg = f"no version has the digest {digest}; register the tool first"
            raise UnknownToolError(msg)
        if had.get(digest) == wanted:
            # What was done to it since, such as quarantine, was done on other grounds.
            continue
        if wanted and version.state is State.RETIRED:
            _restore(connection, journal, version, why)
        elif not wanted and version.state is not State.RETIRED:
            retire(connection, journal, version, why)


def retire(connection: Connection, journal: Journal, version: ToolVersion, why: str) -> None:
    """Take a version out of use; its name means the one before it again, where that is in use.

    Raises:
        ChangeRefusedError: it is retired already.
    """
    lifecycle.retire(connection, journal, version, why)
    _mean_the_one_before(connection, journal, version, why)


def parts_of(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Return the digests of the versions that versions of tools call, as names mean them now."""
    table = schema.parts
    names = connection.scalars(select(table.c.name).where(table.c.version.in_([*digests])))
    found = (pointed_at_by(connection, name) for name in names.all())
    return {digest for digest in found if digest is not None}


def _restore(connection: Connection, journal: Journal, version: ToolVersion, why: str) -> None:
    was_quarantined = _was_quarantined(connection, version)
    restored = lifecycle.restore(connection, journal, version, _ROOM, why)
    if was_quarantined:
        # Somebody has to look at it first, as before it was retired.
        recording.fall(connection, journal, restored, None, why)
        return
    meant = pointed_at_by(connection, restored.spec.name)
    present = find_version(connection, schema.versions.c.digest == meant) if meant else None
    if present is not None and present.number < restored.number:
        meanings.point_at(connection, journal, "point", restored, why)


def _was_quarantined(connection: Connection, version: ToolVersion) -> bool:
    """Say whether a retired version was in quarantine when it was retired."""
    told = [row for row in chain.rows_of(connection, [version.digest]) if row.action == "retire"]
    match told[-1].content if told else None:
        case {"before": {"state": str(state)}}:
            return state == State.QUARANTINED.value
    return False


def _mean_the_one_before(
    connection: Connection, journal: Journal, version: ToolVersion, why: str
) -> None:
    """Let the tool's name mean an earlier version again, where there is one in use."""
    if pointed_at_by(connection, version.spec.name) != version.digest:
        return
    earlier = [
        one
        for one in versions_of(connection, version.spec.name)
        if one.number < version.number and one.state in _IN_USE
    ]
    if earlier:
        meanings.point_at(connection, journal, "rollback", earlier[-1], why)
