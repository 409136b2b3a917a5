"""The registry: tools, versions, rejected drafts and uses in one database."""

from __future__ import annotations

import difflib
import getpass
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    insert,
    select,
    update,
)

from toolguild.policies import Tier
from toolguild.registry import chain, rows, schema, usage, use_chain
from toolguild.registry.canonical import digest, storable_text
from toolguild.registry.database import Database
from toolguild.registry.errors import (
    AlreadyRegisteredError,
    AmbiguousRefError,
    RegistryError,
    UnknownToolError,
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
from toolguild.registry.refs import parse_ref
from toolguild.registry.reports import read_report, with_report
from toolguild.registry.specs import check_spec
from toolguild.sandbox import JsonObject

__all__ = ["Registry"]


_IS_VERSION = select(schema.versions.c.digest).where(
    schema.versions.c.digest == bindparam("version")
)


def _now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """Versions are immutable and content-addressed; every change of state is in the audit trail.

    Safe to share between threads. Several processes may open the same one; each opens its own
    registry, a forked one too. Use as a context manager, or call `close`.
    """

    def __init__(self, database: Database, *, actor: str, clock: Callable[[], datetime]) -> None:
        """Work on an open database; `open` is the usual way."""
        self.database = database
        self._actor = storable_text(actor)
        self._clock = clock

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> Registry:
        """Open the registry at a path or a URL; create it where there is none.

        Args:
            where: `tools.db`, `sqlite:///tools.db` or `postgresql://user@host/database`. Missing
                folders are made; a database on a server has to be there.
            actor: Who is named in the audit trail; the user's login name unless given.
            clock: Gives the time, with its zone.

        Raises:
            RegistryError: the message names the place and says what to do.
        """
        return cls(Database.at(where), actor=actor or _login_name(), clock=clock)

    def now(self) -> datetime:
        """Return the time on the registry's clock."""
        return self._clock()

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

        Raises:
            InvalidSpecError: no toolbox could offer or check it.
            NotJsonError: provenance, evidence or report is not JSON.
        """
        check_spec(spec)
        with self.database.write() as connection:
            known = _find_version(connection, schema.versions.c.digest == spec.digest)
            if known is not None:
                return Registration(known, created=False)
            version = ToolVersion(
                spec=spec,
                number=_next_number(connection, spec.name),
                tier=Tier.SANDBOX,
                state=State.ACTIVE,
                registered_at=self._clock(),
                provenance=provenance or {},
                evidence=with_report(connection, evidence, report),
            )
            connection.execute(insert(schema.versions).values(rows.version_values(version)))
            before = _point(connection, spec.name, version.digest)
            after: JsonObject = {
                "active": version.digest,
                "name": spec.name,
                "number": version.number,
                "registered_at": rows.time_text(version.registered_at),
                **_standing(version),
                "provenance": digest(version.provenance),
                "evidence": digest(version.evidence),
            }
            self._log(connection, "register", version.digest, {"active": before}, after, why)
        return Registration(version, created=True)

    def tools(self, tier: Tier | None = None, state: State | None = None) -> list[ToolVersion]:
        """Return the version that each tool's name points at, by name, filtered where asked."""
        query = _pointed_at().order_by(schema.versions.c.name)
        if tier is not None:
            query = query.where(schema.versions.c.tier == tier.value)
        if state is not None:
            query = query.where(schema.versions.c.state == state.value)
        with self.database.read() as connection:
            return [rows.version_of(row) for row in connection.execute(query)]

    def tool(self, ref: str) -> ToolVersion:
        """Return the version that a reference names: `name`, `name@3` or `name@sha256:ab12`.

        Raises:
            UnknownToolError: there is no such tool or version; similar names are suggested.
            AmbiguousRefError: the digest prefix fits several versions.
        """
        with self.database.read() as connection:
            return _resolve(connection, ref)

    def versions(self, name: str) -> list[ToolVersion]:
        """Return every version of a tool, the oldest first.

        Raises:
            UnknownToolError: there is no such tool; similar names are suggested.
        """
        table = schema.versions
        query = select(table).where(table.c.name == name).order_by(table.c.number)
        with self.database.read() as connection:
            found = [rows.version_of(row) for row in connection.execute(query)]
            if not found:
                raise UnknownToolError(_unknown(connection, name))
        return found

    def set_tier(self, ref: str, tier: Tier, *, why: str) -> ToolVersion:
        """Move one version to a tier. Whether it has earned that is the caller's to decide.

        Raises:
            UnknownToolError: there is no such version.
        """
        return self._change(ref, "set_tier", lambda version: replace(version, tier=tier), why)

    def set_state(self, ref: str, state: State, *, why: str) -> ToolVersion:
        """Move one version to a state.

        Raises:
            UnknownToolError: there is no such version.
            RegistryError: the state is `REJECTED`, which is for drafts.
        """
        if state is State.REJECTED:
            msg = f"{ref}: a registered version cannot become a rejected draft; retire it"
            raise RegistryError(msg)
        return self._change(ref, "set_state", lambda version: replace(version, state=state), why)

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
            version = _find_version(connection, schema.versions.c.digest == key)
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
                rejected_at=self._clock(),
            )
            connection.execute(insert(schema.rejections).values(rows.draft_values(draft)))
            after: JsonObject = {
                "name": spec.name,
                "state": State.REJECTED,
                "reasons": list(draft.reasons),
                "rejected_at": rows.time_text(draft.rejected_at),
                "evidence": digest(draft.evidence),
            }
            self._log(connection, "reject", key, None, after, "; ".join(draft.reasons))
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

    def record(self, use: Use) -> None:
        """Add one use to the record of its version.

        Raises:
            UnknownToolError: no version has that digest.
        """
        with self.database.write() as connection:
            if connection.scalar(_IS_VERSION, {"version": use.version}) is None:
                msg = f"no version has the digest {use.version}; register the tool first"
                raise UnknownToolError(msg)
            use_chain.append(connection, rows.use_values(use))

    def uses(self, version: str) -> list[Use]:
        """Return the uses of the version with this digest, in the order of recording."""
        query = select(schema.uses).where(schema.uses.c.version == version)
        with self.database.read() as connection:
            found = connection.execute(query.order_by(schema.uses.c.id))
            return [rows.use_of(row) for row in found]

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

    def _change(
        self, ref: str, action: str, change: Callable[[ToolVersion], ToolVersion], why: str
    ) -> ToolVersion:
        with self.database.write() as connection:
            before = _resolve(connection, ref)
            after = change(before)
            if after != before:
                row = schema.versions.c.digest == before.digest
                connection.execute(update(schema.versions).where(row).values(_standing(after)))
                told = _standing(before), _standing(after)
                self._log(connection, action, before.digest, *told, why)
        return after

    def _log(
        self,
        connection: Connection,
        action: str,
        subject: str,
        before: JsonObject | None,
        after: JsonObject,
        why: str,
    ) -> None:
        chain.append(
            connection,
            at=rows.time_text(self._clock()),
            actor=self._actor,
            action=action,
            subject=subject,
            body={"before": before, "after": after, "why": storable_text(why)},
        )


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have neither a name nor $USER
        return "unknown"


def _standing(version: ToolVersion) -> JsonObject:
    """Return the columns of a version that may change."""
    return {"tier": version.tier.value, "state": version.state.value}


def _pointed_at() -> Select[Any]:
    return select(schema.versions).join(
        schema.tools, schema.tools.c.active == schema.versions.c.digest
    )


def _resolve(connection: Connection, text: str) -> ToolVersion:
    ref = parse_ref(text)
    table = schema.versions
    query = select(table).where(table.c.name == ref.name)
    if ref.number is not None:
        query = query.where(table.c.number == ref.number)
    elif ref.digest_prefix is not None:
        query = query.where(table.c.digest.startswith(ref.digest_prefix, autoescape=True))
    else:
        query = _pointed_at().where(schema.tools.c.name == ref.name)
    found = connection.execute(query.limit(2)).all()
    if not found:
        raise UnknownToolError(_unknown(connection, ref.name, text))
    if len(found) > 1:
        msg = f"{text} fits more than one version; write more digits of the digest"
        raise AmbiguousRefError(msg)
    return rows.version_of(found[0])


def _unknown(connection: Connection, name: str, ref: str | None = None) -> str:
    """Say that there is no such tool or version, and what there is instead."""
    names = connection.scalars(select(schema.tools.c.name).order_by(schema.tools.c.name)).all()
    if name in names:
        count = _next_number(connection, name) - 1
        return f"no version {ref}; {name} has the versions 1 to {count}"
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"{len(names)} tools are registered"
    return f"no tool named {name[:100]!r}; {hint}"


def _find_version(connection: Connection, which: ColumnElement[bool]) -> ToolVersion | None:
    row = connection.execute(select(schema.versions).where(which)).one_or_none()
    return None if row is None else rows.version_of(row)


def _next_number(connection: Connection, name: str) -> int:
    highest = select(func.max(schema.versions.c.number)).where(schema.versions.c.name == name)
    return (connection.scalar(highest) or 0) + 1


def _point(connection: Connection, name: str, digest: str) -> str | None:
    """Let a name mean this version; return the digest that it meant before."""
    row = schema.tools.c.name == name
    before = connection.scalar(select(schema.tools.c.active).where(row))
    if before is None:
        connection.execute(insert(schema.tools).values(name=name, active=digest))
    else:
        connection.execute(update(schema.tools).where(row).values(active=digest))
    return before
