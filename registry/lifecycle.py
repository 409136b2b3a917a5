"""How versions come into use, leave it, and come back; the transactions are the callers'."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from toolguild.policies import Tier
from toolguild.registry import meanings, proposals, recording, schema, usage
from toolguild.registry.errors import ChangeRefusedError
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import find_version, pointed_at_by
from toolguild.registry.model import TRANSITIONS, State, ToolVersion
from toolguild.registry.proposals import Proposal

__all__ = ["let_in", "require_transition", "restore", "retire"]


def let_in(connection: Connection, journal: Journal, proposal: Proposal, why: str) -> ToolVersion:
    """Take a version into use, whose name means it from now on if it was to and none is newer."""
    version = replace(proposal.version, state=State.ACTIVE)
    journal.change(connection, "admit", proposal.version, version, why)
    meant = _meant(connection, version.spec.name)
    if meant is not None and meant.digest == version.digest:
        meanings.part_changed(connection, journal, version)
    elif proposal.wants_name and (meant is None or meant.number < version.number):
        meanings.point_at(connection, journal, "point", version, why)
    return version


def retire(connection: Connection, journal: Journal, version: ToolVersion, why: str) -> ToolVersion:
    """Take a version out of use, or out of the line; what calls it falls with it.

    Raises:
        ChangeRefusedError: it is retired already.
    """
    if version.state is State.RETIRED:
        msg = f"{version.ref} is retired already"
        raise ChangeRefusedError(msg)
    require_transition(version, State.RETIRED)
    retired = replace(version, state=State.RETIRED, tier=Tier.SANDBOX)
    journal.change(connection, "retire", version, retired, why)
    if version.state is not State.PROPOSED:
        recording.callers_fall(connection, journal, retired)
    return retired


def restore(
    connection: Connection, journal: Journal, version: ToolVersion, room: int, why: str
) -> ToolVersion:
    """Take a version that is retired or quarantined into use again, with a new record.

    Args:
        connection: The transaction.
        journal: Tells of it.
        version: The version.
        room: New tools that may come into use: one that never was in use is one of them.
        why: A sentence.

    Raises:
        ChangeRefusedError: it is in use or waits to be, or there is no room for it.
    """
    if version.state not in (State.RETIRED, State.QUARANTINED):
        msg = f"{version.ref} is {version.state.value}: nothing has to be restored"
        raise ChangeRefusedError(msg)
    proposal = proposals.never_let_in(connection, version)
    if proposal is None:
        last = usage.last_use(connection)
        restored = replace(version, state=State.ACTIVE, since_use=last)
        journal.change(connection, "restore", version, restored, why)
        return restored
    if not room:
        msg = f"{version.ref} never was in use, and today's budget of new tools is used up"
        raise ChangeRefusedError(msg)
    return let_in(connection, journal, proposal, why)


def require_transition(version: ToolVersion, state: State) -> None:
    """Refuse a state that does not follow on the present one.

    Raises:
        ChangeRefusedError: it does not; the message names those that do.
    """
    if state is version.state or state in TRANSITIONS[version.state]:
        return
    allowed = ", ".join(sorted(TRANSITIONS[version.state])) or "no other"
    msg = f"{version.ref} is {version.state.value}, which may become {allowed}, not {state.value}"
    raise ChangeRefusedError(msg)


def _meant(connection: Connection, name: str) -> ToolVersion | None:
    digest = pointed_at_by(connection, name)
    return None if digest is None else find_version(connection, schema.versions.c.digest == digest)
