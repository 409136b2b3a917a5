"""Between the tables of changes and scored runs and what they mean; checked before believed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from sqlalchemy import Connection, Row, Table, func, insert, select

from toolguild.registry import rows, schema
from toolguild.registry.canonical import canonical_json, decode_json, digest, storable_text
from toolguild.registry.errors import NotJsonError, TamperedError
from toolguild.registry.improvement.model import (
    Artefact,
    ArtefactKind,
    Change,
    ChangeKind,
    NewChange,
    ScoredRun,
)
from toolguild.sandbox import JsonObject

__all__ = [
    "change_digests",
    "insert_change",
    "insert_run",
    "is_scored",
    "last_number",
    "read_changes",
    "read_runs",
    "run_digests",
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _StoredArtefact(_Body):
    kind: ArtefactKind
    content: dict[str, JsonValue]


class _StoredChange(_Body):
    """The JSON of the column `body` of a change; the fields of `NewChange` and `Change`."""

    kind: ChangeKind
    why: str
    adds: tuple[_StoredArtefact, ...]
    removes: tuple[str, ...]
    brings: tuple[str, ...]
    retires: tuple[str, ...]
    runs: tuple[int, ...]
    cycle: str
    evidence: dict[str, JsonValue]
    causes: tuple[int, ...]
    undoes: tuple[int, ...]
    decides: int | None
    accepted: bool


class _StoredRun(_Body):
    """The JSON of the column `body` of a scored run; the fields of `ScoredRun`."""

    task: str
    score: float = Field(ge=0, le=1)
    why: str
    error: str
    steps: tuple[str, ...]
    result: str
    shown: tuple[str, ...]
    tools: tuple[str, ...]
    calls: int = Field(ge=0)
    tokens: int = Field(ge=0)


def last_number(connection: Connection, table: Table) -> int:
    """Return the highest number in a table; 0 where it is empty."""
    return connection.scalar(select(func.max(table.c.id))) or 0


def insert_change(connection: Connection, change: Change) -> str:
    """Write a change; return the digest of its row."""
    new = change.new
    body: JsonObject = {
        "kind": new.kind.value,
        "why": storable_text(new.why),
        "adds": [{"kind": one.kind.value, "content": one.content} for one in new.adds],
        "removes": [*new.removes],
        "brings": [*new.brings],
        "retires": [*new.retires],
        "runs": [*new.runs],
        "cycle": new.cycle,
        "evidence": new.evidence,
        "causes": [*change.causes],
        "undoes": [*change.undoes],
        "decides": change.decides,
        "accepted": change.accepted,
    }
    values = {"agent": storable_text(new.agent)}
    return _insert(connection, schema.changes, change.number, change.at, values, body)


def insert_run(connection: Connection, run: ScoredRun) -> str:
    """Write a scored run; return the digest of its row."""
    body: JsonObject = {
        "task": storable_text(run.task),
        "score": float(run.score),
        "why": storable_text(run.why),
        "error": storable_text(run.error),
        "steps": [storable_text(step) for step in run.steps],
        "result": storable_text(run.result),
        "shown": [*run.shown],
        "tools": [*run.tools],
        "calls": run.calls,
        "tokens": run.tokens,
    }
    values = {"agent": storable_text(run.agent), "run": storable_text(run.run)}
    return _insert(connection, schema.scored_runs, run.number, run.at, values, body)


def read_changes(connection: Connection, agent: str | None = None) -> list[Change]:
    """Return the changes of an agent, or of all, the oldest first.

    Raises:
        TamperedError: a row is not what was written.
    """
    query = select(schema.changes).order_by(schema.changes.c.id)
    if agent is not None:
        query = query.where(schema.changes.c.agent == agent)
    return [_change_of(row) for row in connection.execute(query)]


def read_runs(
    connection: Connection,
    agent: str,
    after: int = 0,
    *,
    since: datetime | None = None,
    numbers: Collection[int] | None = None,
    latest: int | None = None,
) -> list[ScoredRun]:
    """Return the scored runs of an agent, the oldest first.

    Args:
        connection: A transaction.
        agent: Whose they are.
        after: Only those beyond this number,
        since: and scored after this time,
        numbers: and with one of these numbers,
        latest: and of those the last ones, so many at most.

    Raises:
        TamperedError: a row is not what was written.
    """
    table = schema.scored_runs
    query = select(table).where(table.c.agent == agent, table.c.id > after).order_by(table.c.id)
    if since is not None:
        query = query.where(table.c.at > rows.time_text(since))
    if numbers is not None:
        query = query.where(table.c.id.in_(numbers))
    if latest is not None:
        query = query.order_by(None).order_by(table.c.id.desc()).limit(latest)
    found = connection.execute(query).all()
    return [_run_of(row) for row in (found if latest is None else reversed(found))]


def is_scored(connection: Connection, agent: str, run: str) -> bool:
    """Say whether a run of an agent is scored already."""
    table = schema.scored_runs
    query = select(table.c.id).where(table.c.agent == agent, table.c.run == storable_text(run))
    return connection.execute(query).first() is not None


def change_digests(connection: Connection) -> dict[str, str]:
    """Return digests over all columns of every change, by their numbers."""
    return _digests(connection, schema.changes)


def run_digests(connection: Connection) -> dict[str, str]:
    """Return digests over all columns of every scored run, by their numbers."""
    return _digests(connection, schema.scored_runs)


def _insert(
    connection: Connection,
    table: Table,
    number: int,
    at: datetime,
    names: Mapping[str, str],
    body: JsonObject,
) -> str:
    values = {"id": number, "at": rows.time_text(at), **names, "body": canonical_json(body)}
    connection.execute(insert(table).values(values))
    return digest(values)


def _digests(connection: Connection, table: Table) -> dict[str, str]:
    return {str(row.id): digest(dict(row._mapping)) for row in connection.execute(select(table))}


def _change_of(row: Row[Any]) -> Change:
    try:
        stored = _StoredChange.model_validate(decode_json(row.body))
        new = NewChange(
            agent=row.agent,
            kind=stored.kind,
            why=stored.why,
            adds=tuple(Artefact(one.kind, one.content) for one in stored.adds),
            removes=stored.removes,
            brings=stored.brings,
            retires=stored.retires,
            runs=stored.runs,
            cycle=stored.cycle,
            evidence=stored.evidence,
        )
        at = datetime.fromisoformat(row.at)
    except (ValidationError, NotJsonError, ValueError, TypeError) as error:
        raise _damaged(schema.changes, row.id, error) from error
    return Change(
        number=row.id,
        at=at,
        new=new,
        causes=stored.causes,
        undoes=stored.undoes,
        decides=stored.decides,
        accepted=stored.accepted,
    )


def _run_of(row: Row[Any]) -> ScoredRun:
    try:
        stored = _StoredRun.model_validate(decode_json(row.body))
        at = datetime.fromisoformat(row.at)
    except (ValidationError, NotJsonError, ValueError, TypeError) as error:
        raise _damaged(schema.scored_runs, row.id, error) from error
    return ScoredRun(agent=row.agent, run=row.run, at=at, number=row.id, **stored.model_dump())


def _damaged(table: Table, number: object, error: Exception) -> TamperedError:
    return TamperedError(
        f"row {number} of {table.name} is not what was written ({error}); run `toolguild audit "
        "verify` and restore the registry from a backup"
    )
