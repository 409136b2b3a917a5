"""The scripted agent: what it does follows from the data, with or without better tools."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.cli.demo.agent import ScriptedAgent
from toolguild.cli.demo.database import connect, create_tables
from toolguild.cli.demo.desk import Assignment, Desk, DeskResult
from toolguild.cli.demo.planner import Offer, Planner
from toolguild.cli.demo.runs import Run
from toolguild.cli.demo.seed import FIRST_RUN, create_desk
from toolguild.sandbox import Json, JsonObject

# How a composite gets each argument: from its own parameters, or else from an earlier result.
FLOWS = {
    "get_ticket": ("ticket_id", None, None),
    "find_customer": ("email", "get_ticket", "sender_email"),
    "get_subscription": ("customer_id", "find_customer", "customer_id"),
    "list_invoices": ("customer_id", "find_customer", "customer_id"),
    "list_tickets": ("customer_id", "find_customer", "customer_id"),
    "search_articles": ("query", "get_ticket", "subject"),
}
LOOPS = {
    "get_invoice": ("list_invoices", "invoices", "invoice_id"),
    "get_article": ("search_articles", "articles", "article_id"),
}
CHAIN = (
    "get_ticket",
    "find_customer",
    "get_subscription",
    "list_invoices",
    "get_invoice",
    "list_tickets",
    "search_articles",
    "get_article",
)


def composite(name: str, tools: Collection[str]) -> Offer:
    """Return the offer of a tool that calls those tools of the chain, in its order."""
    chosen = [tool for tool in CHAIN if tool in tools]
    chosen = [tool for tool in chosen if tool not in LOOPS or LOOPS[tool][0] in chosen]
    parameters: dict[str, None] = {}
    for tool in chosen:
        if tool in FLOWS and FLOWS[tool][1] not in chosen:
            parameters[FLOWS[tool][0]] = None
    keys = {f"step_{number}": tool for number, tool in enumerate(chosen, start=1)}
    return Offer(name, tuple(parameters), keys)


class WithOffers:
    """The desk's tools and composites of them, run here as a sandbox would run them."""

    def __init__(self, desk: Desk, offers: Sequence[Offer]) -> None:
        self.desk = desk
        self.offers = {offer.name: offer for offer in offers}

    def names(self) -> Collection[str]:
        return self.desk.names() | self.offers.keys()

    def call(self, name: str, arguments: JsonObject) -> DeskResult:
        if name not in self.offers:
            return self.desk.call(name, arguments)
        done: dict[str, Json] = {}
        for tool in self.offers[name].provides.values():
            if tool in LOOPS:
                source, items, key = LOOPS[tool]
                calls = [{key: entry[key]} for entry in done[source][items]]
            else:
                key, source, field = FLOWS[tool]
                calls = [{key: arguments[key] if key in arguments else done[source][field]}]
            results = [self.desk.call(tool, call) for call in calls]
            for result in results:
                if result.error:
                    return DeskResult(None, f"{tool}: {result.error}")
            values: list[Json] = [result.value for result in results]
            done[tool] = values if tool in LOOPS else values[0]
        return DeskResult({key: done[tool] for key, tool in self.offers[name].provides.items()})


def work(
    path: Path, offers: Sequence[Offer] = (), tools: type[WithOffers] = WithOffers
) -> tuple[list[Run], str]:
    """Work the open tickets of a copy of a desk; return the runs and the digest of the end."""
    with tempfile.TemporaryDirectory() as folder:
        with Desk(path) as original:
            original.snapshot(Path(folder) / "copy.db")
        with Desk(Path(folder) / "copy.db") as desk:
            agent = ScriptedAgent(tools(desk, offers), Planner(offers))
            return agent.work(desk.open_tickets()), desk.digest()


def calls(runs: Sequence[Run]) -> int:
    return sum(len(run.calls) for run in runs)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    create_desk(path)
    return path


@pytest.fixture(scope="module")
def plain(path: Path) -> tuple[list[Run], str]:
    return work(path)


def test_the_same_desk_is_worked_the_same_way_twice(path: Path, plain) -> None:
    assert work(path) == plain


def test_every_ticket_gets_one_reply_as_its_last_call(plain) -> None:
    runs, _ = plain
    for run in runs:
        assert [call.tool for call in run.calls].count("update_ticket") == 1
        assert run.calls[-1].tool == "update_ticket"
        assert run.calls[-1].error is None
        assert run.calls[-1].arguments == {
            "ticket_id": run.ticket_id,
            "status": run.status,
            "reply": run.reply,
        }


def test_tickets_are_worked_in_many_ways(plain) -> None:
    runs, _ = plain
    shapes = {tuple(dict.fromkeys(call.tool for call in run.calls)) for run in runs}
    assert len(shapes) > 12
    assert {run.status for run in runs} >= {"closed", "waiting"}


def test_a_sender_unknown_by_address_is_looked_up_by_telephone(plain) -> None:
    runs, _ = plain
    failed = [run for run in runs if any(call.error for call in run.calls)]
    assert 2 <= len(failed) <= len(runs) // 3
    for run in failed:
        tools = [call.tool for call in run.calls]
        assert "find_customer_by_phone" in tools or run.status == "waiting"


def test_a_search_without_a_hit_is_tried_once_more_with_other_words(plain) -> None:
    again = 0
    for run in plain[0]:
        searches = [call for call in run.calls if call.tool == "search_articles"]
        for search, following in pairwise(searches):
            again += 1
            assert search.result == {**search.arguments, "articles": []}
            assert following.arguments != search.arguments
    assert again > 0


def test_one_tool_for_the_whole_context_saves_a_fifth_of_the_calls_on_fresh_tickets(
    path: Path, plain
) -> None:
    context = composite("customer_context", CHAIN[:5])
    runs, digest = work(path, [context])
    assert calls(runs[FIRST_RUN:]) < 0.8 * calls(plain[0][FIRST_RUN:])
    assert digest == plain[1]


def test_a_tool_that_fails_costs_its_call_and_nothing_else(path: Path, plain) -> None:
    class Broken(WithOffers):
        def call(self, name: str, arguments: JsonObject) -> DeskResult:
            if name in self.offers:
                return DeskResult(None, "TimeoutError: too slow")
            return super().call(name, arguments)

    offer = composite("context", CHAIN)
    runs, digest = work(path, [offer], Broken)
    assert digest == plain[1]
    assert calls(runs) == calls(plain[0]) + len(runs)


@settings(max_examples=25, deadline=None)
@given(
    chosen=st.lists(
        st.sets(st.sampled_from(CHAIN), min_size=1), min_size=1, max_size=4, unique_by=frozenset
    )
)
def test_offers_change_the_calls_but_neither_the_end_nor_the_replies(
    path: Path, plain, chosen: list[set[str]]
) -> None:
    offers = [composite(f"tool_{number}", tools) for number, tools in enumerate(chosen)]
    runs, digest = work(path, offers)
    assert digest == plain[1]
    assert [run.reply for run in runs] == [run.reply for run in plain[0]]
    # A composite that fails, since an address is unknown, is an extra call and not a saving.
    failed = sum(
        call.tool.startswith("tool_") and bool(call.error) for r in runs for call in r.calls
    )
    assert calls(runs) - failed <= calls(plain[0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("customer_id", "ticket_id", "lines", "status")), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(answers=st.lists(JSON, min_size=8, max_size=8), whole=st.booleans())
def test_a_tool_that_answers_nonsense_is_not_believed(
    path: Path, plain, answers: list[Json], whole: bool
) -> None:
    offer = composite("context", CHAIN if whole else CHAIN[2:6])

    class Lying(WithOffers):
        def call(self, name: str, arguments: JsonObject) -> DeskResult:
            if name in self.offers:
                return DeskResult(dict(zip(offer.provides, answers, strict=False)))
            return super().call(name, arguments)

    assert work(path, [offer], Lying)[1] == plain[1]


@pytest.mark.parametrize("other", ["C-1001", "C-1020", "C-1040"])
def test_a_tool_that_tells_of_another_customer_is_not_believed(
    path: Path, plain, other: str
) -> None:
    offer = composite("account", CHAIN[2:6])

    class MixedUp(WithOffers):
        def call(self, name: str, arguments: JsonObject) -> DeskResult:
            wrong: JsonObject = {"customer_id": other}
            return super().call(name, wrong if name in self.offers else arguments)

    runs, digest = work(path, [offer], MixedUp)
    assert any(call.tool == "account" for run in runs for call in run.calls)
    assert digest == plain[1]


@pytest.mark.parametrize("other", ["T-2001", "T-3001", "T-3060"])
def test_a_tool_that_tells_of_another_ticket_is_not_believed(path: Path, plain, other: str) -> None:
    offer = composite("context", CHAIN)

    class MixedUp(WithOffers):
        def call(self, name: str, arguments: JsonObject) -> DeskResult:
            wrong: JsonObject = {"ticket_id": other}
            return super().call(name, wrong if name in self.offers else arguments)

    assert work(path, [offer], MixedUp)[1] == plain[1]


LINES = st.sampled_from(
    (
        ("Team plan, May 2026", 2, 3800),
        ("Team plan, June 2026", 2, 3800),
        ("Additional seats, May 2026", 2, 3800),
        ("Onboarding session", 1, 12_000),
    )
)
INVOICES = st.lists(
    st.tuples(
        st.sampled_from(("paid", "paid", "open", "refunded")),
        st.lists(LINES, min_size=1, max_size=2, unique=True),
    ),
    max_size=7,
)


def small_desk(path: Path, invoices: Sequence[tuple[str, list[tuple[str, int, int]]]]) -> None:
    """Write a desk of one customer with these invoices and one ticket about a double charge."""
    with closing(connect(path)) as connection, connection:
        create_tables(connection)
        connection.execute(
            "INSERT INTO customers VALUES ('C-1', 'Ada Example', 'ada@example.com', '+44', '', '',"
            " '', 0)"
        )
        connection.execute(
            "INSERT INTO tickets VALUES ('T-1', 'duplicate_charge', 'ada@example.com', NULL,"
            " 'Charged twice', '', 'open', NULL)"
        )
        for number, (status, lines) in enumerate(invoices):
            invoice_id = f"INV-{number}"
            connection.execute(
                "INSERT INTO invoices VALUES (?, 'C-1', ?, ?)",
                (invoice_id, f"2026-05-{number + 1:02}", status),
            )
            connection.executemany(
                "INSERT INTO invoice_lines VALUES (?, ?, ?, ?, ?)",
                [(invoice_id, position, *line) for position, line in enumerate(lines)],
            )


@settings(max_examples=60, deadline=None)
@given(invoices=INVOICES)
def test_what_is_refunded_is_each_repeat_and_nothing_else(
    invoices: list[tuple[str, list[tuple[str, int, int]]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.db"
        small_desk(path, invoices)
        with Desk(path) as desk:
            [run] = ScriptedAgent(desk).work([Assignment("T-1", "duplicate_charge")])
        with closing(connect(path)) as connection:
            after = [row[0] for row in connection.execute("SELECT status FROM invoices ORDER BY 1")]
            still_paid = {
                row[0]
                for row in connection.execute(
                    "SELECT invoice_id FROM invoices WHERE status = 'paid'"
                )
            }
            refunded = [row[0] for row in connection.execute("SELECT invoice_id FROM refunds")]
    paid = {f"INV-{i}": lines for i, (status, lines) in enumerate(invoices) if status == "paid"}
    kept = [paid[invoice_id] for invoice_id in still_paid]
    # Nothing is paid twice any more, and whatever was paid back is still paid once.
    assert all(kept.count(lines) == 1 for lines in kept)
    assert all(paid[invoice_id] in kept for invoice_id in refunded)
    assert len(after) == len(invoices)
    assert run.status == "closed"
    assert ("we refunded" in run.reply) == bool(refunded)


def test_the_same_sum_in_the_same_month_is_no_repeat(tmp_path: Path) -> None:
    plan, seats = ("Team plan, May 2026", 2, 3800), ("Additional seats, May 2026", 2, 3800)
    small_desk(tmp_path / "small.db", [("paid", [plan]), ("paid", [seats])])
    with Desk(tmp_path / "small.db") as desk:
        [run] = ScriptedAgent(desk).work(desk.open_tickets())
    assert "issue_refund" not in [call.tool for call in run.calls]
    assert "none that you paid repeats another" in run.reply


def test_a_refund_that_the_desk_turns_down_escalates_the_ticket(tmp_path: Path) -> None:
    class NoRefunds(WithOffers):
        def call(self, name: str, arguments: JsonObject) -> DeskResult:
            if name == "issue_refund":
                return DeskResult(None, "the bank does not answer")
            return super().call(name, arguments)

    line = ("Team plan, May 2026", 2, 3800)
    small_desk(tmp_path / "small.db", [("paid", [line]), ("paid", [line])])
    with Desk(tmp_path / "small.db") as desk:
        [run] = ScriptedAgent(NoRefunds(desk, [])).work(desk.open_tickets())
    assert run.status == "escalated"
    assert "refunded" not in run.reply
    assert run.calls[-2].error == "the bank does not answer"


def test_an_open_invoice_keeps_a_subscription_from_being_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "small.db"
    small_desk(path, [("open", [("Onboarding session", 1, 12_000)])])
    with closing(connect(path)) as connection, connection:
        connection.execute("UPDATE tickets SET queue = 'cancellation'")
        connection.execute(
            "INSERT INTO subscriptions VALUES ('S-1', 'C-1', 'Team', 1, 'active', '2026-12-01')"
        )
    with Desk(path) as desk:
        [waiting] = ScriptedAgent(desk).work(desk.open_tickets())
        assert waiting.status == "waiting"
        assert "INV-0" in waiting.reply
    with closing(connect(path)) as connection, connection:
        connection.execute("UPDATE invoices SET status = 'paid'")
    with Desk(path) as desk:
        [closed] = ScriptedAgent(desk).work([Assignment("T-1", "cancellation")])
    assert closed.status == "closed"
    assert [call.tool for call in closed.calls][-2:] == ["cancel_subscription", "update_ticket"]


@pytest.mark.parametrize(("earlier", "status"), [(0, "closed"), (1, "closed"), (2, "escalated")])
def test_a_locked_account_is_opened_unless_it_keeps_locking(
    tmp_path: Path, earlier: int, status: str
) -> None:
    path = tmp_path / "small.db"
    small_desk(path, [])
    with closing(connect(path)) as connection, connection:
        connection.execute("UPDATE customers SET locked = 1")
        connection.execute("UPDATE tickets SET queue = 'login', subject = 'Forgotten password'")
        connection.execute("INSERT INTO articles VALUES ('KB-1', 'Password', 'password', 'Reset.')")
        connection.executemany(
            "INSERT INTO tickets VALUES"
            " (?, 'login', 'ada@example.com', NULL, '', '', 'closed', NULL)",
            [(f"T-0{number}",) for number in range(earlier)],
        )
    with Desk(path) as desk:
        [run] = ScriptedAgent(desk).work(desk.open_tickets())
    assert run.status == status
    assert ("unlock_account" in [call.tool for call in run.calls]) == (status == "closed")


def test_a_queue_that_the_agent_does_not_know_goes_to_a_person(tmp_path: Path) -> None:
    small_desk(tmp_path / "small.db", [])
    with Desk(tmp_path / "small.db") as desk:
        [run] = ScriptedAgent(desk).work([Assignment("T-1", "gift_cards")])
    assert run.status == "escalated"


def test_a_ticket_that_is_not_there_ends_with_the_errors_recorded(tmp_path: Path) -> None:
    small_desk(tmp_path / "small.db", [])
    with Desk(tmp_path / "small.db") as desk:
        [run] = ScriptedAgent(desk).work([Assignment("T-404", "login")])
    assert [call.error for call in run.calls] == ["there is no ticket T-404"] * 2
