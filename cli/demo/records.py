"""What the desk's tools return, read from JSON into records with types.

A tool may be a synthesized one, so that nothing about its result is taken for granted: each
`read` raises `RecordError` where a field is missing or of another type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from toolguild.policies import ToolguildError
from toolguild.sandbox import Json

__all__ = [
    "Article",
    "Customer",
    "Invoice",
    "InvoiceEntry",
    "Line",
    "PastTicket",
    "RecordError",
    "Subscription",
    "Ticket",
    "objects",
    "text",
]


class RecordError(ToolguildError, ValueError):
    """A tool's result has not the shape of the desk's; the message names the field."""


def text(value: Json, key: str) -> str:
    """Return a text of an object."""
    field = _field(value, key)
    if not isinstance(field, str):
        raise RecordError(_expected(key, "a text"))
    return field


def objects(value: Json, key: str) -> list[Json]:
    """Return a list of an object."""
    field = _field(value, key)
    if not isinstance(field, list):
        raise RecordError(_expected(key, "a list"))
    return field


def _number(value: Json, key: str) -> int:
    field = _field(value, key)
    if not isinstance(field, int) or isinstance(field, bool):
        raise RecordError(_expected(key, "a whole number"))
    return field


def _field(value: Json, key: str) -> Json:
    if not isinstance(value, dict) or key not in value:
        raise RecordError(_expected(key, "a field of the result"))
    return value[key]


def _expected(key: str, what: str) -> str:
    return f"{key!r} is not {what}; use the desk's own tool instead"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What somebody wrote to the desk."""

    ticket_id: str
    sender_email: str
    sender_phone: str | None
    subject: str
    body: str

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read what `get_ticket` returns."""
        no_phone = _field(value, "sender_phone") is None
        return cls(
            text(value, "ticket_id"),
            text(value, "sender_email"),
            None if no_phone else text(value, "sender_phone"),
            text(value, "subject"),
            text(value, "body"),
        )


@dataclass(frozen=True, slots=True)
class Customer:
    """An account."""

    customer_id: str
    name: str
    email: str
    phone: str
    locked: bool

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read what `find_customer` and `find_customer_by_phone` return."""
        return cls(
            text(value, "customer_id"),
            text(value, "name"),
            text(value, "email"),
            text(value, "phone"),
            _field(value, "locked") is True,
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a customer subscribes to; without a subscription only the status says anything."""

    subscription_id: str
    plan: str
    seats: int
    status: str
    """`active`, `cancelled` or `none`."""
    renews_on: str

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read what `get_subscription` returns."""
        status = text(value, "status")
        if status == "none":
            return cls("", "", 0, status, "")
        return cls(
            text(value, "subscription_id"),
            text(value, "plan"),
            _number(value, "seats"),
            status,
            text(value, "renews_on"),
        )


@dataclass(frozen=True, slots=True)
class InvoiceEntry:
    """An invoice as a customer's list of invoices has it."""

    invoice_id: str
    status: str

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read one entry of what `list_invoices` returns."""
        return cls(text(value, "invoice_id"), text(value, "status"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice."""

    description: str
    quantity: int
    amount_cents: int

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read one line of what `get_invoice` returns."""
        return cls(
            text(value, "description"), _number(value, "quantity"), _number(value, "amount_cents")
        )


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines."""

    invoice_id: str
    issued_on: str
    status: str
    lines: tuple[Line, ...]
    total_cents: int

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read what `get_invoice` returns."""
        return cls(
            text(value, "invoice_id"),
            text(value, "issued_on"),
            text(value, "status"),
            tuple(Line.read(line) for line in objects(value, "lines")),
            _number(value, "total_cents"),
        )


@dataclass(frozen=True, slots=True)
class PastTicket:
    """A ticket as a customer's list of tickets has it."""

    ticket_id: str
    queue: str
    status: str

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read one entry of what `list_tickets` returns."""
        return cls(text(value, "ticket_id"), text(value, "queue"), text(value, "status"))


@dataclass(frozen=True, slots=True)
class Article:
    """A help article with its text."""

    article_id: str
    title: str
    body: str

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read what `get_article` returns."""
        return cls(text(value, "article_id"), text(value, "title"), text(value, "body"))
