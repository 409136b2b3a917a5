"""The planner: greedy by calls saved, with parameters that are known, and reading only."""

from __future__ import annotations

from toolguild.cli.demo.case import Case, Fact
from toolguild.cli.demo.desk import Assignment
from toolguild.cli.demo.planner import Offer, Planner

CASE = ("T-1", "duplicate_charge")
WANTED = [Fact.TICKET, Fact.CUSTOMER, Fact.SUBSCRIPTION, Fact.INVOICES, Fact.INVOICE_DETAILS]


def names(planner: Planner, case: Case, wanted: list[Fact] = WANTED) -> list[str]:
    return [offer.name for offer, _ in planner.offers_for(case, wanted)]


def with_invoices(count: int) -> Case:
    case = Case(Assignment(*CASE))
    ticket = {"ticket_id": "T-1", "sender_email": "a@b", "sender_phone": None}
    case.accept("get_ticket", {**ticket, "subject": "s", "body": ""})
    customer = {"customer_id": "C-1", "name": "Ada", "email": "a@b", "phone": "1", "locked": False}
    case.accept("find_customer", customer)
    entries = [{"invoice_id": f"INV-{n}", "status": "paid"} for n in range(count)]
    case.accept("list_invoices", {"customer_id": "C-1", "invoices": entries})
    return case


def test_the_offer_that_tells_more_wanted_facts_comes_first() -> None:
    small = Offer("small", ("ticket_id",), {"a": "get_ticket", "b": "find_customer"})
    large = Offer("large", ("ticket_id",), {**small.provides, "c": "get_subscription"})
    assert names(Planner([small, large]), Case(Assignment(*CASE))) == ["large", "small"]


def test_among_equals_the_offer_that_reads_less_comes_first() -> None:
    small = Offer("z_small", ("ticket_id",), {"a": "get_ticket", "b": "find_customer"})
    large = Offer("a_large", ("ticket_id",), {**small.provides, "c": "list_tickets"})
    assert names(Planner([large, small]), Case(Assignment(*CASE))) == ["z_small", "a_large"]


def test_an_offer_waits_until_its_parameters_are_known() -> None:
    offer = Offer("account", ("customer_id",), {"s": "get_subscription", "i": "get_invoice"})
    planner = Planner([offer])
    assert names(planner, Case(Assignment(*CASE))) == []
    [(_, lookup)] = planner.offers_for(with_invoices(3), WANTED)
    assert (lookup.tool, lookup.arguments) == ("account", {"customer_id": "C-1"})


def test_an_offer_that_saves_no_call_is_left() -> None:
    offer = Offer("batch", ("invoice_ids",), {"details": "get_invoice"})
    assert names(Planner([offer]), with_invoices(1)) == []
    [(_, lookup)] = Planner([offer]).offers_for(with_invoices(2), WANTED)
    assert lookup.arguments == {"invoice_ids": ["INV-0", "INV-1"]}


def test_an_offer_that_writes_or_calls_the_unknown_is_never_taken() -> None:
    reads = {"a": "get_ticket", "b": "find_customer", "c": "get_subscription"}
    writing = Offer("writing", ("ticket_id",), {**reads, "d": "unlock_account"})
    unknown = Offer("unknown", ("ticket_id",), {**reads, "d": "some_other_tool"})
    assert names(Planner([writing, unknown]), Case(Assignment(*CASE))) == []


def test_the_results_of_a_loop_come_one_by_one() -> None:
    offer = Offer("o", (), {"one": "list_invoices", "many": "get_invoice"})
    value = {"one": {"customer_id": "C-1"}, "many": [{"invoice_id": "1"}, {"invoice_id": "2"}]}
    assert list(offer.results(value)) == [
        ("list_invoices", {"customer_id": "C-1"}),
        ("get_invoice", {"invoice_id": "1"}),
        ("get_invoice", {"invoice_id": "2"}),
    ]
    assert list(offer.results("text")) == []


def test_a_search_for_other_words_does_not_count() -> None:
    case = with_invoices(0)
    found = {"articles": [{"article_id": "KB-1", "title": "t"}]}
    case.accept("search_articles", {"query": "something else", **found})
    assert not case.has(Fact.ARTICLES)
    case.accept("search_articles", {"query": "s", **found})
    assert case.has(Fact.ARTICLES)
