"""Requests that tools leave: their runs ended for want of an effect that their tier does not allow.

A tool asks in its own name, so that any person can answer. It asks once for its record and an
effect, however often it meets it; how often that was, its uses tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from toolguild.policies import Tier, lowest_tier_allowing
from toolguild.policies.promotion import next_tier
from toolguild.registry import approvals, schema, usage
from toolguild.registry.approvals import Approval, Escalation
from toolguild.registry.canonical import storable_text
from toolguild.registry.data_flow import calls_in
from toolguild.registry.effects import Refusal
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import find_version
from toolguild.registry.model import CallStatus, State, ToolVersion, Use

__all__ = ["Meetings", "current", "keep", "meetings"]

_MAX_ERROR = 300
"""Characters of an error that a request quotes."""
_ENDS = (CallStatus.REFUSED.value, CallStatus.ERROR.value)


@dataclass(frozen=True, slots=True)
class Meetings:
    """How often uses ended for want of the effect that a request is about."""

    count: int
    first_at: datetime
    last_at: datetime


def keep(connection: Connection, journal: Journal, use: Use, refusals: Sequence[Refusal]) -> None:
    """Leave a request for each effect that a use was refused, where there is none yet.

    None is left for what the version may do where it stands (it was called from a lower tier, or in
    another image), nor while somebody's answer to the same request holds.

    Args:
        connection: The transaction in which the use was recorded.
        journal: Tells of it.
        use: The use, as it was recorded last.
        refusals: What it was refused.
    """
    version = find_version(connection, schema.versions.c.digest == use.version)
    target = None if version is None else next_tier(version.tier)
    if version is None or target is None or version.state is not State.ACTIVE or not use.live:
        return
    asked = current(connection, version, journal.clock())
    known = {one.escalation.effect for one in asked if one.escalation}
    by_effect = {one.effect: one for one in reversed(refusals)}
    for effect in sorted(by_effect.keys() - known - version.tier.capabilities):
        told = _told(connection, journal, version, use, by_effect[effect])
        why = _words(by_effect[effect], target)
        approvals.keep_escalation(connection, journal, version, target, told, why)


def current(connection: Connection, version: ToolVersion, now: datetime) -> list[Approval]:
    """Return the requests for a version's next tier, on its present record, that have not expired.

    Answered ones are among them as long as the answer holds.
    """
    return [
        one
        for one in approvals.requests(connection, version.digest)
        if one.target is next_tier(version.tier)
        and one.since_use == version.since_use
        and not one.is_expired(now)
    ]


def meetings(connection: Connection, request: Approval) -> Meetings | None:
    """Return how often the effect was met that a tool asks for; None where a person asks."""
    told, table = request.escalation, schema.uses
    if told is None:
        return None
    lower = [tier.value for tier in Tier if told.effect not in tier.capabilities]
    query = select(func.count(), func.min(table.c.at), func.max(table.c.at)).where(
        table.c.version == request.version,
        table.c.id >= told.first_use,
        table.c.status.in_(_ENDS),
        table.c.effects.contains(f'"{told.effect}"', autoescape=True),
        table.c.tier.in_(lower),
    )
    count, first, last = connection.execute(query).one()
    if not count:
        return None
    return Meetings(count, datetime.fromisoformat(first), datetime.fromisoformat(last))


def _told(
    connection: Connection, journal: Journal, version: ToolVersion, use: Use, refusal: Refusal
) -> Escalation:
    # By the text, which is what it was: the run's own process could say anything.
    lines = {call.line for call in calls_in(version).calls if call.tool == refusal.tool}
    return Escalation(
        effect=refusal.effect,
        tier=version.tier,
        calls=refusal.tool,
        lines=tuple(sorted(lines - {0})),
        first_use=usage.last_use(connection),
        input_digest=use.input_digest,
        task=use.task,
        trace=use.trace,
        called_by=journal.actor,
        error=storable_text(use.error[:_MAX_ERROR]),
    )


def _words(refusal: Refusal, target: Tier) -> str:
    who = f"it calls {refusal.tool}, which takes" if refusal.tool else "its own code takes"
    needed = lowest_tier_allowing({refusal.effect})
    step = "" if needed is target else f", and {target} is the step before it"
    return f"{who} {refusal.effect}: only {needed} has that{step}"
