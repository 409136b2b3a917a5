"""Who decides what a version is trusted with, on what grounds, and how that is taken back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from toolguild.policies import Profile, Tier
from toolguild.policies.drift import FieldChange
from toolguild.registry import (
    approvals,
    chain,
    escalations,
    parts,
    promotion,
    recording,
    reopening,
    rows,
    schema,
    usage,
)
from toolguild.registry.approvals import Answer, Approval
from toolguild.registry.chain import AuditRow
from toolguild.registry.data_flow import NetworkFlow
from toolguild.registry.database import Database
from toolguild.registry.errors import ChangeRefusedError
from toolguild.registry.escalations import Meetings
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import point, pointed_at, resolve, versions_of
from toolguild.registry.model import TRANSITIONS, State, ToolVersion
from toolguild.registry.promotion import Promotion
from toolguild.sandbox import JsonObject

__all__ = ["Governance", "part_changed", "point_at", "require_transition"]


class Governance:
    """Moves the versions of one registry up and down; each step is in the audit trail."""

    def __init__(self, database: Database, journal: Journal, profile: Profile) -> None:
        """Work on an open database, in the name of the journal's actor, by a profile."""
        self._database, self._journal, self._profile = database, journal, profile

    def promotion(self, ref: str) -> Promotion:
        """Return the next step up of a version, and every gate before it.

        Raises:
            UnknownToolError: there is no such version.
            ChangeRefusedError: there is no tier above, or the version is not active.
        """
        with self._database.read() as connection:
            return promotion.promotion_of(connection, ref, self._profile, self._journal.clock())

    def promote(self, ref: str, *, why: str, override: bool = False) -> ToolVersion:
        """Move a version a tier up, where every gate is open or a person answers for it.

        Args:
            ref: The version.
            why: A sentence.
            override: Pass closed gates; the audit trail names them.

        Raises:
            PromotionRefusedError: a gate is closed; it says what is missing.
            UnknownToolError, ChangeRefusedError: as `promotion` raises them.
        """
        with self._database.write() as connection:
            step = promotion.promotion_of(connection, ref, self._profile, self._journal.clock())
            return promotion.promote(connection, self._journal, step, why, override=override)

    def review(self, *, why: str = "review") -> list[Promotion]:
        """Promote whatever has earned it: one cycle of the budget, those first that waited longest.

        Returns:
            The steps that were taken.
        """
        left = self._profile.trust.budget.promotions_a_cycle
        taken: list[Promotion] = []
        with self._database.write() as connection:
            for version in self._candidates(connection):
                step = promotion.promotion_of(
                    connection, version.ref, self._profile, self._journal.clock(), left - len(taken)
                )
                if step.is_earned:
                    promotion.promote(connection, self._journal, step, why, override=False)
                    taken.append(step)
        return taken

    def _candidates(self, connection: Connection) -> list[ToolVersion]:
        """Return the versions that may have enough uses, those first that waited longest."""
        table, trust = schema.versions, self._profile.trust
        fewest = min(trust.restricted.uses, trust.full.uses)
        waiting = pointed_at().where(
            table.c.state == State.ACTIVE.value, table.c.tier != Tier.FULL.value
        )
        if fewest:
            waiting = waiting.where(table.c.digest.in_(usage.used_at_least(fewest)))
        query = waiting.order_by(table.c.since_use, table.c.registered_at, table.c.name)
        return [rows.version_of(row) for row in connection.execute(query)]

    def demote(self, ref: str, tier: Tier | None, *, why: str) -> ToolVersion:
        """Move a version down, with whatever calls it; nothing stands before that.

        Args:
            ref: The version.
            tier: Where to; None for quarantine, where it cannot be called.
            why: A sentence.

        Raises:
            UnknownToolError: there is no such version.
            ChangeRefusedError: it is not above that tier, or cannot be quarantined.
        """
        with self._database.write() as connection:
            version = resolve(connection, ref)
            if tier is not None and version.tier <= tier:
                msg = f"{version.ref} is at {version.tier.value}, not above {tier.value}"
                raise ChangeRefusedError(msg)
            if tier is None:
                require_transition(version, State.QUARANTINED)
            return recording.fall(connection, self._journal, version, tier, why)

    def reopen(
        self, ref: str, changes: Sequence[FieldChange], *, why: str, quarantine: bool = False
    ) -> bool:
        """Let a version begin anew, for it was proven on results that are others now.

        It is at `sandbox`, with whatever calls it, and is not promoted before it was validated
        again.

        Args:
            ref: The version.
            changes: How results of tools that it calls are different.
            why: A sentence.
            quarantine: Whether it cannot work any more, and is not to be called.

        Returns:
            Whether it was done; it is not where the version is open already for all of this.

        Raises:
            UnknownToolError: there is no such version.
        """
        with self._database.write() as connection:
            version = resolve(connection, ref)
            return reopening.reopen(
                connection, self._journal, version, changes, why, quarantine=quarantine
            )

    def rollback(self, name: str, to: str | None = None, *, why: str) -> ToolVersion:
        """Let a name mean an earlier version again, with that version's own tier and record.

        What calls the tool begins anew in the tier `sandbox`: a part of it is another one now.

        Args:
            name: The tool.
            to: The version; the one before the present one unless given.
            why: A sentence.

        Raises:
            UnknownToolError: there is no such tool or version.
            ChangeRefusedError: it is the present one, or there is none before it.
        """
        with self._database.write() as connection:
            present = resolve(connection, name)
            wanted = resolve(connection, to or f"{name}@{max(present.number - 1, 1)}")
            if wanted.spec.name != present.spec.name or wanted.digest == present.digest:
                msg = f"{name} means {present.ref}; name another version of it"
                raise ChangeRefusedError(msg)
            point_at(connection, self._journal, "rollback", wanted, why)
            lowest = promotion.lowest_part(connection, wanted)
            if lowest is not None and wanted.tier > lowest:
                # While nothing called it, nobody took it down with what it calls.
                why = f"a tool that it calls is at {lowest.value} now"
                wanted = recording.fall(connection, self._journal, wanted, lowest, why)
        return wanted

    def history(self, name: str) -> list[AuditRow]:
        """Return everything that was done to the versions of a tool, the oldest first.

        Raises:
            UnknownToolError: there is no such tool.
        """
        with self._database.read() as connection:
            digests = [version.digest for version in versions_of(connection, name)]
            return chain.rows_of(connection, digests)

    # -- approvals

    def ask(self, ref: str, *, why: str) -> Approval:
        """Ask a person for a version's next tier; an open request is returned as it is.

        Raises:
            UnknownToolError, ChangeRefusedError: as `promotion` raises them.
        """
        with self._database.write() as connection:
            step = promotion.promotion_of(connection, ref, self._profile, self._journal.clock())
            found: JsonObject = {gate.name: gate.found for gate in step.gates}
            found["image"] = step.image
            return approvals.ask(connection, self._journal, step.version, found, why)

    def answer(self, number: int, given: Answer, *, why: str) -> Approval:
        """Approve or deny a request, as another one than who asked.

        Raises:
            UnknownToolError: there is none of that number.
            ChangeRefusedError: it is answered or expired, or was made by this very actor.
        """
        with self._database.write() as connection:
            return approvals.answer(connection, self._journal, number, given, why)

    def request(self, number: int) -> Approval:
        """Return the request of this number.

        Raises:
            UnknownToolError: there is none.
        """
        with self._database.read() as connection:
            return approvals.find(connection, number)

    def requests(self) -> Sequence[Approval]:
        """Return all requests, the oldest first."""
        with self._database.read() as connection:
            return approvals.requests(connection)

    def meetings(self, request: Approval) -> Meetings | None:
        """Return how often the effect was refused that a tool asks for; None for a person's."""
        with self._database.read() as connection:
            return escalations.meetings(connection, request)

    def flows(self, ref: str) -> list[NetworkFlow]:
        """Return the ways of data from what reads to the network in a version.

        Raises:
            UnknownToolError: there is no such version.
        """
        with self._database.read() as connection:
            return promotion.flows_of(connection, resolve(connection, ref))


def point_at(
    connection: Connection, journal: Journal, action: str, version: ToolVersion, why: str
) -> None:
    """Let a name mean one of its versions; what calls the tool begins anew."""
    before: JsonObject = {"active": point(connection, version.spec.name, version.digest)}
    journal.tell(connection, action, version.digest, before, {"active": version.digest}, why)
    part_changed(connection, journal, version)


def part_changed(connection: Connection, journal: Journal, part: ToolVersion) -> None:
    """Let what calls a tool begin anew: what is known of it is known with another part."""
    for caller in parts.callers_of(connection, part.spec.name):
        if caller.tier > Tier.SANDBOX or usage.has_record(connection, caller):
            why = f"{part.spec.name}, which it calls, is {part.ref} now"
            recording.fall(connection, journal, caller, Tier.SANDBOX, why, anew=True)


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
