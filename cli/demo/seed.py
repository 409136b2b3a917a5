"""Fills a new support desk with customers, invoices and tickets, the same for the same seed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from toolguild.cli.demo.content import (
    ARTICLES,
    FIRST_NAMES,
    LAST_NAMES,
    PLACES,
    PLANS,
    QUEUES,
    Queue,
)
from toolguild.cli.demo.database import DeskError, connect, create_tables

__all__ = ["FIRST_RUN", "create_desk"]

FIRST_RUN = sum(queue.first for queue in QUEUES)
"""Open tickets of the first run, the ones with the lowest numbers; the rest are the fresh ones."""

_CUSTOMERS = 40
_CLOSED_TICKETS = 30
_SENDERS = ["account"] * 17 + ["from home"] * 2 + ["stranger"]
"""How the senders of 20 tickets write: a few not from the address of their account."""

_MONTHS = (
    ("May", "2026-05"), ("June", "2026-06"), ("July", "2026-07"),
    ("August", "2026-08"), ("September", "2026-09"), ("October", "2026-10"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Customer:
    number: int
    name: str
    email: str
    phone: str

    @property
    def id(self) -> str:
        return f"C-{1000 + self.number}"


def create_desk(path: Path, *, seed: int = 7) -> None:
    """Write a new desk: 40 customers with their invoices, 60 open tickets and 30 closed ones.

    Raises:
        DeskError: there is a file at the path already.
    """
    if path.exists():
        msg = f"{path} exists; a new desk needs the path of a new file"
        raise DeskError(msg)
    chance = random.Random(seed)  # noqa: S311 - sample data, which has to repeat for its seed
    with closing(connect(path)) as connection, connection:
        create_tables(connection)
        _add_articles(connection)
        customers = _add_customers(connection, chance)
        charges = _Charges(connection, chance)
        for customer in customers:
            charges.add_for(customer)
        _add_closed_tickets(connection, chance, customers)
        _add_open_tickets(connection, chance, customers, charges.suspected)


def _add_articles(connection: sqlite3.Connection) -> None:
    connection.executemany(
        "INSERT INTO articles (article_id, title, keywords, body) VALUES (?, ?, ?, ?)",
        [(f"KB-{101 + number}", *article) for number, article in enumerate(ARTICLES)],
    )


def _add_customers(connection: sqlite3.Connection, chance: random.Random) -> list[_Customer]:
    names = chance.sample(
        [(first, last) for first in FIRST_NAMES for last in LAST_NAMES], _CUSTOMERS
    )
    customers = [
        _Customer(
            number,
            f"{first} {last}",
            f"{first}.{last}@example.com".lower(),
            # Ofcom keeps 020 7946 0000 to 0999 free for made-up numbers.
            f"+44 20 7946 {100 + number:04}",
        )
        for number, (first, last) in enumerate(names, start=1)
    ]
    for customer in customers:
        connection.execute(
            "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                customer.id,
                customer.name,
                customer.email,
                customer.phone,
                *chance.choice(PLACES),
                chance.random() < 0.3,
            ),
        )
    return customers


class _Charges:
    """Gives customers their subscriptions and invoices."""

    def __init__(self, connection: sqlite3.Connection, chance: random.Random) -> None:
        self._connection = connection
        self._chance = chance
        self._invoices = 0
        self._kinds = cycle(("repeat", "lookalike", "repeat", "refunded", "repeat"))
        self.suspected: list[_Customer] = []
        """Customers with two charges that look alike, whether or not one is a repeat."""

    def add_for(self, customer: _Customer) -> None:
        """Add a subscription and 0 to 7 invoices; one customer in ten never subscribed."""
        if self._chance.random() < 0.1:
            return
        plan = self._chance.choice(list(PLANS))
        seats = self._chance.randint(1, 12)
        self._connection.execute(
            "INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, ?)",
            (
                f"S-{5000 + customer.number}",
                customer.id,
                plan,
                seats,
                "cancelled" if self._chance.random() < 0.1 else "active",
                f"2026-12-{self._chance.randint(1, 28):02}",
            ),
        )
        months = _MONTHS[len(_MONTHS) - self._chance.choice((0, 1, 1, 2, 3, 4, 5, 6)) :]
        for label, month in months:
            self._invoice(customer, month, [(f"{plan} plan, {label} 2026", seats, PLANS[plan])])
        if months and self._chance.random() < 0.6:
            self.suspected.append(customer)
            self._charge_again(customer, *self._chance.choice(months), plan, seats)
        if months and self._chance.random() < 0.15:
            # Not yet paid: a subscription with an open invoice cannot be cancelled.
            line = ("Onboarding session", 1, 12_000)
            self._invoice(customer, "2026-11", [line], status="open")

    def _charge_again(
        self, customer: _Customer, label: str, month: str, plan: str, seats: int
    ) -> None:
        # Only the lines tell a repeated charge from one that comes to the same sum.
        kind = next(self._kinds)
        if kind == "lookalike":
            more = [(f"Additional seats, {label} 2026", seats, PLANS[plan])]
            self._invoice(customer, month, more)
        else:
            invoice_id = self._invoice(
                customer,
                month,
                [(f"{plan} plan, {label} 2026", seats, PLANS[plan])],
                status="paid" if kind == "repeat" else "refunded",
            )
            if kind == "refunded":
                self._connection.execute(
                    "INSERT INTO refunds VALUES (?, ?, ?, ?)",
                    (
                        f"RF-{invoice_id.removeprefix('INV-')}",
                        invoice_id,
                        seats * PLANS[plan],
                        "charged twice",
                    ),
                )

    def _invoice(
        self,
        customer: _Customer,
        month: str,
        lines: list[tuple[str, int, int]],
        status: str = "paid",
    ) -> str:
        self._invoices += 1
        invoice_id = f"INV-{20400 + self._invoices}"
        self._connection.execute(
            "INSERT INTO invoices VALUES (?, ?, ?, ?)",
            (invoice_id, customer.id, f"{month}-{self._chance.randint(1, 5):02}", status),
        )
        self._connection.executemany(
            "INSERT INTO invoice_lines VALUES (?, ?, ?, ?, ?)",
            [
                (invoice_id, position, text, quantity, quantity * price)
                for position, (text, quantity, price) in enumerate(lines, start=1)
            ],
        )
        return invoice_id


def _add_closed_tickets(
    connection: sqlite3.Connection, chance: random.Random, customers: list[_Customer]
) -> None:
    for number in range(_CLOSED_TICKETS):
        customer = chance.choice(customers)
        queue = chance.choice(QUEUES)
        subject, body = _letter(chance, queue)
        connection.execute(
            "INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, 'closed', ?)",
            (
                f"T-{2001 + number}",
                queue.name,
                customer.email,
                customer.phone,
                subject,
                body,
                "Answered by telephone.",
            ),
        )


def _add_open_tickets(
    connection: sqlite3.Connection,
    chance: random.Random,
    customers: list[_Customer],
    suspected: list[_Customer],
) -> None:
    first = [queue for queue in QUEUES for _ in range(queue.first)]
    fresh = [queue for queue in QUEUES for _ in range(queue.fresh)]
    queues = chance.sample(first, len(first)) + chance.sample(fresh, len(fresh))
    charged = cycle(chance.sample(suspected, len(suspected)))
    anybody = cycle(chance.sample(customers, len(customers)))
    senders: list[str] = []
    for number, queue in enumerate(queues):
        senders = senders or chance.sample(_SENDERS, len(_SENDERS))
        customer = next(charged if queue.name == "duplicate_charge" else anybody)
        email, phone = _sender(chance, customer, senders.pop())
        subject, body = _letter(chance, queue)
        connection.execute(
            "INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, 'open', NULL)",
            (f"T-{3001 + number}", queue.name, email, phone, subject, body),
        )


def _sender(chance: random.Random, customer: _Customer, kind: str) -> tuple[str, str | None]:
    """Return the e-mail address and telephone on a ticket."""
    if kind == "stranger":
        return f"{customer.name.split()[0].lower()}@mail.example.net", None
    if kind == "from home":
        return customer.email.replace("@example.com", "@home.example.org"), customer.phone
    return customer.email, customer.phone if chance.random() < 0.8 else None


def _letter(chance: random.Random, queue: Queue) -> tuple[str, str]:
    subject, body = chance.choice(queue.letters)
    return subject, body.replace("{address}", ", ".join(chance.choice(PLACES)))
