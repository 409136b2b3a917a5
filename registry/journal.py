"""Changes of what stands in the registry: each is made and told of in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, update

from toolguild.registry import chain, rows, schema
from toolguild.registry.canonical import storable_text
from toolguild.registry.model import ToolVersion
from toolguild.registry.retrieval.documents import refresh
from toolguild.sandbox import JsonObject

__all__ = ["Journal", "standing_of"]


@dataclass(frozen=True, slots=True)
class Journal:
    """Writes to the audit trail who did what, and when."""

    actor: str
    clock: Callable[[], datetime]

    def tell(
        self,
        connection: Connection,
        action: str,
        subject: str,
        before: JsonObject | None,
        after: JsonObject,
        why: str,
        **more: JsonObject,
    ) -> None:
        """Add a row to the trail.

        Args:
            connection: The transaction that makes the change itself.
            action: What was done.
            subject: What was changed, see `chain.AuditRow`.
            before: What was changed, as it was.
            after: The same as it is now.
            why: A sentence.
            more: What it was decided on.
        """
        chain.append(
            connection,
            at=rows.time_text(self.clock()),
            actor=self.actor,
            action=action,
            subject=subject,
            body={"before": before, "after": after, "why": storable_text(why), **more},
        )

    def change(
        self,
        connection: Connection,
        action: str,
        before: ToolVersion,
        after: ToolVersion,
        why: str,
        **more: JsonObject,
    ) -> None:
        """Write the standing that a version has from now on, if it is another one."""
        if after == before:
            return
        row = schema.versions.c.digest == before.digest
        connection.execute(update(schema.versions).where(row).values(standing_of(after)))
        refresh(connection, before.spec.name)
        told = _told(before, after), _told(after, before)
        self.tell(connection, action, before.digest, *told, why, **more)


def standing_of(version: ToolVersion) -> JsonObject:
    """Return the columns of a version that may change."""
    return {
        "tier": version.tier.value,
        "state": version.state.value,
        "since_use": version.since_use,
        "image": version.image,
    }


def _told(version: ToolVersion, other: ToolVersion) -> JsonObject:
    """Return tier and state, and what else is different."""
    standing, before = standing_of(version), standing_of(other)
    return {
        name: value
        for name, value in standing.items()
        if name in ("tier", "state") or value != before[name]
    }
