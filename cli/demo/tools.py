"""The support desk's tools: plain functions over its database, and one table that offers them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from toolguild.cli.demo.database import DeskError
from toolguild.policies import Capability
from toolguild.sandbox import Json, JsonObject

__all__ = ["DESK_TOOLS", "READ_TOOLS", "DeskTool"]

_MOST_ARTICLES = 3
"""Articles that one search names at the most."""

_SHORTEST_WORD = 3
"""Letters of the shortest word that a search looks for; shorter ones are in every text."""


def get_ticket(connection: sqlite3.Connection, ticket_id: str) -> Json:
    """Return one ticket as its sender wrote it."""
    row = _one(
        connection,
        "SELECT ticket_id, queue, sender_email, sender_phone, subject, body, status"
        " FROM tickets WHERE ticket_id = ?",
        ticket_id,
        f"there is no ticket {ticket_id}",
    )
    return dict(row)


def list_tickets(connection: sqlite3.Connection, customer_id: str) -> Json:
    """Return the tickets that came from a customer's address or telephone, oldest first."""
    customer = _customer(connection, customer_id)
    rows = connection.execute(
        "SELECT ticket_id, queue, subject, status FROM tickets"
        " WHERE sender_email = ? OR sender_phone = ? ORDER BY ticket_id",
        (customer["email"], customer["phone"]),
    )
    return {"customer_id": customer_id, "tickets": [dict(row) for row in rows]}


def find_customer(connection: sqlite3.Connection, email: str) -> Json:
    """Return the customer whose account has an e-mail address."""
    query = "SELECT * FROM customers WHERE email = ?"
    return _account(_one(connection, query, email, f"no account has the e-mail address {email}"))


def find_customer_by_phone(connection: sqlite3.Connection, phone: str) -> Json:
    """Return the customer whose account has a telephone number."""
    query = "SELECT * FROM customers WHERE phone = ?"
    return _account(_one(connection, query, phone, f"no account has the telephone {phone}"))


def get_subscription(connection: sqlite3.Connection, customer_id: str) -> Json:
    """Return a customer's subscription; `status` is `none` where there never was one."""
    _customer(connection, customer_id)
    row = connection.execute(
        "SELECT customer_id, subscription_id, plan, seats, status, renews_on"
        " FROM subscriptions WHERE customer_id = ?",
        (customer_id,),
    ).fetchone()
    return dict(row) if row else {"customer_id": customer_id, "status": "none"}


def list_invoices(connection: sqlite3.Connection, customer_id: str) -> Json:
    """Return the numbers, dates and states of a customer's invoices, oldest first."""
    _customer(connection, customer_id)
    rows = connection.execute(
        "SELECT invoice_id, issued_on, status FROM invoices WHERE customer_id = ?"
        " ORDER BY issued_on, invoice_id",
        (customer_id,),
    )
    return {"customer_id": customer_id, "invoices": [dict(row) for row in rows]}


def get_invoice(connection: sqlite3.Connection, invoice_id: str) -> Json:
    """Return one invoice with its lines and its total."""
    invoice = _invoice(connection, invoice_id)
    rows = connection.execute(
        "SELECT description, quantity, amount_cents FROM invoice_lines WHERE invoice_id = ?"
        " ORDER BY position",
        (invoice_id,),
    )
    lines: list[Json] = [dict(row) for row in rows]
    return {**dict(invoice), "lines": lines, "total_cents": _total(connection, invoice_id)}


def search_articles(connection: sqlite3.Connection, query: str) -> Json:
    """Return the help articles that share the most words with a query, best first."""
    wanted = _words(query)
    ranked = sorted(
        (-len(wanted & _words(f"{row['title']} {row['keywords']}")), row["article_id"], row)
        for row in connection.execute("SELECT article_id, title, keywords FROM articles")
    )
    found: list[Json] = [
        {"article_id": article_id, "title": row["title"]}
        for score, article_id, row in ranked[:_MOST_ARTICLES]
        if score
    ]
    return {"query": query, "articles": found}


def get_article(connection: sqlite3.Connection, article_id: str) -> Json:
    """Return one help article with its text."""
    query = "SELECT article_id, title, body FROM articles WHERE article_id = ?"
    return dict(_one(connection, query, article_id, f"there is no article {article_id}"))


def issue_refund(
    connection: sqlite3.Connection, invoice_id: str, amount_cents: int, reason: str
) -> Json:
    """Pay back a paid invoice, once and up to its total."""
    invoice = _invoice(connection, invoice_id)
    if invoice["status"] != "paid":
        msg = f"invoice {invoice_id} is {invoice['status']}: only a paid one can be refunded"
        raise DeskError(msg)
    total = _total(connection, invoice_id)
    if not 0 < amount_cents <= total:
        msg = f"invoice {invoice_id} came to {total} cents: {amount_cents} cannot be refunded"
        raise DeskError(msg)
    refund_id = f"RF-{invoice_id.removeprefix('INV-')}"
    connection.execute(
        "INSERT INTO refunds VALUES (?, ?, ?, ?)", (refund_id, invoice_id, amount_cents, reason)
    )
    connection.execute(
        "UPDATE invoices SET status = 'refunded' WHERE invoice_id = ?", (invoice_id,)
    )
    return {"refund_id": refund_id, "invoice_id": invoice_id, "amount_cents": amount_cents}


def update_address(
    connection: sqlite3.Connection, customer_id: str, street: str, city: str, postcode: str
) -> Json:
    """Change the address that goes on a customer's invoices."""
    _customer(connection, customer_id)
    connection.execute(
        "UPDATE customers SET street = ?, city = ?, postcode = ? WHERE customer_id = ?",
        (street, city, postcode, customer_id),
    )
    return {"customer_id": customer_id, "street": street, "city": city, "postcode": postcode}


def unlock_account(connection: sqlite3.Connection, customer_id: str) -> Json:
    """Lift the lock that too many failed logins put on an account."""
    _customer(connection, customer_id)
    connection.execute("UPDATE customers SET locked = 0 WHERE customer_id = ?", (customer_id,))
    return {"customer_id": customer_id, "locked": False}


def cancel_subscription(connection: sqlite3.Connection, subscription_id: str) -> Json:
    """End a subscription with the period that is already paid."""
    row = _one(
        connection,
        "SELECT status, renews_on FROM subscriptions WHERE subscription_id = ?",
        subscription_id,
        f"there is no subscription {subscription_id}",
    )
    if row["status"] != "active":
        msg = f"subscription {subscription_id} is already {row['status']}"
        raise DeskError(msg)
    connection.execute(
        "UPDATE subscriptions SET status = 'cancelled' WHERE subscription_id = ?",
        (subscription_id,),
    )
    return {"subscription_id": subscription_id, "status": "cancelled", "ends_on": row["renews_on"]}


def update_ticket(connection: sqlite3.Connection, ticket_id: str, status: str, reply: str) -> Json:
    """Send the reply of a ticket and set the ticket's state."""
    get_ticket(connection, ticket_id)
    try:
        connection.execute(
            "UPDATE tickets SET status = ?, reply = ? WHERE ticket_id = ?",
            (status, reply, ticket_id),
        )
    except sqlite3.IntegrityError as error:
        msg = f"a ticket cannot be {status!r}: use open, waiting, escalated or closed"
        raise DeskError(msg) from error
    return {"ticket_id": ticket_id, "status": status}


def _one(connection: sqlite3.Connection, query: str, key: str, missing: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(query, (key,)).fetchone()
    if row is None:
        raise DeskError(missing)
    return row


def _customer(connection: sqlite3.Connection, customer_id: str) -> sqlite3.Row:
    query = "SELECT * FROM customers WHERE customer_id = ?"
    return _one(connection, query, customer_id, f"there is no customer {customer_id}")


def _account(row: sqlite3.Row) -> Json:
    return {**dict(row), "locked": bool(row["locked"])}


def _invoice(connection: sqlite3.Connection, invoice_id: str) -> sqlite3.Row:
    query = "SELECT invoice_id, customer_id, issued_on, status FROM invoices WHERE invoice_id = ?"
    return _one(connection, query, invoice_id, f"there is no invoice {invoice_id}")


def _total(connection: sqlite3.Connection, invoice_id: str) -> int:
    query = "SELECT coalesce(sum(amount_cents), 0) FROM invoice_lines WHERE invoice_id = ?"
    return int(connection.execute(query, (invoice_id,)).fetchone()[0])


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.casefold()) if len(word) >= _SHORTEST_WORD}


@dataclass(frozen=True, slots=True)
class DeskTool:
    """One tool of the desk as agents are offered it."""

    function: Callable[..., Json]
    """Takes the database connection and then the arguments by name."""
    effect: Capability
    description: str
    takes: Mapping[str, type[str] | type[int]]
    """The type of each argument, all of which a call must give."""

    @property
    def name(self) -> str:
        """The name under which the tool is called."""
        return self.function.__name__

    @property
    def parameters(self) -> JsonObject:
        """JSON Schema of the arguments object."""
        return {
            "type": "object",
            "properties": {
                name: {"type": "string" if kind is str else "integer"}
                for name, kind in self.takes.items()
            },
            "required": list(self.takes),
            "additionalProperties": False,
        }

    def check(self, arguments: Mapping[str, Json]) -> None:
        """Check that the arguments are those of the schema.

        Raises:
            DeskError: an argument is missing, unknown, or of another type.
        """
        if arguments.keys() != self.takes.keys():
            msg = f"{self.name} takes {', '.join(self.takes)}, not {', '.join(arguments) or 'none'}"
            raise DeskError(msg)
        for name, kind in self.takes.items():
            # `type(...) is`, since a bool is an int to `isinstance`.
            if type(arguments[name]) is not kind:
                msg = f"{self.name}: {name} must be of type {kind.__name__}"
                raise DeskError(msg)


def _tool(
    function: Callable[..., Json],
    effect: Capability,
    description: str,
    **takes: type[str] | type[int],
) -> DeskTool:
    return DeskTool(function, effect, description, takes)


_READ, _WRITE = Capability.READ, Capability.WRITE

_TABLE = (
    _tool(get_ticket, _READ, "Read a ticket: sender, subject and text.", ticket_id=str),
    _tool(list_tickets, _READ, "List a customer's tickets, oldest first.", customer_id=str),
    _tool(find_customer, _READ, "Find a customer by e-mail address.", email=str),
    _tool(find_customer_by_phone, _READ, "Find a customer by telephone number.", phone=str),
    _tool(get_subscription, _READ, "Read a customer's subscription.", customer_id=str),
    _tool(list_invoices, _READ, "List a customer's invoices, oldest first.", customer_id=str),
    _tool(get_invoice, _READ, "Read an invoice with its lines, in cents.", invoice_id=str),
    _tool(search_articles, _READ, "Search the help articles.", query=str),
    _tool(get_article, _READ, "Read a help article.", article_id=str),
    _tool(
        issue_refund,
        _WRITE,
        "Refund a paid invoice, up to its total in cents.",
        invoice_id=str,
        amount_cents=int,
        reason=str,
    ),
    _tool(
        update_address,
        _WRITE,
        "Change a customer's billing address.",
        customer_id=str,
        street=str,
        city=str,
        postcode=str,
    ),
    _tool(unlock_account, _WRITE, "Lift the lock on a customer's account.", customer_id=str),
    _tool(
        cancel_subscription,
        _WRITE,
        "Cancel a subscription at the end of its paid period.",
        subscription_id=str,
    ),
    _tool(
        update_ticket,
        _WRITE,
        "Send a ticket's reply and set its status: open, waiting, escalated or closed.",
        ticket_id=str,
        status=str,
        reply=str,
    ),
)

DESK_TOOLS: Mapping[str, DeskTool] = {tool.name: tool for tool in _TABLE}
"""Every tool of the desk by its name."""

READ_TOOLS = frozenset(tool.name for tool in _TABLE if tool.effect is Capability.READ)
"""The tools that change nothing."""
