"""Opening again what was settled: a version of which the recordings no longer hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, select

from toolguild.policies import Tier
from toolguild.policies.drift import Change, FieldChange
from toolguild.registry import recording, schema
from toolguild.registry.canonical import storable_text
from toolguild.registry.errors import TamperedError
from toolguild.registry.journal import Journal
from toolguild.registry.model import State, ToolVersion
from toolguild.sandbox import Json, JsonObject

__all__ = ["open_drift", "reopen"]

_REOPEN = "reopen"
_VALIDATE = "validate"
"""The action that shows a version to hold on what is recorded today."""


def reopen(
    connection: Connection,
    journal: Journal,
    version: ToolVersion,
    changes: Sequence[FieldChange],
    why: str,
    *,
    quarantine: bool,
) -> bool:
    """Let a version begin anew in `sandbox`, or put it in quarantine, with whatever calls it.

    Args:
        connection: The transaction.
        journal: Tells of it.
        version: What depends on the fields.
        changes: How results of tools that it calls are different.
        why: A sentence.
        quarantine: Whether it cannot work any more.

    Returns:
        Whether it was done; it is not where the version is open already for all of this.
    """
    known = {_name(change) for change in open_drift(connection, version)}
    new = [change for change in map(_storable, changes) if _name(change) not in known]
    if not new:
        return False
    tier = None if quarantine and version.state is State.ACTIVE else Tier.SANDBOX
    told: Json = [asdict(change) for change in new]
    drift: JsonObject = {"changes": told}
    fallen = recording.fall(connection, journal, version, tier, why, anew=True)
    # A row of its own, for it may be where everything starts, without any use.
    here: JsonObject = {"tier": fallen.tier.value, "state": fallen.state.value}
    journal.tell(connection, _REOPEN, version.digest, here, here, why, drift=drift)
    return True


def open_drift(connection: Connection, version: ToolVersion) -> list[FieldChange]:
    """Return the changes that a version was re-opened for and not validated since.

    Raises:
        TamperedError: the audit trail does not say it as it was written.
    """
    table = schema.audit
    query = (
        select(table.c.action, table.c.body)
        .where(table.c.subject == version.digest, table.c.action.in_((_REOPEN, _VALIDATE)))
        .order_by(table.c.seq)
    )
    found: list[FieldChange] = []
    for action, body in connection.execute(query):
        found = [] if action == _VALIDATE else [*found, *_changes_in(body)]
    return found


def _storable(change: FieldChange) -> FieldChange:
    tool, field, to = map(storable_text, (change.tool, change.field, change.to))
    return replace(change, tool=tool, field=field, to=to)


def _name(change: FieldChange) -> tuple[str, str, Change, str]:
    return change.tool, change.field, change.change, change.to


class _Drift(BaseModel):
    changes: list[FieldChange]


class _Body(BaseModel):
    """What is read here of the body of a row."""

    drift: _Drift


def _changes_in(body: str) -> list[FieldChange]:
    try:
        return _Body.model_validate_json(body).drift.changes
    except ValidationError as error:
        msg = "what the audit trail tells of a drift cannot be read; see `toolguild audit verify`"
        raise TamperedError(msg) from error
