"""Whose changes tools belong to: those made for an agent, and those that its changes brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from toolguild.registry import rows, schema
from toolguild.registry.improvement import history
from toolguild.registry.improvement.model import Change
from toolguild.registry.model import State, ToolVersion
from toolguild.sandbox import JsonObject

__all__ = ["brought", "is_made_for", "made_for", "unclaimed"]

_MADE_FOR = "made_for"
"""Key of provenance."""


def made_for(agent: str, runs: Iterable[int] = ()) -> JsonObject:
    """Return what the provenance of a version says that a change of an agent is to bring.

    It is written with the version. Should nobody come to make that change, `unclaimed` still finds
    the version.

    Args:
        agent: The agent.
        runs: Numbers of its scored runs that the version comes from.
    """
    return {_MADE_FOR: {"agent": agent, "runs": [*runs]}}


def is_made_for(version: ToolVersion, agent: str) -> bool:
    """Say whether a version was made for an agent, as its provenance tells."""
    return _owner_and_runs(version)[0] == agent


def unclaimed(
    connection: Connection, agent: str, changes: Iterable[Change]
) -> list[tuple[ToolVersion, tuple[int, ...]]]:
    """Return the versions made for an agent, not retired, that no change speaks of.

    Args:
        connection: A transaction.
        agent: The agent.
        changes: Those of all agents.

    Returns:
        The oldest first, with the numbers of the runs that each comes from.
    """
    table = schema.versions
    claimed = {one for change in changes for one in (*change.new.brings, *change.new.retires)}
    query = rows.VERSIONS.where(
        table.c.provenance.contains(f'"{_MADE_FOR}"', autoescape=True),
        table.c.state.in_([State.ACTIVE.value, State.PROPOSED.value]),
    ).order_by(table.c.registered_at, table.c.digest)
    found = []
    for version in map(rows.version_of, connection.execute(query)):
        owner, runs = _owner_and_runs(version)
        found += [(version, runs)] if owner == agent and version.digest not in claimed else []
    return found


def brought(connection: Connection, changes: Sequence[Change]) -> list[tuple[Change, ToolVersion]]:
    """Return the versions that an agent's changes brought and none took away, with these changes.

    Args:
        connection: A transaction.
        changes: Those of the agent, the oldest first.
    """
    wanted = history.tools_in_use(changes)
    by = {
        digest: change
        for change in history.with_effect(history.effective(changes))
        for digest in change.new.brings
        if wanted[digest]
    }
    table = schema.versions
    found = connection.execute(rows.VERSIONS.where(table.c.digest.in_([*by])))
    versions = {version.digest: version for version in map(rows.version_of, found)}
    return [(change, versions[digest]) for digest, change in by.items() if digest in versions]


def _owner_and_runs(version: ToolVersion) -> tuple[str | None, tuple[int, ...]]:
    """Return whom a version was made for, and of which runs; None where nobody says."""
    match version.provenance.get(_MADE_FOR):
        case {"agent": str(owner), "runs": [*runs]}:
            return owner, tuple(run for run in runs if isinstance(run, int))
    return None, ()
