"""What the agent wants to know about a ticket, and what it does and answers, by the facts alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolguild.cli.demo.case import Case, Fact, Lookup
from toolguild.cli.demo.records import Customer, Invoice
from toolguild.sandbox import JsonObject

__all__ = ["TURNED_DOWN", "Decision", "decide", "repeated_charges", "wanted_facts"]

_MANY_LOGIN_TICKETS = 2
"""Earlier login tickets of a locked account from which on a person should look at it."""

_ACCOUNT = (Fact.SUBSCRIPTION, Fact.INVOICES, Fact.INVOICE_DETAILS)
"""What the desk's people look at before they answer anything about an account or its money."""

_WANTED = {
    "duplicate_charge": _ACCOUNT,
    "invoice_question": _ACCOUNT,
    "cancellation": _ACCOUNT,
    "address_change": _ACCOUNT,
    "plan_question": (Fact.SUBSCRIPTION, Fact.ARTICLES, Fact.ARTICLE_TEXTS),
    "login": (Fact.ARTICLES, Fact.ARTICLE_TEXTS),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """How a ticket ends: the writes to make, the state to leave it in, and the reply."""

    status: str
    reply: str
    writes: tuple[Lookup, ...] = ()


TURNED_DOWN = Decision("escalated", "Hello, a colleague will look at this in person.")
"""How a ticket ends where the desk turns down a write."""


def wanted_facts(case: Case) -> tuple[Fact, ...]:
    """Return the facts that the decision needs, as far as those known already tell."""
    wanted = (Fact.TICKET, Fact.CUSTOMER, *_WANTED.get(case.assignment.queue, ()))
    return (*wanted, Fact.HISTORY) if _needs_history(case) else wanted


def decide(case: Case) -> Decision:
    """Decide a ticket whose wanted facts have been gathered as far as they could be."""
    customer = case.customer
    decide_queue = _DECIDE.get(case.assignment.queue)
    if customer is None:
        return Decision(
            "waiting",
            "Hello, we found no account with your e-mail address or telephone number. Please"
            " write to us from the address of your account.",
        )
    decision = decide_queue(case, customer) if decide_queue else None
    if decision is None:
        return Decision("escalated", _letter(customer, "a colleague will look at this in person."))
    return decision


def repeated_charges(invoices: Sequence[Invoice]) -> list[tuple[Invoice, Invoice]]:
    """Return each paid invoice that repeats another one, as pairs of original and repeat.

    A repeat has the very lines of an earlier invoice, which name the month; the same total alone
    says nothing. Refunded invoices no longer count.
    """
    first: dict[tuple[object, ...], Invoice] = {}
    repeats = []
    for invoice in sorted(invoices, key=lambda invoice: (invoice.issued_on, invoice.invoice_id)):
        if invoice.status == "paid" and invoice.lines:
            original = first.setdefault(invoice.lines, invoice)
            if original is not invoice:
                repeats.append((original, invoice))
    return repeats


def _needs_history(case: Case) -> bool:
    match case.assignment.queue:
        case "duplicate_charge":
            return case.has(Fact.INVOICE_DETAILS) and not repeated_charges(case.details)
        case "login":
            return case.customer is not None and case.customer.locked
        case _:
            return False


def _duplicate_charge(case: Case, customer: Customer) -> Decision | None:
    if case.subscription is None or not case.has(Fact.INVOICE_DETAILS):
        return None
    repeats = repeated_charges(case.details)
    if repeats:
        found = " ".join(
            f"Invoice {repeat.invoice_id} repeats {original.invoice_id}"
            f" ({original.lines[0].description}): we refunded {_money(repeat.total_cents)}."
            for original, repeat in repeats
        )
        plan = case.subscription.plan
        writes = tuple(_refund(original, repeat) for original, repeat in repeats)
        goes_on = f" Nothing changes about your {plan} plan." if plan else ""
        return Decision("closed", _letter(customer, found + goes_on), writes)
    if case.history is None:
        return None
    earlier = [past for past in case.history if past.queue == "duplicate_charge"]
    asked = f" Tickets about this so far: {len(earlier)}." if len(earlier) > 1 else ""
    refunded = [invoice.invoice_id for invoice in case.details if invoice.status == "refunded"]
    paid_back = f" Already refunded: {', '.join(refunded)}." if refunded else ""
    answer = (
        f"we compared your {len(case.details)} invoices line by line and none that you paid"
        f" repeats another.{paid_back}{asked}"
    )
    return Decision("closed", _letter(customer, answer))


def _refund(original: Invoice, repeat: Invoice) -> Lookup:
    arguments: JsonObject = {
        "invoice_id": repeat.invoice_id,
        "amount_cents": repeat.total_cents,
        "reason": f"repeats {original.invoice_id}",
    }
    return Lookup("issue_refund", arguments)


def _plan_question(case: Case, customer: Customer) -> Decision | None:
    subscription = case.subscription
    if subscription is None or not case.texts:
        return None
    if subscription.status == "active":
        now = f"you have the {subscription.plan} plan (seats: {subscription.seats})."
    else:
        now = "you have no active subscription."
    return Decision("closed", _letter(customer, f"{now} {_help(case)}"))


def _login(case: Case, customer: Customer) -> Decision | None:
    if not case.texts:
        return None
    if not customer.locked:
        return Decision("closed", _letter(customer, _help(case)))
    if case.history is None:
        return None
    this = case.assignment.ticket_id
    earlier = [past for past in case.history if past.queue == "login" and past.ticket_id != this]
    if len(earlier) >= _MANY_LOGIN_TICKETS:
        return None
    unlock = Lookup("unlock_account", {"customer_id": customer.customer_id})
    answer = f"your account was locked and is open again. {_help(case)}"
    return Decision("closed", _letter(customer, answer), (unlock,))


def _cancellation(case: Case, customer: Customer) -> Decision | None:
    subscription = case.subscription
    if subscription is None or case.invoices is None:
        return None
    if subscription.status != "active":
        return Decision("closed", _letter(customer, "you have no active subscription to cancel."))
    unpaid = [entry.invoice_id for entry in case.invoices if entry.status == "open"]
    if unpaid:
        answer = f"before we can cancel, please pay what is open: {', '.join(unpaid)}."
        return Decision("waiting", _letter(customer, answer))
    cancel = Lookup("cancel_subscription", {"subscription_id": subscription.subscription_id})
    answer = f"your {subscription.plan} plan ends on {subscription.renews_on}."
    return Decision("closed", _letter(customer, answer), (cancel,))


def _address_change(case: Case, customer: Customer) -> Decision | None:
    if case.ticket is None or case.subscription is None:
        return None
    address = re.search(r"address is: ([^,]+), ([^,]+), ([^,.]+)\.", case.ticket.body)
    if address is None:
        return Decision("waiting", _letter(customer, "please send us your whole new address."))
    street, city, postcode = address.groups()
    change: JsonObject = {
        "customer_id": customer.customer_id,
        "street": street,
        "city": city,
        "postcode": postcode,
    }
    active = case.subscription.status == "active"
    first = f" from {case.subscription.renews_on} on" if active else ""
    answer = f"your invoices{first} go to {street}, {city}, {postcode}."
    return Decision("closed", _letter(customer, answer), (Lookup("update_address", change),))


def _invoice_question(case: Case, customer: Customer) -> Decision | None:
    if not case.has(Fact.INVOICE_DETAILS):
        return None
    if not case.details:
        return Decision("closed", _letter(customer, "we have sent you no invoice so far."))
    listed = "".join(
        f"\n{invoice.invoice_id}, {invoice.status}: {_money(invoice.total_cents)} for "
        + ", ".join(f"{line.quantity} x {line.description}" for line in invoice.lines)
        for invoice in case.details
    )
    return Decision("closed", _letter(customer, f"these are your invoices.{listed}"))


def _letter(customer: Customer, answer: str) -> str:
    return f"Hello {customer.name.split()[0]}, {answer}"


def _help(case: Case) -> str:
    best, *others = case.texts
    more = f" See also: {', '.join(article.title for article in others)}." if others else ""
    return f"{best.title}: {best.body}{more}"


def _money(cents: int) -> str:
    return f"GBP {cents // 100}.{cents % 100:02}"


_DECIDE: dict[str, Callable[[Case, Customer], Decision | None]] = {
    "duplicate_charge": _duplicate_charge,
    "plan_question": _plan_question,
    "login": _login,
    "cancellation": _cancellation,
    "address_change": _address_change,
    "invoice_question": _invoice_question,
}
