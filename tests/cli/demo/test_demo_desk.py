"""The desk: the same for its seed, tools that do what they say, a digest that sees every change."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest

from toolguild.cli.demo.database import DeskError, connect
from toolguild.cli.demo.desk import Desk
from toolguild.cli.demo.seed import FIRST_RUN, create_desk
from toolguild.cli.demo.tools import DESK_TOOLS, READ_TOOLS
from toolguild.sandbox import Json, JsonObject


@pytest.fixture
def desk(tmp_path: Path):
    create_desk(tmp_path / "desk.db")
    with Desk(tmp_path / "desk.db") as desk:
        yield desk


def value(desk: Desk, tool: str, **arguments: Json) -> JsonObject:
    result = desk.call(tool, arguments)
    assert result.error is None
    assert isinstance(result.value, dict)
    return result.value


def first_id(query: str, path: Path) -> str:
    with closing(connect(path)) as connection:
        return str(connection.execute(query).fetchone()[0])


def test_the_same_seed_gives_the_same_desk_in_any_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from toolguild.cli.demo.desk import Desk\n"
        "from toolguild.cli.demo.seed import create_desk\n"
        "path = Path(sys.argv[1]); create_desk(path, seed=3)\n"
        "with Desk(path) as desk: print(desk.digest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / f"{hash_seed}.db")],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_gives_another_desk(tmp_path: Path) -> None:
    digests = set()
    for seed in range(4):
        create_desk(tmp_path / f"{seed}.db", seed=seed)
        with Desk(tmp_path / f"{seed}.db") as desk:
            digests.add(desk.digest())
    assert len(digests) == 4


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    path.write_text("mine")
    with pytest.raises(DeskError, match=r"mine\.db exists"):
        create_desk(path)
    assert path.read_text() == "mine"


def test_both_parts_of_the_open_tickets_have_every_queue(desk: Desk) -> None:
    tickets = desk.open_tickets()
    assert (FIRST_RUN, len(tickets)) == (40, 60)
    first, fresh = tickets[:FIRST_RUN], tickets[FIRST_RUN:]
    assert {ticket.queue for ticket in first} == {ticket.queue for ticket in fresh}
    assert len({ticket.queue for ticket in first}) == 6


def test_lists_of_invoices_have_many_lengths_with_none_and_one_among_them(desk: Desk) -> None:
    lengths = set()
    for number in range(1001, 1041):
        invoices = value(desk, "list_invoices", customer_id=f"C-{number}")["invoices"]
        assert isinstance(invoices, list)
        lengths.add(len(invoices))
    assert {0, 1, 2} < lengths


def test_every_schema_is_valid_and_describes_what_the_tool_takes(desk: Desk) -> None:
    for tool in DESK_TOOLS.values():
        jsonschema.Draft202012Validator.check_schema(tool.parameters)
        assert tool.description
        missing = desk.call(tool.name, {})
        assert missing.error is not None
        assert f"{tool.name} takes" in missing.error


def test_reading_changes_nothing(desk: Desk) -> None:
    before = desk.digest()
    ticket = desk.open_tickets()[0].ticket_id
    samples: dict[str, Json] = {
        "ticket_id": ticket,
        "customer_id": "C-1001",
        "email": "nobody@example.com",
        "phone": "+44 20 7946 0101",
        "invoice_id": "INV-20401",
        "article_id": "KB-101",
        "query": "password",
    }
    for name in READ_TOOLS:
        desk.call(name, {key: samples[key] for key in DESK_TOOLS[name].takes})
    assert desk.digest() == before


@pytest.mark.parametrize("name", sorted(DESK_TOOLS))
def test_an_unknown_id_is_an_error_which_changes_nothing(desk: Desk, name: str) -> None:
    if name == "search_articles":
        assert value(desk, name, query="zzz") == {"query": "zzz", "articles": []}
        return
    before = desk.digest()
    arguments: JsonObject = {
        key: "unknown" if kind is str else 1 for key, kind in DESK_TOOLS[name].takes.items()
    }
    result = desk.call(name, arguments)
    assert result.value is None
    assert result.error is not None
    assert "unknown" in result.error
    assert desk.digest() == before


@pytest.mark.parametrize("wrong", [None, 1, True, ["C-1001"], {"a": 1}])
def test_an_argument_of_another_type_is_an_error(desk: Desk, wrong: Json) -> None:
    result = desk.call("get_subscription", {"customer_id": wrong})
    assert result.error == "get_subscription: customer_id must be of type str"


def test_a_bool_is_no_amount(desk: Desk) -> None:
    arguments: JsonObject = {"invoice_id": "INV-20401", "amount_cents": True, "reason": ""}
    assert "amount_cents must be" in (desk.call("issue_refund", arguments).error or "")


def test_an_unknown_tool_is_an_error(desk: Desk) -> None:
    assert desk.call("drop_tables", {}).error == "the desk has no tool 'drop_tables'"


def test_an_invoice_is_refunded_once_and_never_beyond_its_total(desk: Desk, tmp_path: Path) -> None:
    paid = "SELECT invoice_id FROM invoices WHERE status = 'paid' ORDER BY 1"
    invoice_id = first_id(paid, tmp_path / "desk.db")
    total = value(desk, "get_invoice", invoice_id=invoice_id)["total_cents"]
    assert isinstance(total, int)

    def refund(amount: int) -> str | None:
        arguments: JsonObject = {
            "invoice_id": invoice_id,
            "amount_cents": amount,
            "reason": "test",
        }
        return desk.call("issue_refund", arguments).error

    assert "cannot be refunded" in (refund(total + 1) or "")
    assert "cannot be refunded" in (refund(0) or "")
    before = desk.digest()
    assert refund(total) is None
    assert desk.digest() != before
    assert value(desk, "get_invoice", invoice_id=invoice_id)["status"] == "refunded"
    assert "is refunded: only a paid one" in (refund(total) or "")


def test_a_ticket_cannot_get_a_state_that_there_is_not(desk: Desk) -> None:
    ticket_id = desk.open_tickets()[0].ticket_id
    arguments: JsonObject = {"ticket_id": ticket_id, "status": "gone", "reply": ""}
    assert "cannot be 'gone'" in (desk.call("update_ticket", arguments).error or "")
    assert value(desk, "get_ticket", ticket_id=ticket_id)["status"] == "open"


def test_articles_are_found_by_their_words_best_match_first(desk: Desk) -> None:
    found = value(desk, "search_articles", query="Locked out of my account")["articles"]
    assert isinstance(found, list)
    assert found[0] == {"article_id": "KB-102", "title": "When your account is locked"}


def test_the_tools_can_be_called_from_many_threads(desk: Desk) -> None:
    read = desk.functions()["get_article"]
    with ThreadPoolExecutor(8) as pool:
        articles = list(pool.map(lambda _: read(article_id="KB-103"), range(200)))
    assert all(article == articles[0] for article in articles)


def test_functions_raise_what_calls_report(desk: Desk) -> None:
    with pytest.raises(DeskError, match="no customer C-0"):
        desk.functions()["get_subscription"](customer_id="C-0")


def test_a_snapshot_is_the_same_state_and_apart_from_it(desk: Desk, tmp_path: Path) -> None:
    desk.snapshot(tmp_path / "copy.db")
    with Desk(tmp_path / "copy.db") as copy:
        assert copy.digest() == desk.digest()
        copy.call("unlock_account", {"customer_id": "C-1001"})
        ticket_id = copy.open_tickets()[0].ticket_id
        arguments: JsonObject = {"ticket_id": ticket_id, "status": "closed", "reply": "Done."}
        assert copy.call("update_ticket", arguments).error is None
        assert copy.digest() != desk.digest()
