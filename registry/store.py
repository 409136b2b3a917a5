"""The registry: tools, versions, rejected drafts and uses in one database."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, insert, select

from toolguild.policies import Profile, Tier, load_profile
from toolguild.registry import (
    escalations,
    meanings,
    parts,
    recording,
    retrieval,
    rows,
    schema,
    usage,
    validations,
    vector_batches,
)
from toolguild.registry.canonical import digest, storable_text
from toolguild.registry.database import Database
from toolguild.registry.effects import Refusal
from toolguild.registry.errors import AlreadyRegisteredError
from toolguild.registry.governance import Governance
from toolguild.registry.improvement import Improvements
from toolguild.registry.journal import Journal, standing_of
from toolguild.registry.lifecycle import require_transition
from toolguild.registry.lookup import (
    find_version,
    next_number,
    point,
    pointed_at,
    pointed_at_by,
    resolve,
    versions_of,
)
from toolguild.registry.model import (
    Record,
    Registration,
    RejectedDraft,
    Rejection,
    State,
    ToolSpec,
    ToolVersion,
    Use,
)
from toolguild.registry.proposals import Intake
from toolguild.registry.reports import read_report, with_report
from toolguild.registry.specs import check_spec
from toolguild.sandbox import JsonObject

__all__ = ["Registry"]


def _now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """Versions are immutable and content-addressed; every change of state is in the audit trail.

    Safe to share between threads. Several processes may open the same one; each opens its own
    registry, a forked one too. Use as a context manager, or call `close`.
    """

    def __init__(
        self,
        database: Database,
        *,
        actor: str,
        clock: Callable[[], datetime],
        profile: Profile | None = None,
    ) -> None:
        """Work on an open database; `open` is the usual way."""
        self.database = database
        self._journal = Journal(storable_text(actor), clock)
        self._profile = profile or load_profile()
        self.governance = Governance(database, self._journal, self._profile)
        """Promotion, demotion, rollback and approvals."""
        self.improvements = Improvements(database, self._journal, self._profile.improvement)
        """What agents are told beside their tasks, and how that came to be."""

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] = _now,
        profile: Profile | None = None,
    ) -> Registry:
        """Open the registry at a path or a URL; create it where there is none.

        Args:
            where: `tools.db`, `sqlite:///tools.db` or `postgresql://user@host/database`. Missing
                folders are made; a database on a server has to be there.
            actor: Who is named in the audit trail; the user's login name unless given.
            clock: Gives the time, with its zone.
            profile: What trust takes and when it is taken back; the shipped one unless given.

        Raises:
            RegistryError: the message names the place and says what to do.
        """
        actor = actor or _login_name()
        return cls(Database.at(where), actor=actor, clock=clock, profile=profile)

    def now(self) -> datetime:
        """Return the time on the registry's clock."""
        return self._journal.clock()

    def close(self) -> None:
        """Close the database; closing twice is harmless."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- tools and versions

    def register(
        self,
        spec: ToolSpec,
        *,
        provenance: JsonObject | None = None,
        evidence: JsonObject | None = None,
        report: JsonObject | None = None,
        why: str = "",
        intake: Intake | None = None,
    ) -> Registration:
        """Make a specification the next version of its tool, and point the name at it.

        It starts in the sandbox tier, whatever the version before had. Where this very
        specification is registered, nothing is written, not even its new provenance, and the
        name keeps pointing where it does.

        Args:
            spec: What is to be the version.
            provenance: Where it comes from.
            evidence: What speaks for it, in short.
            report: What the evidence rests on, at length; kept under its digest, see `report`.
            why: Why it is registered.
            intake: The cycle of new tools that it is part of: where there is no room left in it,
                the version is proposed, and waits. Unless given, it is in use at once.

        Raises:
            InvalidSpecError: no toolbox could offer or check it.
            NotJsonError: provenance, evidence or report is not JSON.
        """
        check_spec(spec)
        with self.database.write() as connection:
            known = find_version(connection, schema.versions.c.digest == spec.digest)
            if known is not None:
                return Registration(known, created=False)
            kept = with_report(connection, evidence, report)
            version = self.enter(
                connection,
                "register",
                spec,
                provenance=provenance or {},
                evidence=kept,
                why=why,
                waits=intake is not None and not intake.takes(connection),
            )
        return Registration(version, created=True)

    def tools(self, tier: Tier | None = None, state: State | None = None) -> list[ToolVersion]:
        """Return the version that each tool's name points at, by name, filtered where asked."""
        query = pointed_at().order_by(schema.versions.c.name)
        if tier is not None:
            query = query.where(schema.versions.c.tier == tier.value)
        if state is not None:
            query = query.where(schema.versions.c.state == state.value)
        with self.database.read() as connection:
            return [rows.version_of(row) for row in connection.execute(query)]

    def tool(self, ref: str) -> ToolVersion:
        """Return the version that a reference names.

        Args:
            ref: `name`, `name@3`, `name@sha256:ab12` or `name@alias`.

        Raises:
            UnknownToolError: there is no such tool or version; similar names are suggested.
            AmbiguousRefError: the digest prefix fits several versions.
        """
        with self.database.read() as connection:
            return resolve(connection, ref)

    def search(
        self,
        text: str,
        *,
        k: int = 8,
        tier: Tier | None = None,
        state: State | None = State.ACTIVE,
        embedder: retrieval.Embedder | None = None,
    ) -> list[retrieval.Found]:
        """Return the tools that fit a text, the best first; any text is one, none is an error.

        Args:
            text: A name, the beginning of one, or what is to be done.
            k: Tools at most.
            tier: Only tools of this tier.
            state: Only tools in this state; None for all.
            embedder: Finds tools by meaning, too, of which it made vectors. Where it cannot, a
                `RuntimeWarning` says so, and text alone is searched.
        """
        meaning = retrieval.meaning_of(text, embedder)
        with self.database.read() as connection:
            return retrieval.search(connection, text, k=k, tier=tier, state=state, meaning=meaning)

    def versions(self, name: str) -> list[ToolVersion]:
        """Return every version of a tool, the oldest first.

        Raises:
            UnknownToolError: there is no such tool; similar names are suggested.
        """
        with self.database.read() as connection:
            return versions_of(connection, name)

    def set_tier(self, ref: str, tier: Tier, *, why: str) -> ToolVersion:
        """Move one version to a tier. Whether it has earned that is the caller's to decide.

        Raises:
            UnknownToolError: there is no such version.
        """
        return self._change(ref, "set_tier", lambda version: replace(version, tier=tier), why)

    def set_state(self, ref: str, state: State, *, why: str) -> ToolVersion:
        """Move one version to a state; another one than the present leaves it in tier `sandbox`.

        Raises:
            UnknownToolError: there is no such version.
            RegistryError: the state does not follow on the present one, see `TRANSITIONS`.
        """

        def changed(version: ToolVersion) -> ToolVersion:
            require_transition(version, state)
            # Whatever it had been trusted with before, it has to earn again.
            return replace(version, state=state, tier=Tier.SANDBOX)

        return self._change(ref, "set_state", changed, why)

    def keep_vectors(self, model: str, made: Mapping[str, retrieval.Vector]) -> int:
        """Keep the vectors that a model made of versions, by their digests; see `search`.

        Returns:
            How many were kept: left out are those without a direction.
        """
        with self.database.write() as connection:
            return vector_batches.keep(connection, self._journal, model, made)

    # -- evidence

    def add_evidence(
        self, ref: str, evidence: JsonObject, report: JsonObject | None = None, *, why: str = ""
    ) -> ToolVersion:
        """Let what a validation found be a version's evidence from now on.

        Its tier, its state and its record stay as they are; what it was registered with, and what
        was added before, is kept.

        Args:
            ref: The version.
            evidence: What speaks for it, in short.
            report: What the evidence rests on, at length.
            why: Why it was validated.

        Raises:
            UnknownToolError: there is no such version.
            NotJsonError: evidence or report is not JSON.
        """
        with self.database.write() as connection:
            kept = with_report(connection, evidence, report)
            return validations.add(connection, self._journal, resolve(connection, ref), kept, why)

    def wants_evidence(self, ref: str) -> bool:
        """Say whether nothing that was proven here speaks for a version any longer.

        Raises:
            UnknownToolError: there is no such version.
        """
        with self.database.read() as connection:
            return validations.is_wanted(connection, resolve(connection, ref))

    # -- rejected drafts

    def reject(
        self,
        spec: ToolSpec,
        reasons: Sequence[str],
        evidence: JsonObject | None = None,
        report: JsonObject | None = None,
    ) -> Rejection:
        """Keep a draft that did not pass. One that is kept already is left as it is.

        Evidence and report are as those of `register`.

        Raises:
            AlreadyRegisteredError: this very specification is registered.
            NotJsonError: the specification or the evidence is not JSON.
        """
        key = spec.digest
        with self.database.write() as connection:
            version = find_version(connection, schema.versions.c.digest == key)
            if version is not None:
                msg = (
                    f"{version.ref} is registered with this very text, and cannot be rejected; "
                    "quarantine or retire it instead"
                )
                raise AlreadyRegisteredError(msg)
            kept = select(schema.rejections).where(schema.rejections.c.digest == key)
            known = connection.execute(kept).one_or_none()
            if known is not None:
                return Rejection(rows.draft_of(known), created=False)
            draft = RejectedDraft(
                spec=spec,
                reasons=tuple(storable_text(reason) for reason in reasons),
                evidence=with_report(connection, evidence, report),
                rejected_at=self._journal.clock(),
            )
            connection.execute(insert(schema.rejections).values(rows.draft_values(draft)))
            after: JsonObject = {
                "name": spec.name,
                "state": State.REJECTED,
                "reasons": list(draft.reasons),
                "rejected_at": rows.time_text(draft.rejected_at),
                "evidence": digest(draft.evidence),
            }
            self._journal.tell(connection, "reject", key, None, after, "; ".join(draft.reasons))
        return Rejection(draft, created=True)

    def rejections(self) -> list[RejectedDraft]:
        """Return the rejected drafts in the order of time, without those registered later."""
        drafts, versions = schema.rejections, schema.versions
        query = (
            select(drafts)
            .where(drafts.c.digest.not_in(select(versions.c.digest)))
            .order_by(drafts.c.rejected_at, drafts.c.digest)
        )
        with self.database.read() as connection:
            return [rows.draft_of(row) for row in connection.execute(query)]

    def report(self, digest: str) -> JsonObject:
        """Return the report that evidence names by its digest.

        Raises:
            UnknownToolError: there is none.
            TamperedError: it is not what was written.
        """
        with self.database.read() as connection:
            return read_report(connection, digest)

    # -- uses

    def record(self, use: Use, refusals: Sequence[Refusal] = ()) -> None:
        """Add one use to the record of its version; demote that, or quarantine it, on decline.

        Args:
            use: How it was called.
            refusals: Effects for want of which it ended; the version asks for the tier above.

        Raises:
            UnknownToolError: no version has that digest.
        """
        with self.database.write() as connection:
            recording.add_use(connection, self._journal, use, self._profile.trust)
            if refusals:
                escalations.keep(connection, self._journal, use, refusals)

    def uses(self, version: str) -> list[Use]:
        """Return the uses of the version with this digest, in the order of recording."""
        query = select(schema.uses).where(schema.uses.c.version == version)
        with self.database.read() as connection:
            found = connection.execute(query.order_by(schema.uses.c.id))
            return [rows.use_of(row) for row in found]

    def called_in(self, trace: str) -> list[ToolVersion]:
        """Return the versions that an agent called itself in one run, by name.

        Args:
            trace: Identifier of the run, as its toolbox was given it.
        """
        uses = schema.uses
        called = select(uses.c.version).where(uses.c.trace == trace, uses.c.caller.is_(None))
        query = rows.VERSIONS.where(schema.versions.c.digest.in_(called))
        with self.database.read() as connection:
            found = connection.execute(query.order_by(schema.versions.c.name)).all()
            return [rows.version_of(row) for row in found]

    def track_record(self, version: str) -> Record:
        """Return how often the version with this digest was used, and with what success."""
        with self.database.read() as connection:
            return usage.record_of(connection, version)

    def callers(self, version: str) -> dict[str, int]:
        """Return how many uses of the version with this digest composites made.

        Returns:
            The number of uses by each composite's `name@number`, the most frequent first.
        """
        with self.database.read() as connection:
            return usage.callers_of(connection, version)

    # -- changes

    def enter(
        self,
        connection: Connection,
        action: str,
        spec: ToolSpec,
        *,
        provenance: JsonObject,
        evidence: JsonObject,
        why: str,
        meant: bool = True,
        waits: bool = False,
    ) -> ToolVersion:
        """Write a new version, and tell of it under the name of an action.

        The transaction is the caller's, who has checked the specification, and that it is new.
        Its name comes to mean it only where it is `meant`. One that `waits` is proposed instead:
        where its name means another version, that goes on until this one is let in.
        """
        points = meant and not (waits and pointed_at_by(connection, spec.name))
        version = ToolVersion(
            spec=spec,
            number=next_number(connection, spec.name),
            tier=Tier.SANDBOX,
            state=State.PROPOSED if waits else State.ACTIVE,
            registered_at=self._journal.clock(),
            provenance=provenance,
            evidence=evidence,
        )
        connection.execute(insert(schema.versions).values(rows.version_values(version)))
        parts.keep_parts(connection, spec)
        after: JsonObject = {
            "name": spec.name,
            "number": version.number,
            "registered_at": rows.time_text(version.registered_at),
            **standing_of(version),
            "provenance": digest(version.provenance),
            "evidence": digest(version.evidence),
        }
        before: JsonObject | None = None
        if points:
            before = {"active": point(connection, spec.name, version.digest)}
            after["active"] = version.digest
        if waits:
            action = "propose"
        more: dict[str, JsonObject] = {"proposal": {"wants_name": meant}} if waits else {}
        self._journal.tell(connection, action, version.digest, before, after, why, **more)
        if points and not waits:
            meanings.part_changed(connection, self._journal, version)
        return version

    def point(self, connection: Connection, version: ToolVersion, *, why: str) -> None:
        """Let a name mean one of its versions; the transaction is the caller's."""
        meanings.point_at(connection, self._journal, "point", version, why)

    def _change(
        self, ref: str, action: str, change: Callable[[ToolVersion], ToolVersion], why: str
    ) -> ToolVersion:
        with self.database.write() as connection:
            before = resolve(connection, ref)
            after = change(before)
            if after != before:
                in_sandbox = after.tier is Tier.SANDBOX
                image = "" if in_sandbox else usage.image_of_record(connection, before)
                after = replace(after, since_use=usage.last_use(connection), image=image)
                self._journal.change(connection, action, before, after, why)
                if after.tier < before.tier:
                    recording.callers_fall(connection, self._journal, after)
        return after


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have neither a name nor $USER
        return "unknown"
