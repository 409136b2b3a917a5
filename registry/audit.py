"""Reading the audit trail, and proving that it and the registry still say the same.

The chains of the trail and of the uses show a row that was changed, removed or moved, and their
heads that rows were cut off. What the trail tells is replayed and compared with the tables, which
shows changes that no row tells of. Someone who rewrites the tables, both chains and their heads is
caught only by heads that were anchored elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from toolguild.registry import heads, schema, use_chain, vector_batches
from toolguild.registry.anchors import AnchoredHead
from toolguild.registry.canonical import canonical_json, decode_json, text_digest
from toolguild.registry.chain import (
    GENESIS,
    AuditHead,
    AuditRow,
    last_rows,
    read_head,
    read_rows,
)
from toolguild.registry.errors import NotJsonError, TamperedError
from toolguild.registry.heads import Chain, Head
from toolguild.registry.kept_heads import KeptHeads
from toolguild.registry.model import State
from toolguild.registry.retrieval import documents
from toolguild.registry.rows import draft_of, version_of
from toolguild.registry.store import Registry
from toolguild.registry.told_rows import ToldRows
from toolguild.sandbox import Json, JsonObject

__all__ = ["AuditHead", "AuditReport", "AuditRow", "head", "refs", "tail", "verify"]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What `verify` found."""

    rows: int
    """Rows that hold, counted from the first."""
    head: str
    """Hash of the last row that holds."""
    seq: int | None = None
    """Number of the first row that does not hold; None where the tables are at fault."""
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problem


def tail(registry: Registry, count: int = 10) -> list[AuditRow]:
    """Return the last rows of the trail, oldest first."""
    with registry.database.read() as connection:
        return last_rows(connection, count)


def refs(registry: Registry, digests: Iterable[str]) -> dict[str, str]:
    """Return `name@number` of versions, by their digests; of other digests nothing."""
    table = schema.versions
    about = table.c.digest.in_({*digests})
    with registry.database.read() as connection:
        found = connection.execute(
            select(table.c.digest, table.c.name, table.c.number).where(about)
        )
        return {digest: f"{name}@{number}" for digest, name, number in found}


def head(registry: Registry) -> AuditHead:
    """Return the ends of the chains; `anchors.take_anchor` gives them as they can be kept."""
    with registry.database.read() as connection:
        return read_head(connection)


def verify(registry: Registry, anchors: Sequence[AnchoredHead] = ()) -> AuditReport:
    """Walk the chains, replay the trail, and compare the result with the tables.

    Args:
        registry: What to look at.
        anchors: Heads from earlier, which the chains must still go through.

    Raises:
        RegistryFileError: the database cannot be read.
    """
    replay = _Replay()
    rows = KeptHeads("row", ((Head(one.seq, one.hash), one.at) for one in anchors))
    uses = KeptHeads("use", ((one.uses, one.at) for one in anchors if one.uses))
    with registry.database.read() as connection:
        report = _walk(connection, rows, replay)
        if not report.ok:
            return report
        try:
            if heads.read(connection, Chain.AUDIT) != Head(report.rows, report.head):
                seq = report.rows + 1
                return replace(report, seq=seq, problem=f"row {seq} is missing")
            problem = (
                next(replay.differences(connection), "")
                or use_chain.first_problem(connection, replay.named_uses, uses)
                or next(registry.database.damage(connection), "")
            )
        except (TamperedError, NotJsonError) as error:
            problem = str(error)
        except KeyError as error:
            # A table has lost a column that rows are read by.
            told = f"there is no column {error}"
            problem = next(registry.database.damage(connection), told)
    return replace(report, problem=problem)


def _walk(connection: Connection, kept: KeptHeads, replay: _Replay) -> AuditReport:
    """Walk the trail, and replay it; report the first row that does not hold, if any."""
    last = Head(0, GENESIS)
    rewritten = kept.problem_at(last)
    with closing(read_rows(connection)) as trail:
        for row in trail:
            if rewritten:
                break
            problem = _broken_link(row, last) or replay.apply(row)
            if problem:
                return AuditReport(last.seq, last.hash, last.seq + 1, problem)
            last = Head(row.seq, row.hash)
            rewritten = kept.problem_at(last)
    if rewritten:
        # What lies between the last head that agrees and this one may be rewritten as well.
        return AuditReport(kept.held.seq, kept.held.hash, last.seq, rewritten)
    cut_off = kept.problem_behind(last)
    if cut_off:
        return AuditReport(kept.held.seq, kept.held.hash, last.seq + 1, cut_off)
    return AuditReport(last.seq, last.hash)


def _broken_link(row: AuditRow, last: Head) -> str:
    if row.seq != last.seq + 1:
        return f"row {last.seq + 1} is missing"
    if row.prev_hash != last.hash:
        return f"row {row.seq} does not follow the row before it"
    try:
        changed = row.hash != row.computed_hash()
    except NotJsonError:
        changed = True
    return f"row {row.seq} was changed after it was written" if changed else ""


class _Replay:
    """What the tables must hold after the changes in the trail."""

    def __init__(self) -> None:
        self.named_uses: dict[str, str] = {}
        """Which row names which use first, by its hash."""
        self._versions: dict[str, JsonObject] = {}
        self._drafts: dict[str, JsonObject] = {}
        self._active: dict[str, str] = {}
        self._vectors: JsonObject = {}
        self._told_rows = ToldRows()

    def apply(self, row: AuditRow) -> str:
        """Make one change; return why it cannot be made, or an empty text."""
        self.named_uses.setdefault(row.uses or GENESIS, f"row {row.seq} of the trail")
        try:
            body = row.content
        except NotJsonError as error:
            return f"row {row.seq} has no readable body: {error}"
        after = body.get("after") if isinstance(body, dict) else None
        if not isinstance(after, dict):
            return f"row {row.seq} does not say what it changed"
        told_vectors = after.get("vectors")
        if isinstance(told_vectors, dict):
            self._vectors.update(told_vectors)
            return ""
        if self._told_rows.apply(body if isinstance(body, dict) else {}):
            return ""
        # A draft that was rejected may be registered later: it is in both tables then.
        subjects = self._drafts if row.action == "reject" else self._versions
        known = subjects.setdefault(row.subject, {})
        if row.action == "register":
            # Older trails tell of no record.
            known.update(since_use=0, image="")
        known.update({field: value for field, value in after.items() if field != "active"})
        if "active" in after:
            self._active[str(known.get("name"))] = str(after["active"])
        return ""

    def differences(self, connection: Connection) -> Iterator[str]:
        """Yield what the tables hold that the trail does not tell, and the other way round."""
        yield from _foreign_contents(connection)
        yield from _wrong_parts(connection)
        for found, told in (
            (_versions(connection), self._versions),
            (_drafts(connection), self._drafts),
        ):
            for subject in sorted(found.keys() | told.keys(), key=repr):
                if not _agree(found.get(subject), told.get(subject)):
                    yield f"{subject} is not in the tables as the trail says"
        yield from self._told_rows.differences(connection)
        active = {row.name: row.active for row in connection.execute(select(schema.tools))}
        for name in sorted(active.keys() | self._active.keys(), key=repr):
            if active.get(name) != self._active.get(name):
                yield f"the name {name} does not point at the version that the trail says"
        yield from documents.differences(connection)
        yield from vector_batches.differences(connection, self._vectors)
        yield from _wrong_reports(connection)
        for name in heads.strangers(connection):
            yield f"there is a head of a chain {name}, and no such chain"


_TOLD_LATER = frozenset({"registered_at", "rejected_at"})
"""What rows of the trail do not tell that were written in a layout before 4."""


def _agree(found: JsonObject | None, told: JsonObject | None) -> bool:
    if found is None or told is None:
        return False
    untold = found.keys() - told.keys()
    return untold <= _TOLD_LATER and {**found, **told} == found


def _foreign_contents(connection: Connection) -> Iterator[str]:
    for table in (schema.versions, schema.rejections):
        for row in connection.execute(select(table.c.digest, table.c.spec)):
            if _digest_of(row.spec) != row.digest:
                yield f"the specification of {row.digest} was changed after it was written"
    for row in connection.execute(select(schema.reports)):
        if _digest_of(row.text) != row.digest:
            yield f"the report {row.digest} was changed after it was written"


def _wrong_reports(connection: Connection) -> Iterator[str]:
    """Yield the reports that are missing, and those that nothing rests on."""
    kept = set(connection.scalars(select(schema.reports.c.digest)))
    named: dict[str, str] = {}
    for digest, evidence_of in (
        (schema.versions.c.digest, schema.versions.c.evidence),
        (schema.rejections.c.digest, schema.rejections.c.evidence),
        (schema.validations.c.version, schema.validations.c.evidence),
    ):
        for subject, text in connection.execute(select(digest, evidence_of)):
            evidence = decode_json(text)
            report = evidence.get("report") if isinstance(evidence, dict) else None
            if isinstance(report, str):
                named[report] = subject
    for report, subject in named.items():
        if report not in kept:
            yield f"the report {report} of {subject} is missing"
    for report in sorted(kept - named.keys() - _claimed_reports(connection), key=repr):
        yield f"the report {report} is of no version and no draft"


def _claimed_reports(connection: Connection) -> set[str]:
    """Return the reports that imported tools came with."""
    found = set()
    for text in connection.scalars(select(schema.versions.c.provenance)):
        match decode_json(text):
            case {"claims": {"report": str(report)}}:
                found.add(report)
    return found


def _wrong_parts(connection: Connection) -> Iterator[str]:
    kept: dict[str, set[str]] = {}
    for row in connection.execute(select(schema.parts)):
        kept.setdefault(row.version, set()).add(row.name)
    for row in connection.execute(select(schema.versions)):
        if kept.pop(row.digest, set()) != set(version_of(row).spec.calls):
            yield f"what {row.digest} calls is not kept as its specification says"
    for digest in sorted(kept, key=repr):
        yield f"it is kept what {digest} calls, and there is no such version"


def _versions(connection: Connection) -> dict[str, JsonObject]:
    """Return the state of every version, in the words of the trail."""
    return {
        row.digest: {
            "name": row.name,
            "number": row.number,
            "registered_at": row.registered_at,
            "tier": row.tier,
            "state": row.state,
            "since_use": row.since_use,
            "image": row.image,
            "provenance": _digest_of(row.provenance),
            "evidence": _digest_of(row.evidence),
        }
        for row in connection.execute(select(schema.versions))
    }


def _drafts(connection: Connection) -> dict[str, JsonObject]:
    """Return the state of every rejected draft, in the words of the trail."""
    return {
        row.digest: {
            "name": draft_of(row).spec.name,
            "state": State.REJECTED.value,
            "reasons": _exact(row.reasons),
            "evidence": _digest_of(row.evidence),
            "rejected_at": row.rejected_at,
        }
        for row in connection.execute(select(schema.rejections))
    }


def _digest_of(text: object) -> str | None:
    """Return the digest of a column; None where it holds no text."""
    return text_digest(text) if isinstance(text, str) else None


def _exact(text: str) -> Json:
    """Return the value of a JSON text; the text itself where it is spelled as we never do."""
    value = decode_json(text)
    return value if canonical_json(value) == text else text
