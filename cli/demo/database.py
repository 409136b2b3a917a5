"""The support desk's SQLite database: its tables, opening it, and a digest of its state."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

from toolguild.policies import ToolguildError

__all__ = ["DeskError", "connect", "create_tables", "state_digest"]


class DeskError(ToolguildError, LookupError):
    """The desk cannot do what was asked; the message names the record and the reason."""


_SCHEMA = """
CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL UNIQUE, street TEXT NOT NULL, city TEXT NOT NULL,
    postcode TEXT NOT NULL, locked INTEGER NOT NULL CHECK (locked IN (0, 1))
);
CREATE TABLE subscriptions (
    subscription_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL UNIQUE REFERENCES customers,
    plan TEXT NOT NULL, seats INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'cancelled')),
    renews_on TEXT NOT NULL
);
CREATE TABLE invoices (
    invoice_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers,
    issued_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'refunded'))
);
CREATE TABLE invoice_lines (
    invoice_id TEXT NOT NULL REFERENCES invoices, position INTEGER NOT NULL,
    description TEXT NOT NULL, quantity INTEGER NOT NULL, amount_cents INTEGER NOT NULL,
    PRIMARY KEY (invoice_id, position)
);
CREATE TABLE refunds (
    refund_id TEXT PRIMARY KEY, invoice_id TEXT NOT NULL UNIQUE REFERENCES invoices,
    amount_cents INTEGER NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE articles (
    article_id TEXT PRIMARY KEY, title TEXT NOT NULL, keywords TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE tickets (
    ticket_id TEXT PRIMARY KEY, queue TEXT NOT NULL, sender_email TEXT NOT NULL,
    sender_phone TEXT, subject TEXT NOT NULL, body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'escalated', 'closed')),
    reply TEXT
);
"""

# Spelled out, so that the state's digest depends on the rows alone and never on the order in
# which they came into the tables.
_ROWS_IN_ORDER = {
    "articles": "SELECT * FROM articles ORDER BY article_id",
    "customers": "SELECT * FROM customers ORDER BY customer_id",
    "invoice_lines": "SELECT * FROM invoice_lines ORDER BY invoice_id, position",
    "invoices": "SELECT * FROM invoices ORDER BY invoice_id",
    "refunds": "SELECT * FROM refunds ORDER BY refund_id",
    "subscriptions": "SELECT * FROM subscriptions ORDER BY subscription_id",
    "tickets": "SELECT * FROM tickets ORDER BY ticket_id",
}


def connect(path: Path) -> sqlite3.Connection:
    """Open a database file, which comes into being where there is none.

    The connection may be handed from thread to thread, since a sandbox answers its tool calls
    from threads of its own; one thread at a time may use it.
    """
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the desk's empty tables.

    Raises:
        DeskError: the database already holds tables of the desk.
    """
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        msg = f"the desk's tables cannot be created: {error}; give the path of a new file"
        raise DeskError(msg) from error


def state_digest(connection: sqlite3.Connection) -> str:
    """Return the sha256, in hexadecimal, of every row of every table."""
    digest = hashlib.sha256()
    for table, query in _ROWS_IN_ORDER.items():
        digest.update(f"{table}\n".encode())
        for row in connection.execute(query):
            digest.update(json.dumps(list(row)).encode() + b"\n")
    return digest.hexdigest()
