"""What the agent knows about one ticket: the facts it has, and the look-ups it still could make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from toolguild.cli.demo.desk import Assignment
from toolguild.cli.demo.records import (
    Article,
    Customer,
    Invoice,
    InvoiceEntry,
    PastTicket,
    RecordError,
    Subscription,
    Ticket,
    objects,
    text,
)
from toolguild.sandbox import Json, JsonObject

__all__ = ["SOURCES", "Case", "Fact", "Lookup"]


class Fact(StrEnum):
    """Something that the agent may want to know; each follows from those before it."""

    TICKET = "ticket"
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    INVOICES = "invoices"
    INVOICE_DETAILS = "invoice details"
    """Every invoice of the list, with its lines."""
    HISTORY = "history"
    ARTICLES = "articles"
    ARTICLE_TEXTS = "article texts"
    """Every article that the search found, with its text."""


SOURCES: Mapping[Fact, frozenset[str]] = {
    Fact.TICKET: frozenset({"get_ticket"}),
    Fact.CUSTOMER: frozenset({"find_customer", "find_customer_by_phone"}),
    Fact.SUBSCRIPTION: frozenset({"get_subscription"}),
    Fact.INVOICES: frozenset({"list_invoices"}),
    Fact.INVOICE_DETAILS: frozenset({"get_invoice"}),
    Fact.HISTORY: frozenset({"list_tickets"}),
    Fact.ARTICLES: frozenset({"search_articles"}),
    Fact.ARTICLE_TEXTS: frozenset({"get_article"}),
}
"""The desk's tools that tell each fact."""

_SEARCH_INSTEAD = {"login": "password login", "plan_question": "plan features"}
"""What to search for where the words of a ticket's subject find nothing."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One call of one of the desk's tools."""

    tool: str
    arguments: JsonObject


class Case:
    """One ticket and what is known about it so far.

    Results come in through `accept` alone, whoever called the tool, and only those that are
    about this ticket are kept: another customer's invoices, in a tool gone wrong, stay outside.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.ticket: Ticket | None = None
        self.customer: Customer | None = None
        self.subscription: Subscription | None = None
        self.invoices: tuple[InvoiceEntry, ...] | None = None
        self.history: tuple[PastTicket, ...] | None = None
        self.found: tuple[str, ...] = ()
        """Ids of the articles found, best first."""
        self._details: dict[str, Invoice] = {}
        self._texts: dict[str, Article] = {}
        self._queries: list[str] = []
        """Searches not yet made, in order."""

    @property
    def details(self) -> list[Invoice]:
        """The invoices read so far, in the order of the list."""
        return [
            self._details[entry.invoice_id]
            for entry in self.invoices or ()
            if entry.invoice_id in self._details
        ]

    @property
    def texts(self) -> list[Article]:
        """The articles read so far, best first."""
        return [self._texts[article_id] for article_id in self.found if article_id in self._texts]

    def has(self, fact: Fact) -> bool:
        """Whether a fact is known in full."""
        match fact:
            case Fact.TICKET:
                return self.ticket is not None
            case Fact.CUSTOMER:
                return self.customer is not None
            case Fact.SUBSCRIPTION:
                return self.subscription is not None
            case Fact.INVOICES:
                return self.invoices is not None
            case Fact.INVOICE_DETAILS:
                return self.invoices is not None and not self._unread_invoices()
            case Fact.HISTORY:
                return self.history is not None
            case Fact.ARTICLES:
                return bool(self.found)
            case Fact.ARTICLE_TEXTS:
                return bool(self.found) and not self._unread_articles()

    def known_values(self) -> JsonObject:
        """Return the values that the agent can give to tools, by the names of parameters."""
        known: JsonObject = {"ticket_id": self.assignment.ticket_id}
        if self.ticket:
            known["email"] = self.ticket.sender_email
            if self.ticket.sender_phone:
                known["phone"] = self.ticket.sender_phone
        if self._queries:
            known["query"] = self._queries[0]
        if self.customer:
            known["customer_id"] = self.customer.customer_id
        if self.invoices:
            known["invoice_ids"] = [entry.invoice_id for entry in self.invoices]
        if self.found:
            known["article_ids"] = list(self.found)
        return known

    def lookups(self, fact: Fact) -> list[Lookup]:
        """Return the calls that could tell a missing fact now.

        Details and article texts need all of the calls; of the calls for another fact the first
        one to succeed is enough.
        """
        match fact:
            case Fact.TICKET:
                return self._lookup("get_ticket", "ticket_id")
            case Fact.CUSTOMER:
                by_email = self._lookup("find_customer", "email")
                return by_email + self._lookup("find_customer_by_phone", "phone")
            case Fact.SUBSCRIPTION:
                return self._lookup("get_subscription", "customer_id")
            case Fact.INVOICES:
                return self._lookup("list_invoices", "customer_id")
            case Fact.INVOICE_DETAILS:
                return [
                    Lookup("get_invoice", {"invoice_id": id_}) for id_ in self._unread_invoices()
                ]
            case Fact.HISTORY:
                return self._lookup("list_tickets", "customer_id")
            case Fact.ARTICLES:
                return self._lookup("search_articles", "query")
            case Fact.ARTICLE_TEXTS:
                return [
                    Lookup("get_article", {"article_id": id_}) for id_ in self._unread_articles()
                ]

    def calls_missing(self, fact: Fact) -> int:
        """Return how many calls of the desk's tools a missing fact costs, as far as is known."""
        if self.has(fact):
            return 0
        if fact is Fact.INVOICE_DETAILS:
            return len(self._unread_invoices()) or 1
        if fact is Fact.ARTICLE_TEXTS:
            return len(self._unread_articles()) or 1
        return 1

    def accept(self, tool: str, value: Json) -> None:
        """Keep what a tool of the desk returned, unless it is malformed or about something else."""
        accept = self._ACCEPT.get(tool)
        if accept is None:
            return
        try:
            accept(self, value)
        except RecordError:
            return

    def _lookup(self, tool: str, parameter: str) -> list[Lookup]:
        known = self.known_values()
        return [Lookup(tool, {parameter: known[parameter]})] if parameter in known else []

    def _unread_invoices(self) -> list[str]:
        entries = self.invoices or ()
        return [entry.invoice_id for entry in entries if entry.invoice_id not in self._details]

    def _unread_articles(self) -> list[str]:
        return [article_id for article_id in self.found if article_id not in self._texts]

    def _accept_ticket(self, value: Json) -> None:
        ticket = Ticket.read(value)
        if ticket.ticket_id == self.assignment.ticket_id and self.ticket is None:
            self.ticket = ticket
            instead = _SEARCH_INSTEAD.get(self.assignment.queue)
            self._queries = [ticket.subject] + ([instead] if instead else [])

    def _accept_customer(self, value: Json) -> None:
        customer = Customer.read(value)
        if self.ticket and (
            customer.email == self.ticket.sender_email or customer.phone == self.ticket.sender_phone
        ):
            self.customer = customer

    def _accept_subscription(self, value: Json) -> None:
        if self._is_customers(value):
            self.subscription = Subscription.read(value)

    def _accept_invoices(self, value: Json) -> None:
        if self._is_customers(value):
            entries = objects(value, "invoices")
            self.invoices = tuple(InvoiceEntry.read(entry) for entry in entries)

    def _accept_invoice(self, value: Json) -> None:
        invoice = Invoice.read(value)
        if self._is_customers(value):
            self._details[invoice.invoice_id] = invoice

    def _accept_history(self, value: Json) -> None:
        if self._is_customers(value):
            tickets = objects(value, "tickets")
            self.history = tuple(PastTicket.read(ticket) for ticket in tickets)

    def _accept_articles(self, value: Json) -> None:
        # Only the search that is due counts: a tool that searched for other words found articles
        # for somebody else's question.
        if self._queries and text(value, "query") == self._queries[0]:
            articles = objects(value, "articles")
            self.found = tuple(text(article, "article_id") for article in articles)
            self._queries = [] if self.found else self._queries[1:]

    def _accept_article(self, value: Json) -> None:
        article = Article.read(value)
        self._texts[article.article_id] = article

    def _is_customers(self, value: Json) -> bool:
        customer = self.customer
        return customer is not None and text(value, "customer_id") == customer.customer_id

    _ACCEPT: Mapping[str, Callable[[Case, Json], None]] = {
        "get_ticket": _accept_ticket,
        "find_customer": _accept_customer,
        "find_customer_by_phone": _accept_customer,
        "get_subscription": _accept_subscription,
        "list_invoices": _accept_invoices,
        "get_invoice": _accept_invoice,
        "list_tickets": _accept_history,
        "search_articles": _accept_articles,
        "get_article": _accept_article,
    }
