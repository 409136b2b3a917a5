"""A person's word for a promotion: asked for by one, given or refused by another, for a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, insert, select, update

from toolguild.policies import Capability, Tier
from toolguild.policies.promotion import next_tier
from toolguild.registry import rows, schema
from toolguild.registry.canonical import canonical_json, decode_json, digest, storable_text
from toolguild.registry.errors import ChangeRefusedError, UnknownToolError
from toolguild.registry.journal import Journal
from toolguild.registry.model import ToolVersion
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "VALID",
    "Answer",
    "Approval",
    "Escalation",
    "answer",
    "ask",
    "find",
    "is_approved",
    "keep_escalation",
    "requests",
    "row_digests",
]

VALID = timedelta(days=7)
"""How long a request waits for its answer, and how long a given one holds."""


_TOLD = "escalation"
"""In the evidence of a request, what a tool tells; no gate has that name."""


class Answer(StrEnum):
    """What became of a request."""

    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Escalation:
    """An effect that a tool was refused, and the first use in which it was."""

    effect: Capability
    tier: Tier
    """Where it was refused."""
    calls: str
    """The called tool that would have had it; empty where its own code would."""
    lines: tuple[int, ...]
    """Where its text calls that tool."""
    first_use: int
    """Number of the use."""
    input_digest: str
    task: str | None
    trace: str | None
    called_by: str
    """The account that ran it."""
    error: str


_ESCALATION: Final = TypeAdapter(Escalation)


@dataclass(frozen=True, slots=True)
class Approval:
    """A request, and its answer."""

    id: int
    version: str
    """Digest of the version."""
    ref: str
    """`name@number`."""
    target: Tier
    """The tier that it asks for."""
    asked_by: str
    asked_at: datetime
    why: str
    since_use: int
    """Which record of the version it is about."""
    evidence: Json
    """What was known of the version when it was asked."""
    answer: Answer
    answered_by: str | None
    answered_at: datetime | None
    reason: str
    escalation: Escalation | None
    """What a tool tells that asks; None where a person does."""
    expires_at: datetime
    """An open one is answered no more after this, a given one no longer holds."""

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= self.expires_at


def ask(
    connection: Connection, journal: Journal, version: ToolVersion, evidence: JsonObject, why: str
) -> Approval:
    """Ask for a version's next tier; return the request that is open for it where there is one.

    Raises:
        ChangeRefusedError: there is no tier above.
    """
    target = next_tier(version.tier)
    if target is None:
        msg = f"{version.ref} is at {version.tier.value}, above which there is no tier"
        raise ChangeRefusedError(msg)
    now = journal.clock()
    known = [
        one
        for one in requests(connection, version.digest)
        if one.answer is Answer.OPEN
        and one.target is target
        and one.escalation is None
        and not one.is_expired(now)
    ]
    return known[0] if known else _keep(connection, journal, version, target, evidence, why)


def keep_escalation(
    connection: Connection,
    journal: Journal,
    version: ToolVersion,
    target: Tier,
    escalation: Escalation,
    why: str,
) -> Approval:
    """Write down what a tool asks for, in its own name, and tell of it."""
    asker = replace(journal, actor=f"tool {version.ref}")
    evidence = {_TOLD: _ESCALATION.dump_python(escalation, mode="json")}
    return _keep(connection, asker, version, target, evidence, why)


def _keep(
    connection: Connection,
    journal: Journal,
    version: ToolVersion,
    target: Tier,
    evidence: JsonObject,
    why: str,
) -> Approval:
    now = journal.clock()
    values = {
        "version": version.digest,
        "target": target.value,
        "since_use": version.since_use,
        "asked_by": journal.actor,
        "asked_at": rows.time_text(now),
        "why": storable_text(why),
        "evidence": canonical_json(evidence),
        "answer": Answer.OPEN.value,
        "reason": "",
        "expires_at": rows.time_text(now + VALID),
    }
    made = connection.execute(insert(schema.approvals).values(values)).inserted_primary_key
    number = int(made[0]) if made else 0
    told: JsonObject = {"request": number, "target": target.value, "evidence": evidence}
    told["row"] = row_digests(connection, number)[number]
    journal.tell(connection, "ask", version.digest, None, {}, why, approval=told)
    return find(connection, number)


def answer(
    connection: Connection, journal: Journal, number: int, given: Answer, reason: str
) -> Approval:
    """Approve or deny a request.

    Raises:
        UnknownToolError: there is none of that number.
        ChangeRefusedError: it is answered or expired, or the one who answers is the one who asked.
    """
    request, now = find(connection, number), journal.clock()
    if request.answer is not Answer.OPEN:
        msg = f"request {number} was {request.answer.value} by {request.answered_by} already"
        raise ChangeRefusedError(msg)
    if request.is_expired(now):
        msg = f"request {number} expired at {request.expires_at:%Y-%m-%d %H:%M} UTC; ask again"
        raise ChangeRefusedError(msg)
    if request.asked_by == journal.actor:
        msg = f"request {number} was made by {request.asked_by}: somebody else has to answer it"
        raise ChangeRefusedError(msg)
    values = {
        "answer": given.value,
        "answered_by": journal.actor,
        "answered_at": rows.time_text(now),
        "reason": storable_text(reason),
        "expires_at": rows.time_text(now + VALID),
    }
    row = schema.approvals.c.id == number
    connection.execute(update(schema.approvals).where(row).values(values))
    action = "approve" if given is Answer.APPROVED else "deny"
    told: JsonObject = {"request": number, "target": request.target.value}
    told["row"] = row_digests(connection, number)[number]
    journal.tell(connection, action, request.version, None, {}, reason, approval=told)
    return find(connection, number)


def is_approved(connection: Connection, version: ToolVersion, image: str, now: datetime) -> bool:
    """Say whether somebody has approved a version's next tier, on its record in an image."""
    table = schema.approvals
    target = next_tier(version.tier)
    query = select(table.c.evidence).where(
        table.c.version == version.digest,
        table.c.target == (target.value if target else ""),
        table.c.since_use == version.since_use,
        table.c.answer == Answer.APPROVED.value,
        table.c.asked_by != table.c.answered_by,
        table.c.expires_at > rows.time_text(now),
    )
    found = map(decode_json, connection.scalars(query))
    # What a tool asks for itself holds in every image, and so do requests of older layouts.
    return any(isinstance(one, dict) and one.get("image", image) == image for one in found)


def requests(connection: Connection, version: str | None = None) -> Sequence[Approval]:
    """Return all requests, or those for the version with this digest, the oldest first."""
    query = _query().order_by(schema.approvals.c.id)
    if version is not None:
        query = query.where(schema.approvals.c.version == version)
    return [_approval(row) for row in connection.execute(query)]


def find(connection: Connection, number: int) -> Approval:
    """Return the request of this number.

    Raises:
        UnknownToolError: there is none.
    """
    row = connection.execute(_query().where(schema.approvals.c.id == number)).one_or_none()
    if row is None:
        msg = f"there is no request {number}; `toolguild approvals list` shows them"
        raise UnknownToolError(msg)
    return _approval(row)


def row_digests(connection: Connection, number: int | None = None) -> dict[int, str]:
    """Return digests over all columns of every request, or of one, by their numbers."""
    query = select(schema.approvals)
    if number is not None:
        query = query.where(schema.approvals.c.id == number)
    return {row.id: digest(dict(row._mapping)) for row in connection.execute(query)}


def _query() -> Any:
    versions = schema.versions
    named = select(schema.approvals, versions.c.name, versions.c.number)
    return named.join(versions, versions.c.digest == schema.approvals.c.version)


def _approval(row: Row[Any]) -> Approval:
    evidence = decode_json(row.evidence)
    return Approval(
        id=row.id,
        version=row.version,
        ref=f"{row.name}@{row.number}",
        target=Tier(row.target),
        asked_by=row.asked_by,
        asked_at=datetime.fromisoformat(row.asked_at),
        why=row.why,
        since_use=row.since_use,
        evidence=evidence,
        escalation=_escalation(evidence),
        answer=Answer(row.answer),
        answered_by=row.answered_by,
        answered_at=None if row.answered_at is None else datetime.fromisoformat(row.answered_at),
        reason=row.reason,
        expires_at=datetime.fromisoformat(row.expires_at),
    )


def _escalation(evidence: Json) -> Escalation | None:
    told = evidence.get(_TOLD) if isinstance(evidence, dict) else None
    try:
        return None if told is None else _ESCALATION.validate_python(told)
    except ValidationError:
        return None  # somebody wrote it: `audit.verify` tells of the row
