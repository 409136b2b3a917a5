"""What names mean, and what it does to tools that call another one when that changes."""

from __future__ import annotations

from sqlalchemy import Connection

from toolguild.policies import Tier
from toolguild.registry import parts, recording, usage, validations
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import point
from toolguild.registry.model import ToolVersion
from toolguild.sandbox import JsonObject

__all__ = ["part_changed", "point_at"]


def point_at(
    connection: Connection, journal: Journal, action: str, version: ToolVersion, why: str
) -> None:
    """Let a name mean one of its versions; what calls the tool begins anew."""
    before: JsonObject = {"active": point(connection, version.spec.name, version.digest)}
    journal.tell(connection, action, version.digest, before, {"active": version.digest}, why)
    part_changed(connection, journal, version)


def part_changed(connection: Connection, journal: Journal, part: ToolVersion) -> None:
    """Let what calls a tool begin anew: what is known of it is known with another part.

    What was proven of it, too, so that it has to be validated again before it rises.
    """
    for caller in parts.callers_of(connection, part.spec.name):
        why = f"{part.spec.name}, which it calls, is {part.ref} now"
        if caller.tier > Tier.SANDBOX or usage.has_record(connection, caller):
            recording.fall(connection, journal, caller, Tier.SANDBOX, why, anew=True)
        if caller.evidence:
            validations.part_changed(connection, journal, caller, part, why)
