"""Adding a use to the record of its version, and taking trust back where the record asks for it.

Both happen in one transaction, so that no process calls a tool at a tier which it has lost.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from toolguild.policies import Tier, Trust
from toolguild.policies.demotion import tier_kept
from toolguild.registry import parts, rows, schema, usage, use_chain
from toolguild.registry.errors import UnknownToolError
from toolguild.registry.journal import Journal
from toolguild.registry.lookup import find_version
from toolguild.registry.model import State, ToolVersion, Use
from toolguild.sandbox import JsonObject

__all__ = ["add_use", "fall"]

_WINDOW = 1000
"""Latest uses that a decline is looked for in; what is longer ago no longer counts against a tool
that has done well since."""


def add_use(connection: Connection, journal: Journal, use: Use, trust: Trust) -> None:
    """Add a use; demote or quarantine the version where its uses speak against its tier.

    Raises:
        UnknownToolError: no version has that digest.
    """
    version = find_version(connection, schema.versions.c.digest == use.version)
    if version is None:
        msg = f"no version has the digest {use.version}; register the tool first"
        raise UnknownToolError(msg)
    version = _in_image(connection, journal, version, use)
    counts = _counts(connection, version, use)
    use_chain.append(connection, {**rows.use_values(use), "counts": counts})
    if counts and not usage.is_success(use):
        _judge(connection, journal, version, trust)


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
        state=State.QUARANTINED if tier is None else version.state,
        since_use=usage.last_use(connection) if anew else version.since_use,
    )
    action = "new_record" if tier is version.tier else "demote"
    if tier is None:
        action = "quarantine"
    journal.change(connection, action, version, fallen, why, **more)
    for caller in parts.callers_of(connection, version.spec.name):
        if caller.tier > fallen.tier:
            told = f"it calls {version.spec.name}, which is at {fallen.tier.value} now"
            fall(connection, journal, caller, fallen.tier, told)
    return fallen


def _in_image(
    connection: Connection, journal: Journal, version: ToolVersion, use: Use
) -> ToolVersion:
    """Return the version as it stands in the use's image: nothing is known of it in a new one."""
    if use.image == version.image or not use.image or not use.ran:
        return version
    if version.image and version.tier is not Tier.SANDBOX:
        return version
    here = replace(version, image=use.image, since_use=usage.last_use(connection))
    if version.image:
        why = "its image is another one, in which it has no record"
        journal.change(connection, "new_record", version, here, why)
    else:
        journal.change(connection, "new_record", version, here, "first use")
    return here


def _counts(connection: Connection, version: ToolVersion, use: Use) -> bool:
    """Say whether a use is independent evidence for or against the version where it stands."""
    at_its_tier = use.tier is version.tier and use.image in ("", version.image)
    if not (use.live and at_its_tier and usage.is_evidence(use)):
        return False
    return not usage.is_known(connection, version, use)


def _judge(connection: Connection, journal: Journal, version: ToolVersion, trust: Trust) -> None:
    uses = usage.outcomes(connection, version, _WINDOW)
    kept = tier_kept(version.tier, uses, trust)
    if kept is version.tier or (kept is None and version.state is not State.ACTIVE):
        return
    failures = uses.count(False)
    asked = trust.asked(version.tier).keep
    why = f"{failures} of its last {len(uses)} distinct uses failed; its tier asks for {asked:.0%}"
    fall(connection, journal, version, kept, why, record={"uses": len(uses), "failures": failures})
