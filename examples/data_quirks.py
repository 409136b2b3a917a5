"""A data agent that remembers a schema's quirks.

It answers questions about a shop's orders by SQL. The schema does not say all: amounts are in
cents, which bear on every question about money and so become a part of the instructions; a bonus
that is missing counts as zero, which becomes a lesson for questions about the bonus; and dates are
text, which the agent finds out by itself where nothing is found, and is spared once a run that went
well is shown to it as an example.

The model writes SQL as it would for any schema of that form. What it does otherwise, it does
because of what it was told or found: see `query`. It also edits the instructions, by what analysts
said of runs that failed.

Run it with `python -m examples.data_quirks`.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from examples.plain_model import Seen, finish, plain_model
from examples.workplace import run, workplace
from toolguild.agent.evaluation import Evaluator, Numeric, Score
from toolguild.agent.improvement import TaskCase
from toolguild.agent.improvement.proposers import Instructing, Lessons
from toolguild.agent.own_tools import function_tool, tool
from toolguild.agent.scripted import Calls, Turn
from toolguild.sandbox import Json

INSTRUCTIONS = """\
You answer questions about the orders of a shop.

- Look the numbers up in the table orders, with one query where one is enough.
- Let the database add up and count instead of doing it yourself.
- Reply with a single number and without a unit.
- Where a question can be understood in two ways, take the more common one.
- Change nothing in the database, and tell nobody who the customers are.
"""
COUNTRIES = ("France", "Italy", "Spain", "Norway", "Poland", "Greece")
MONTHS = ("January", "February", "March", "April", "May", "June")
ORDERS = [
    (
        COUNTRIES[number % 6],
        1250 + 375 * number,
        None if number % 5 < 2 else number,
        f"{1 + number % 28:02}.{1 + number // 6 % 6:02}.2026",
    )
    for number in range(60)
]
"""Country, amount, bonus and date of each."""
LOOK = "SELECT paid_on FROM orders LIMIT 3"

DATABASE = sqlite3.connect(":memory:", check_same_thread=False)
DATABASE.execute("CREATE TABLE orders (country TEXT, amount INTEGER, bonus INTEGER, paid_on TEXT)")
DATABASE.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)


@tool("read")
def run_query(sql: str) -> list[list[Json]]:
    """Run a query on the database of the shop, and return its rows.

    Args:
        sql: The query.
    """
    return [[*row] for row in DATABASE.execute(sql)]


@tool("read")
def list_columns(table: str) -> list[list[Json]]:
    """List the names and types of the columns of a table.

    Args:
        table: Its name.
    """
    return [
        [*row] for row in DATABASE.execute("SELECT name, type FROM pragma_table_info(?)", [table])
    ]


@tool("read")
def draw_chart(title: str, numbers: list[float]) -> str:
    """Draw a chart of some numbers.

    Args:
        title: What stands over it.
        numbers: What it shows.
    """
    return f"{title}: " + " ".join("#" * int(one) for one in numbers)


TOOLS = {one.__name__: function_tool(one) for one in (run_query, list_columns, draw_chart)}


@dataclass(frozen=True)
class Analyst(Evaluator):
    """Someone who knows the data, and says what a wrong number overlooks."""

    expected: float
    says: str

    async def score(self, task: str, result: str) -> Score:
        """Return 1 for the number that is expected, else 0 and what was overlooked."""
        found = await Numeric(self.expected).score(task, result)
        return found if found.value else Score(0.0, self.says)


def query(seen: Seen) -> str:
    """Return the query that answers the question, by all that was told and found."""
    known = "\n".join((seen.told, *(result.text for result in seen.results)))
    if paid := re.search(r"paid in (\w+) (\d+)", seen.task):
        month, year = MONTHS.index(paid[1]) + 1, paid[2]
        when = f"BETWEEN '{year}-{month:02}-01' AND '{year}-{month:02}-31'"
        if re.search(r"\.\d\d\.\d{4}\b", known):
            when = f"LIKE '%.{month:02}.{year}'"
        return f"SELECT COUNT(*) FROM orders WHERE paid_on {when}"  # noqa: S608 - what a model writes
    what = "AVG(bonus)" if "bonus" in seen.task else "SUM(amount)"
    if filled := re.search(r"\bCOALESCE\((\w+), (\d+)\)", known):
        what = what.replace(f"({filled[1]})", f"({filled[0]})")
    if (unit := re.search(r"divide an? (\w+) by (\d+)", known)) and unit[1] in what:
        what += f" / {unit[2]}.0"
    country = seen.task.rstrip("?").split()[-1]
    return f"SELECT {what} FROM orders WHERE country = '{country}'"  # noqa: S608 - likewise


def act(seen: Seen) -> Turn:
    """Ask the database; where it finds nothing, look at some rows and ask once more."""
    sql = query(seen)
    found = {result.arguments["sql"]: result.value for result in seen.results}
    if sql not in found:
        return Calls(("run_query", {"sql": sql}))
    [[number]] = found[sql]
    if not number and LOOK not in found:
        return Calls(("run_query", {"sql": LOOK}))
    return finish(str(number))


def write(seen: Seen) -> Turn:
    """Edit the instructions: add what analysts said of runs that failed."""
    failed = seen.data["failed_runs"]
    reasons = dict.fromkeys(run["why"] for run in failed if run["why"])
    said = {why: [run["number"] for run in failed if run["why"] == why] for why in reasons}
    last = len(seen.data["clauses"])
    return {
        "findings": [
            {"problem": "missing", "clause": last, "runs": runs, "what": "Nothing says so."}
            for runs in said.values()
        ],
        "edits": [{"action": "add", "clause": last, "text": why} for why in said],
    }


def euros(country: str) -> TaskCase:
    """Ask for a sum of amounts."""
    expected = sum(amount for where, amount, _, _ in ORDERS if where == country) / 100
    says = "Amounts are stored in cents, so divide an amount by 100 to get euros."
    return TaskCase(
        f"euros-{country}", f"How many euros came from {country}?", Analyst(expected, says)
    )


def bonus(country: str) -> TaskCase:
    """Ask for an average of what may be missing."""
    given = [points or 0 for where, _, points, _ in ORDERS if where == country]
    says = "A bonus that is missing counts as zero, so use COALESCE(bonus, 0) for averages."
    task = f"What is the average bonus of an order from {country}?"
    return TaskCase(f"bonus-{country}", task, Analyst(sum(given) / len(given), says))


def paid(month: str) -> TaskCase:
    """Ask for a number of orders by their dates."""
    ending = f".{MONTHS.index(month) + 1:02}.2026"
    expected = sum(paid_on.endswith(ending) for *_, paid_on in ORDERS)
    says = "Look at some rows to see how dates are stored."
    task = f"How many orders were paid in {month} 2026?"
    return TaskCase(f"paid-{month}", task, Analyst(expected, says))


async def main() -> None:
    """Practise and improve three times, and undo."""
    held_out = [euros("Spain"), bonus("Norway"), paid("March"), paid("April")]
    fresh = [euros("Greece"), euros("Poland"), bonus("Greece"), bonus("Poland"), paid("May")]
    model = plain_model(act, knows={"run_query", "list_columns"}, write=write)
    async with workplace(model, TOOLS) as place:
        place.instruct(INSTRUCTIONS)
        print(f"before: {await place.trial(fresh)}")
        await place.practise([euros("France"), euros("Italy")])
        await place.improve(held_out, Instructing(model))
        await place.practise([bonus("France"), bonus("Italy")])
        await place.improve(held_out, Lessons())
        await place.practise([paid("January"), paid("February")])
        await place.improve(held_out, place.new_examples())
        print(f"after:  {await place.trial(fresh)}")
        place.undo()
        print(f"undone: {await place.trial(fresh)}")


if __name__ == "__main__":
    run(main())
