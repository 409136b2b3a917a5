"""What a version has to show for the next tier, read from the registry, and its promotion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from toolguild.policies import Profile, Tier
from toolguild.policies.promotion import (
    OPENED_BY_APPROVAL,
    Gate,
    Standing,
    next_tier,
    promotion_gates,
)
from toolguild.registry import approvals, escalations, rows, schema, usage, validations
from toolguild.registry.approvals import Approval
from toolguild.registry.data_flow import NetworkFlow, network_flows
from toolguild.registry.effects import standing
from toolguild.registry.errors import ChangeRefusedError, PromotionRefusedError, UnknownToolError
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import resolve
from toolguild.registry.model import State, ToolVersion
from toolguild.registry.reopening import open_drift
from toolguild.sandbox import Json, JsonObject

__all__ = ["Promotion", "flows_of", "lowest_part", "promote", "promotion_of"]

_DAY = timedelta(days=1)
_FALLS = ("demote", "quarantine")
_MOVES = (
    *("register", "import", "admit", "promote", "override"),
    *("set_tier", "set_state", "restore", *_FALLS),
)
"""Actions after which a version stands at another tier."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A step up that a version may have earned."""

    version: ToolVersion
    target: Tier
    gates: tuple[Gate, ...]
    """What stands before it; all have to be open."""
    image: str
    """What the record that it rests on was made in; the tier is for that alone."""
    requests: tuple[Approval, ...] = ()
    """What was asked for this very step and may still be answered, or whose answer holds."""

    @property
    def is_earned(self) -> bool:
        """Whether every gate is open."""
        return all(gate.passed for gate in self.gates)

    @property
    def waits_for_approval(self) -> bool:
        """Whether nothing is missing but a person's word."""
        closed = {gate.name for gate in self.gates if not gate.passed}
        return bool(closed) and closed <= OPENED_BY_APPROVAL

    @property
    def missing(self) -> tuple[str, ...]:
        """What would open the gates that are not, in words."""
        told = (gate.missing for gate in self.gates if not gate.passed)
        return tuple(dict.fromkeys(told))


def promotion_of(
    connection: Connection,
    ref: str,
    profile: Profile,
    now: datetime,
    promotions_left: int | None = None,
) -> Promotion:
    """Return the next step up of a version, and what stands before it.

    Args:
        connection: Where to read.
        ref: The version.
        profile: What tiers ask for.
        now: The present.
        promotions_left: Of a cycle; None where it has no limit.

    Raises:
        UnknownToolError: there is no such version.
        ChangeRefusedError: there is no tier above, or the version is not active.
    """
    version = resolve(connection, ref)
    target = next_tier(version.tier)
    if target is None:
        msg = f"{version.ref} is at {version.tier.value}, above which there is no tier"
        raise ChangeRefusedError(msg)
    if version.state is not State.ACTIVE:
        msg = f"{version.ref} is {version.state.value}; only an active version can be promoted"
        raise ChangeRefusedError(msg)
    image = usage.image_of_record(connection, version)
    found = _standing(connection, version, target, image, profile, now, promotions_left)
    gates = promotion_gates(found, profile.trust, profile.evidence)
    requests = escalations.current(connection, version, now)
    return Promotion(version, target, tuple(gates), image, tuple(requests))


def promote(
    connection: Connection, journal: Journal, promotion: Promotion, why: str, *, override: bool
) -> ToolVersion:
    """Move a version a tier up, and begin a new record there.

    Args:
        connection: The transaction in which the promotion was looked at, too.
        journal: Tells of it.
        promotion: The step.
        why: A sentence; the gates are kept beside it.
        override: Whether a person answers for gates that are closed.

    Raises:
        PromotionRefusedError: a gate is closed, and nobody answers for it.
    """
    if not (promotion.is_earned or override):
        raise PromotionRefusedError(promotion.version.ref, promotion.target, promotion.missing)
    before = promotion.version
    last = usage.last_use(connection)
    after = replace(before, tier=promotion.target, since_use=last, image=promotion.image)
    gates: JsonObject = {gate.name: _told(gate) for gate in promotion.gates}
    action = "promote" if promotion.is_earned else "override"
    journal.change(connection, action, before, after, why, gates=gates)
    return after


def _told(gate: Gate) -> JsonObject:
    told: JsonObject = {"asked": gate.asked, "found": gate.found, "open": gate.passed}
    return told


def _standing(
    connection: Connection,
    version: ToolVersion,
    target: Tier,
    image: str,
    profile: Profile,
    now: datetime,
    promotions_left: int | None,
) -> Standing:
    record = usage.tier_record(connection, version, image)
    moved = _last(connection, version, _MOVES) or version.registered_at
    fallen = _last(connection, version, _FALLS)
    left = [profile.trust.budget.promotions_a_day - _promotions_since(connection, now - _DAY)]
    if promotions_left is not None:
        left.append(promotions_left)
    return Standing(
        tier=version.tier,
        successes=record.successes,
        failures=record.failures,
        hours_at_tier=_hours(now - moved),
        hours_since_demotion=None if fallen is None else _hours(now - fallen),
        mutants_found=_mutants_found(version.evidence),
        thin=_texts(version.evidence.get("thin")),
        open_counterexamples=record.undeclared,
        drifted=tuple(map(str, open_drift(connection, version))),
        changed_parts=tuple(validations.changed_parts(connection, version)),
        lowest_part=lowest_part(connection, version),
        approved=approvals.is_approved(connection, version, image, now),
        flows=tuple(
            str(flow) for flow in flows_of(connection, version) if flow.matters_for(target)
        ),
        promotions_left=min(left),
    )


def lowest_part(connection: Connection, version: ToolVersion) -> Tier | None:
    """Return the lowest tier of the tools of ours that a version calls; None without any."""
    find = _finder(connection)
    found = [tool for tool in map(find, version.spec.calls) if tool is not None]
    # A proposed one cannot be called, and when it is let in, what calls it begins anew.
    called = [tool for tool in found if tool.state is not State.PROPOSED]
    return min((standing(tool, find) for tool in called), default=None)


def flows_of(connection: Connection, version: ToolVersion) -> list[NetworkFlow]:
    """Return the ways of data from what reads to the network in a version.

    What tools outside the registry do is not known here: each of them may read and send.
    """
    return network_flows(version, _finder(connection), declared=None)


def _finder(connection: Connection) -> Callable[[str], ToolVersion | None]:
    def find(name: str) -> ToolVersion | None:
        try:
            return resolve(connection, name)
        except UnknownToolError:
            return None

    return find


def _last(
    connection: Connection, version: ToolVersion, actions: tuple[str, ...]
) -> datetime | None:
    """Return when one of these was last done to a version."""
    table = schema.audit
    query = select(func.max(table.c.at)).where(
        table.c.subject == version.digest, table.c.action.in_(actions)
    )
    found = connection.scalar(query)
    return None if found is None else datetime.fromisoformat(found)


def _promotions_since(connection: Connection, since: datetime) -> int:
    table = schema.audit
    query = select(func.count()).where(
        table.c.action == "promote", table.c.at > rows.time_text(since)
    )
    return connection.scalar(query) or 0


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600


def _mutants_found(evidence: JsonObject) -> float | None:
    match evidence.get("adequacy"):
        case {"killed": int(killed), "mutants": int(mutants)} if mutants:
            return killed / mutants
    return None


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
