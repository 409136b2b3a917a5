"""The support desk in stages: what learned tools save, what they cost, and the same database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

support_desk = pytest.importorskip(
    "benchmarks.stage_loop.support_desk", reason="run in the repository only"
)

from benchmarks.stage_loop.desk_offers import cover, flags_for, offers_in  # noqa: E402
from benchmarks.stage_loop.desk_report import desk_broken  # noqa: E402
from toolguild.cli.demo.case import Fact  # noqa: E402
from toolguild.cli.demo.desk import Assignment, Desk  # noqa: E402
from toolguild.registry import Registry, openai_function  # noqa: E402
from toolguild.sandbox import Sandbox, open_sandbox  # noqa: E402


class Learned(NamedTuple):
    desk: Path
    fresh: list[Assignment]
    """Tickets that nothing was learned from."""
    registry: Registry
    sandbox: Sandbox

    def compare(self, tickets: list[Assignment]) -> Any:
        return support_desk.compare("", self.desk, tickets, self.registry, self.sandbox)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learned]:
    folder = tmp_path_factory.mktemp("desk")
    with open_sandbox("local") as sandbox, Registry.open(folder / "tools.db") as registry:
        desk = support_desk.new_desk(folder)
        fresh = support_desk.learn_from(desk, folder, registry, sandbox)
        yield Learned(desk, fresh, registry, sandbox)


def test_learned_tools_save_half_of_the_calls_and_two_fifths_of_what_is_read(
    learned: Learned,
) -> None:
    compared = learned.compare(learned.fresh)
    assert desk_broken([compared]) == []
    assert compared.without.inside == 0
    assert compared.with_learned.inside > compared.with_learned.calls


def test_without_learned_tools_nothing_is_saved(learned: Learned, tmp_path: Path) -> None:
    with Registry.open(tmp_path / "empty.db") as empty:
        compared = learned._replace(registry=empty).compare(learned.fresh[:4])
    assert compared.without == compared.with_learned
    assert len(desk_broken([compared])) == 2


def test_where_a_learned_tool_fails_another_stage_goes_on_with_the_desks_own(
    learned: Learned,
) -> None:
    with Desk(learned.desk) as desk:
        [stranger] = [one for one in learned.fresh if is_stranger(desk, one)]
    compared = learned.compare([stranger])
    assert compared.is_right(compared.with_learned)
    assert (compared.without.stages, compared.with_learned.stages) == (1, 2)
    assert compared.calls_saved < 0


def is_stranger(desk: Desk, ticket: Assignment) -> bool:
    sender = desk.call("get_ticket", {"ticket_id": ticket.ticket_id}).value
    return isinstance(sender, dict) and str(sender["sender_email"]).endswith("@mail.example.net")


SEARCH = "then search_articles{}, then get_article for every item of `articles.articles`"


def told(description: str) -> list[dict[str, str]]:
    return [{"name": "learned", "description": description}]


@pytest.mark.parametrize(("fixed", "expected"), [("", 3), (" with a fixed `query`", 1)])
def test_what_a_tool_looks_for_by_itself_is_not_counted_on(fixed: str, expected: int) -> None:
    [offer] = offers_in(told(f"Call get_ticket, {SEARCH.format(fixed)}, and return all."))
    assert len(offer.provides) == expected
    wanted = [Fact.TICKET, Fact.ARTICLES, Fact.ARTICLE_TEXTS]
    assert cover([offer], wanted) == (([], wanted) if fixed else ([offer], []))


def test_a_tool_that_writes_is_left_alone() -> None:
    assert offers_in(told("Call list_tickets, then unlock_account, and return all.")) == []


def test_what_is_not_missing_is_switched_off() -> None:
    flag = {
        "type": "boolean",
        "default": True,
        "description": "Whether list_invoices is called, too",
    }
    parameters: Any = {
        "type": "object",
        "properties": {"ticket_id": {"type": "string"}, "more": flag},
    }
    parameters |= {"required": ["ticket_id"], "additionalProperties": False}
    asked: Any = openai_function("learned", "Call get_ticket, then list_invoices.", parameters)
    [offer] = offers_in([asked["function"]])
    assert offer.parameters == ("ticket_id",)
    shown = asked["function"]["parameters"]
    assert flags_for(shown, [Fact.TICKET]) == {"more": False}
    assert flags_for(shown, [Fact.INVOICES]) == {"more": True}
