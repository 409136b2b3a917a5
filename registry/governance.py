"""Who decides what a version is trusted with, on what grounds, and how that is taken back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from toolguild.policies import Profile, Tier
from toolguild.policies.drift import FieldChange
from toolguild.registry import (
    aliases,
    approvals,
    chain,
    escalations,
    lifecycle,
    promotion,
    proposals,
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
from toolguild.registry.lifecycle import require_transition
from toolguild.registry.lookup import pointed_at, resolve, versions_of
from toolguild.registry.meanings import point_at
from toolguild.registry.model import State, ToolVersion
from toolguild.registry.promotion import Promotion
from toolguild.registry.proposals import Intake, Waiting
from toolguild.sandbox import JsonObject

__all__ = ["Governance"]


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

    # -- coming into use, and leaving it

    def intake(self) -> Intake:
        """Begin a cycle of new tools within the budget, to be handed to `Registry.register`."""
        return Intake(self._profile.trust.budget, self._journal.clock)

    def admit(self, *, why: str = "its turn") -> list[ToolVersion]:
        """Let in what waits, in order: one cycle of the budget of new tools.

        Returns:
            The versions that are in use now.
        """
        budget, now = self._profile.trust.budget, self._journal.clock()
        with self._database.write() as connection:
            room = min(budget.new_tools_a_cycle, proposals.left_today(connection, budget, now))
            line = proposals.waiting(connection)[:room]
            return [lifecycle.let_in(connection, self._journal, one, why) for one in line]

    def proposals(self) -> list[ToolVersion]:
        """Return the versions that wait to come into use, in the order in which they will."""
        with self._database.read() as connection:
            return [proposal.version for proposal in proposals.waiting(connection)]

    def waiting(self, ref: str) -> Waiting | None:
        """Return what a version waits for before it comes into use; None where it does not wait.

        Raises:
            UnknownToolError: there is no such version.
        """
        budget, now = self._profile.trust.budget, self._journal.clock()
        with self._database.read() as connection:
            version = resolve(connection, ref)
            line = [proposal.version for proposal in proposals.waiting(connection)]
            if version not in line:
                return None
            return Waiting(
                place=line.index(version) + 1,
                ahead=tuple(one.ref for one in line if one.spec.name in version.spec.calls),
                left_today=proposals.left_today(connection, budget, now),
                a_cycle=budget.new_tools_a_cycle,
            )

    def retire(self, ref: str, *, why: str) -> ToolVersion:
        """Take a version out of use, or out of the line, with no way back but `restore`.

        Raises:
            UnknownToolError: there is no such version.
            ChangeRefusedError: it is retired already.
        """
        with self._database.write() as connection:
            return lifecycle.retire(connection, self._journal, resolve(connection, ref), why)

    def restore(self, ref: str, *, why: str) -> ToolVersion:
        """Take a version that is retired or quarantined into use again, in the tier `sandbox`.

        Raises:
            UnknownToolError: there is no such version.
            ChangeRefusedError: it is in use or waits to be, or never was in use and the budget of
                new tools is used up.
        """
        budget, now = self._profile.trust.budget, self._journal.clock()
        with self._database.write() as connection:
            room = proposals.left_today(connection, budget, now)
            version = resolve(connection, ref)
            return lifecycle.restore(connection, self._journal, version, room, why)

    # -- aliases

    def alias(self, ref: str, alias: str, *, why: str) -> ToolVersion:
        """Let `name@alias` stand for a version, whatever it stood for before.

        Raises:
            UnknownToolError: there is no such version.
            ChangeRefusedError: it can be no alias.
        """
        with self._database.write() as connection:
            version = resolve(connection, ref)
            aliases.set_alias(connection, self._journal, version, alias, why)
            return version

    def unalias(self, name: str, alias: str, *, why: str) -> None:
        """Let `name@alias` stand for nothing any more.

        Raises:
            UnknownToolError: there is no such tool, or it has no such alias.
        """
        with self._database.write() as connection:
            aliases.remove(connection, self._journal, name, alias, why)

    def aliases(self) -> dict[str, dict[str, str]]:
        """Return the `name@number` that each alias stands for, by name and alias."""
        with self._database.read() as connection:
            return aliases.aliases_of(connection)

    # -- going down, and back

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
            ChangeRefusedError: it is the present one, or waits to come into use, or there is none
                before it.
        """
        with self._database.write() as connection:
            present = resolve(connection, name)
            wanted = resolve(connection, to or f"{name}@{max(present.number - 1, 1)}")
            if wanted.spec.name != present.spec.name or wanted.digest == present.digest:
                msg = f"{name} means {present.ref}; name another version of it"
                raise ChangeRefusedError(msg)
            if wanted.state is State.PROPOSED:
                msg = f"{wanted.ref} waits to come into use; name another version with --to"
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
