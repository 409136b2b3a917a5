"""Between database rows and the model. What a row holds is checked before it is believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Row, Select, func, select

from toolguild.policies import Capability, Tier
from toolguild.registry import schema
from toolguild.registry.canonical import canonical_json, decode_json, storable_text, text_digest
from toolguild.registry.errors import TamperedError
from toolguild.registry.model import (
    CallStatus,
    RejectedDraft,
    State,
    ToolSpec,
    ToolVersion,
    Use,
)
from toolguild.sandbox import JsonObject

__all__ = [
    "VERSIONS",
    "draft_of",
    "draft_values",
    "spec_of",
    "spec_of_text",
    "time_text",
    "use_of",
    "use_values",
    "version_of",
    "version_values",
]

# SQLAlchemy types the columns of a whole-table select as Any.
_AnyRow = Row[Any]
_T = TypeVar("_T")

_newest_evidence = (
    select(schema.validations.c.evidence)
    .where(schema.validations.c.version == schema.versions.c.digest)
    .order_by(schema.validations.c.id.desc())
    .limit(1)
    .correlate(schema.versions)
    .scalar_subquery()
)
VERSIONS: Final[Select[Any]] = select(
    *(column for column in schema.versions.c if column.name != "evidence"),
    func.coalesce(_newest_evidence, schema.versions.c.evidence).label("evidence"),
)
"""Selects the rows of versions, each with the newest evidence in the place of its first."""


class _StoredSpec(BaseModel):
    """The JSON of the `spec` columns; the fields of `ToolSpec`."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str
    source: str
    parameters: dict[str, JsonValue]
    returns: dict[str, JsonValue]
    calls: tuple[str, ...]
    needs: frozenset[Capability]


def version_values(version: ToolVersion) -> dict[str, object]:
    """Return the row of a version."""
    return {
        "digest": version.digest,
        "name": version.spec.name,
        "number": version.number,
        "spec": canonical_json(version.spec.content()),
        "provenance": canonical_json(version.provenance),
        "evidence": canonical_json(version.evidence),
        "registered_at": time_text(version.registered_at),
        "tier": version.tier.value,
        "state": version.state.value,
        "since_use": version.since_use,
        "image": version.image,
    }


def version_of(row: _AnyRow) -> ToolVersion:
    """Return the version of a row.

    Raises:
        TamperedError: the source or another part of the specification does not match its digest.
    """
    return _believed(
        row.digest,
        lambda: ToolVersion(
            spec=spec_of_text(row.spec, row.digest),
            number=row.number,
            tier=Tier(row.tier),
            state=State(row.state),
            registered_at=datetime.fromisoformat(row.registered_at),
            provenance=_object(row.provenance),
            evidence=_object(row.evidence),
            since_use=row.since_use,
            image=row.image,
        ),
    )


def spec_of(row: _AnyRow) -> ToolSpec:
    """Return the specification in a row that has `spec` and `digest`.

    Raises:
        TamperedError: it does not match its digest.
    """
    return _believed(row.digest, lambda: spec_of_text(row.spec, row.digest))


def draft_values(draft: RejectedDraft) -> dict[str, object]:
    """Return the row of a rejected draft."""
    return {
        "digest": draft.spec.digest,
        "spec": canonical_json(draft.spec.content()),
        "reasons": canonical_json(draft.reasons),
        "evidence": canonical_json(draft.evidence),
        "rejected_at": time_text(draft.rejected_at),
    }


def draft_of(row: _AnyRow) -> RejectedDraft:
    """Return the rejected draft of a row.

    Raises:
        TamperedError: the specification does not match its digest.
    """
    return _believed(
        row.digest,
        lambda: RejectedDraft(
            spec=spec_of_text(row.spec, row.digest),
            reasons=_texts(row.reasons),
            evidence=_object(row.evidence),
            rejected_at=datetime.fromisoformat(row.rejected_at),
        ),
    )


def use_values(use: Use) -> dict[str, object]:
    """Return the row of a use; texts that come from tools and traces are made storable."""
    return {
        "version": use.version,
        "input_digest": use.input_digest,
        "status": use.status.value,
        "ran": use.ran,
        "duration_s": float(use.duration_s) + 0.0,  # SQLite gives -0.0 back as 0.0
        "at": time_text(use.at),
        "task": None if use.task is None else storable_text(use.task),
        "trace": None if use.trace is None else storable_text(use.trace),
        "error": storable_text(use.error),
        "effects": canonical_json(sorted(use.effects)),
        "caller": use.caller,
        "undeclared": canonical_json(sorted(use.undeclared)),
        "tier": None if use.tier is None else use.tier.value,
        "image": storable_text(use.image),
        "model": None if use.model is None else storable_text(use.model),
        "live": use.live,
    }


def use_of(row: _AnyRow) -> Use:
    """Return the use of a row.

    Raises:
        TamperedError: the row holds what no toolguild writes.
    """
    return _believed(
        row.version,
        lambda: Use(
            version=row.version,
            input_digest=row.input_digest,
            status=CallStatus(row.status),
            duration_s=row.duration_s,
            at=datetime.fromisoformat(row.at),
            ran=row.ran,
            task=row.task,
            trace=row.trace,
            error=row.error,
            effects=_capabilities(row.effects),
            caller=row.caller,
            undeclared=_capabilities(row.undeclared),
            tier=None if row.tier is None else Tier(row.tier),
            image=row.image,
            model=row.model,
            live=row.live,
        ),
    )


def time_text(time: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC with microseconds."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _believed(digest: str, decode: Callable[[], _T]) -> _T:
    try:
        return decode()
    # The errors of pydantic and of the enums and NotJsonError are ValueErrors; the others are of
    # columns that hold no text.
    except (ValueError, TypeError, AttributeError) as error:
        msg = (
            f"the row of {digest} is not what was written ({error}); run `toolguild audit verify` "
            "and restore the registry from a backup"
        )
        raise TamperedError(msg) from error


def spec_of_text(text: str, digest: str) -> ToolSpec:
    """Return the specification of a canonical JSON text.

    Raises:
        ValueError: it is none, or has another digest.
    """
    if text_digest(text) != digest:
        msg = "the specification does not match its digest"
        raise ValueError(msg)
    stored = _StoredSpec.model_validate(decode_json(text))
    return ToolSpec(**{name: getattr(stored, name) for name in _StoredSpec.model_fields})


def _object(text: str) -> JsonObject:
    value = decode_json(text)
    if not isinstance(value, dict):
        msg = "not a JSON object"
        raise ValueError(msg)
    return value


def _capabilities(text: str) -> frozenset[Capability]:
    return frozenset(Capability(name) for name in _texts(text))


def _texts(text: str) -> tuple[str, ...]:
    value = decode_json(text)
    if not isinstance(value, list):
        msg = "not a JSON array"
        raise ValueError(msg)
    return tuple(str(item) for item in value)
