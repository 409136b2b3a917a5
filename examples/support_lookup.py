"""A support agent that turns standard resolutions into a lookup.

Whatever a ticket is about, its resolution stands in the handbook: the agent reads the ticket, goes
through the list of all chapters for the one on tickets of that kind, and opens it. Of its runs
a tool is made that looks a ticket's resolution up at once: which row of the list is the right one
is worked out from what the runs did, and held against runs that had no part in that.

The model knows no order of calls. Of what it may call with what it has in hand, it calls what does
the most by its description (`plain_model.next_call`), and in a list it looks for the row on the
kind of ticket that it has in hand.

Run it with `python -m examples.support_lookup`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from examples.plain_model import Seen, finish, next_call, plain_model
from examples.workplace import run, workplace
from toolguild.agent.evaluation import Exact
from toolguild.agent.improvement import TaskCase
from toolguild.agent.own_tools import function_tool, tool
from toolguild.agent.scripted import Turn
from toolguild.sandbox import Json

RESOLUTIONS = {
    "late parcel": "Apologize, trace the parcel, and refund the postage after ten days.",
    "broken item": "Ask for a photo, and send the item once more without charge.",
    "wrong size": "Send a label for the return, and reserve the right size for a week.",
    "double charge": "Refund the second charge, and say that it takes three days.",
    "lost password": "Send the link for a new password to the address on file.",
    "cancelled order": "Confirm that it is cancelled, and that nothing was charged.",
    "missing invoice": "Send the invoice of the order as a file.",
}
KINDS = [*RESOLUTIONS]
TICKETS = {f"T-{31 + 7 * number}": KINDS[number % 7] for number in range(14)}


@tool("read")
def get_ticket(ticket: str) -> dict[str, Json]:
    """Read a ticket.

    Args:
        ticket: Its number.
    """
    return {"customer": f"customer {ticket[2:]}", "kind": TICKETS[ticket]}


@tool("read")
def list_chapters() -> list[dict[str, Json]]:
    """List the chapters of the handbook, one for each kind of ticket."""
    return [{"kind": kind, "chapter": f"H-{3 * n + 2}"} for n, kind in enumerate(KINDS)]


@tool("read")
def get_chapter(chapter: str) -> dict[str, Json]:
    """Open a chapter of the handbook.

    Args:
        chapter: Its number.
    """
    kind = KINDS[(int(chapter.removeprefix("H-")) - 2) // 3]
    return {"title": f"On {kind}", "resolution": RESOLUTIONS[kind]}


@tool("read")
def list_holidays(year: int) -> list[str]:
    """List the days of a year on which nobody is at the desk.

    Args:
        year: The year.
    """
    return [f"{year}-01-01", f"{year}-12-25"]


TOOLS = {
    one.__name__: function_tool(one)
    for one in (get_ticket, list_chapters, get_chapter, list_holidays)
}


def act(seen: Seen) -> Turn:
    """Call what leads on from what is in hand, until there is a resolution."""
    in_hand: dict[str, Any] = {"ticket": seen.task.split()[-1].rstrip("?"), **seen.found}
    for row in in_hand.get("list_chapters", ()):
        if row["kind"] == in_hand.get("kind"):
            in_hand |= row
    call = None if "resolution" in in_hand else next_call(seen, in_hand)
    return call or finish(in_hand.get("resolution", "unknown"))


def tickets(numbers: Iterable[str]) -> list[TaskCase]:
    """Return a task for each ticket, with the resolution that it should get."""
    task = "How is a ticket like this resolved: {}?"
    return [TaskCase(one, task.format(one), Exact(RESOLUTIONS[TICKETS[one]])) for one in numbers]


async def main() -> None:
    """Practise, improve, and undo."""
    numbers = [*TICKETS]
    practice, held_out, fresh = map(tickets, (numbers[:5], numbers[5:7], numbers[7:]))
    model = plain_model(act, knows={"get_ticket", "list_chapters", "get_chapter"})
    async with workplace(model, TOOLS) as place:
        print(f"before: {await place.trial(fresh)}")
        await place.practise(practice)
        await place.improve(held_out, place.new_tools())
        print(f"after:  {await place.trial(fresh)}")
        place.undo()
        print(f"undone: {await place.trial(fresh)}")


if __name__ == "__main__":
    run(main())
