"""Adding a use to the record of its version, and taking trust back where the record asks for it.

Both happen in one transaction, so that no process calls a tool at a tier which it has lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select

from toolguild.policies import Tier, Trust
from toolguild.policies.demotion import tier_kept
from toolguild.registry import parts, rows, schema, usage, use_chain
from toolguild.registry.errors import UnknownToolError
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import find_version, pointed_at_by
from toolguild.registry.model import State, ToolVersion, Use
from toolguild.sandbox import JsonObject

__all__ = ["add_use", "callers_fall", "fall"]

_WINDOW = 1000
"""Latest uses that a decline is looked for in; what is longer ago no longer counts against a tool
that has done well since."""


def add_use(connection: Connection, journal: Journal, use: Use, trust: Trust) -> None:
    """Add a use; demote or quarantine the version where its uses speak against its tier.

    Raises:
        UnknownToolError: no version has that digest.
    """
    stands = _where_it_stands(connection, use.version)
    if stands.tier is not Tier.SANDBOX and not stands.image and use.ran and use.image:
        stands = _settle(connection, journal, use)
    counts = _counts(connection, stands, use)
    use_chain.append(connection, {**rows.use_values(use), "counts": counts})
    if counts and not usage.is_success(use):
        _judge(connection, journal, _version(connection, use.version), use.image, trust)


def fall(
    connection: Connection,
    journal: Journal,
    version: ToolVersion,
    tier: Tier | None,
    why: str,
    *,
    anew: bool = False,
    **more: JsonObject,
) -> ToolVersion:
    """Demote a version, with whatever calls it.

    Args:
        connection: The transaction.
        journal: Tells of it.
        version: What falls.
        tier: Where to; None for quarantine.
        why: A sentence.
        anew: Whether nothing that is known of it holds any longer. Otherwise its failures go on to
            speak against it at the lower tier.
        more: What it was decided on.
    """
    fallen = replace(
        version,
        tier=tier or Tier.SANDBOX,
        image="" if tier in (None, Tier.SANDBOX) else version.image,
        state=State.QUARANTINED if tier is None else version.state,
        since_use=usage.last_use(connection) if anew else version.since_use,
    )
    action = "new_record" if tier is version.tier else "demote"
    if tier is None:
        action = "quarantine"
    journal.change(connection, action, version, fallen, why, **more)
    callers_fall(connection, journal, fallen)
    return fallen


def callers_fall(connection: Connection, journal: Journal, fallen: ToolVersion) -> None:
    """Demote what calls a tool to the tier that this has come down to, if its name means it."""
    if pointed_at_by(connection, fallen.spec.name) != fallen.digest:
        return
    for caller in parts.callers_of(connection, fallen.spec.name):
        if caller.tier > fallen.tier:
            told = f"it calls {fallen.spec.name}, which is at {fallen.tier.value} now"
            fall(connection, journal, caller, fallen.tier, told)


class _Standing(NamedTuple):
    """Of a version, what a use is held against; the whole of it takes long to read."""

    digest: str
    tier: Tier
    since_use: int
    image: str


_STANDING: Final = select(
    schema.versions.c.tier, schema.versions.c.since_use, schema.versions.c.image
).where(schema.versions.c.digest == bindparam("version"))


def _where_it_stands(connection: Connection, digest: str) -> _Standing:
    row = connection.execute(_STANDING, {"version": digest}).one_or_none()
    if row is None:
        msg = f"no version has the digest {digest}; register the tool first"
        raise UnknownToolError(msg)
    return _Standing(digest, Tier(row.tier), row.since_use, row.image)


def _settle(connection: Connection, journal: Journal, use: Use) -> _Standing:
    """Bind a tier that was given without a record to the image of the first use at it."""
    version = _version(connection, use.version)
    here = replace(version, image=use.image)
    journal.change(connection, "new_record", version, here, "first use at its tier")
    return _Standing(here.digest, here.tier, here.since_use, here.image)


def _version(connection: Connection, digest: str) -> ToolVersion:
    version = find_version(connection, schema.versions.c.digest == digest)
    assert version is not None  # noqa: S101 - it was there in this transaction
    return version


def _counts(connection: Connection, stands: _Standing, use: Use) -> bool:
    """Say whether a use is independent evidence for or against a version where it stands."""
    # In `sandbox` each image has a record; what was earned above it was earned in one.
    in_its_image = stands.tier is Tier.SANDBOX or use.image == stands.image
    at_its_tier = use.tier is stands.tier and in_its_image
    if not (use.live and at_its_tier and usage.is_evidence(use)):
        return False
    return not usage.is_known(connection, stands.since_use, use)


def _judge(
    connection: Connection, journal: Journal, version: ToolVersion, image: str, trust: Trust
) -> None:
    uses = usage.outcomes(connection, version, image, _WINDOW)
    kept = tier_kept(version.tier, uses, trust)
    if kept is version.tier or (kept is None and version.state is not State.ACTIVE):
        return
    failures = uses.count(False)
    asked = trust.asked(version.tier).keep
    why = f"{failures} of its last {len(uses)} distinct uses failed; its tier asks for {asked:.0%}"
    fall(connection, journal, version, kept, why, record={"uses": len(uses), "failures": failures})
