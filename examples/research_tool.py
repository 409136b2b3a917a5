"""A research agent that wraps an interface which it keeps using into a tool.

Every question takes the same three calls: search the library, fetch the document that is found, and
extract what was asked for. Of the traces of its runs a tool is made that does all three, which is
proved in a sandbox and tried on held-out questions like any other change.

The model knows no order of calls. Of what it may call with what it has in hand, it calls what does
the most by its description (`plain_model.next_call`): so it takes to a tool that is offered to it
and knows nothing of one that is not.

Run it with `python -m examples.research_tool`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from examples.plain_model import Seen, finish, next_call, plain_model
from examples.workplace import run, workplace
from toolguild.agent.evaluation import Exact
from toolguild.agent.improvement import TaskCase
from toolguild.agent.own_tools import function_tool, tool
from toolguild.agent.scripted import Turn
from toolguild.sandbox import Json

ISLANDS = ("Arva", "Belo", "Corro", "Drund", "Elva", "Forn", "Gesk", "Halm", "Irra", "Jorn")
FACTS = {
    name: {
        "area": f"{120 + 37 * number} km2",
        "population": f"{900 + 410 * number} people",
        "harbour": f"Port {ISLANDS[-1 - number]}",
    }
    for number, name in enumerate(ISLANDS)
}
ITEMS = ("area", "population", "harbour")


@tool("read")
def search(topic: str) -> dict[str, Json]:
    """Find the document of the library that is about a topic.

    Args:
        topic: What it is about.
    """
    number = ISLANDS.index(topic)
    return {"document_id": f"doc-{700 + 13 * number}", "pages": 3 + number % 4}


@tool("read")
def fetch(document_id: str) -> dict[str, Json]:
    """Fetch a document of the library.

    Args:
        document_id: Its id.
    """
    name = ISLANDS[(int(document_id.removeprefix("doc-")) - 700) // 13]
    told = [f"The {item} of {name} is {value}." for item, value in FACTS[name].items()]
    return {"text": " ".join((f"{name} is an island of the north.", *told))}


@tool("read")
def extract(text: str, item: str) -> dict[str, Json]:
    """Extract one item from a text.

    Args:
        text: The text.
        item: What is looked for.
    """
    found = re.search(rf"The {re.escape(item)} of \w+ is ([^.]*)\.", text)
    return {"answer": found[1] if found else "not found"}


@tool("read")
def translate(sentence: str, language: str) -> str:
    """Translate a sentence into another language.

    Args:
        sentence: The sentence.
        language: The other language.
    """
    return f"[{language}] {sentence}"


TOOLS = {one.__name__: function_tool(one) for one in (search, fetch, extract, translate)}


def act(seen: Seen) -> Turn:
    """Call what leads on from what is in hand, until there is an answer."""
    [(item, topic)] = re.findall(r"What is the (.+) of (.+)\?", seen.task)
    in_hand = {"item": item, "topic": topic, **seen.found}
    call = None if "answer" in in_hand else next_call(seen, in_hand)
    return call or finish(in_hand.get("answer", "unknown"))


def questions(names: Iterable[str]) -> list[TaskCase]:
    """Return a question on each of some islands, and its answer."""
    cases = []
    for number, name in enumerate(names):
        item = ITEMS[number % len(ITEMS)]
        cases.append(TaskCase(name, f"What is the {item} of {name}?", Exact(FACTS[name][item])))
    return cases


async def main() -> None:
    """Practise, improve, and undo."""
    practice, held_out, fresh = map(questions, (ISLANDS[:5], ISLANDS[5:7], ISLANDS[7:]))
    model = plain_model(act, knows={"search", "fetch", "extract"})
    async with workplace(model, TOOLS) as place:
        print(f"before: {await place.trial(fresh)}")
        await place.practise(practice)
        await place.improve(held_out, place.new_tools())
        print(f"after:  {await place.trial(fresh)}")
        place.undo()
        print(f"undone: {await place.trial(fresh)}")


if __name__ == "__main__":
    run(main())
