"""What evidence rests on: whole reports, kept once each under their digest."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from toolguild.registry import schema
from toolguild.registry.canonical import canonical_json, decode_json, text_digest
from toolguild.registry.errors import TamperedError, UnknownToolError
from toolguild.sandbox import JsonObject

__all__ = ["read_report", "with_report"]


def with_report(
    connection: Connection, evidence: JsonObject | None, report: JsonObject | None
) -> JsonObject:
    """Keep a report, and return the evidence that names it; the transaction is the caller's.

    Raises:
        NotJsonError: the report is not JSON.
    """
    if report is None:
        return evidence or {}
    text = canonical_json(report)
    digest = text_digest(text)
    table = schema.reports
    known = connection.scalar(select(table.c.digest).where(table.c.digest == digest))
    if known is None:
        connection.execute(insert(table).values(digest=digest, text=text))
    return {**(evidence or {}), "report": digest}


def read_report(connection: Connection, digest: str) -> JsonObject:
    """Return a report.

    Raises:
        UnknownToolError: none has this digest.
        TamperedError: it is not what was written.
    """
    table = schema.reports
    text = connection.scalar(select(table.c.text).where(table.c.digest == digest))
    if text is None:
        msg = f"the registry has no report {digest}"
        raise UnknownToolError(msg)
    report = decode_json(text) if text_digest(text) == digest else None
    if not isinstance(report, dict):
        msg = f"the report {digest} is not what was written; restore the registry from a backup"
        raise TamperedError(msg)
    return report
