"""A small desk: orders with five amounts, and the totals that are asked for, which differ by topic.

What is right is known here alone. The agent learns it from what it is told, from examples and from
tools, good or bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from toolguild.agent.evaluation import Exact
from toolguild.agent.improvement.attempts import TaskCase
from toolguild.registry import ExternalTool, ToolSpec
from toolguild.sandbox import Json, JsonObject

__all__ = [
    "AMOUNTS",
    "BEYOND",
    "CRITICAL",
    "HELD_OUT",
    "HIDDEN",
    "LIVE",
    "OF_THE_HOUSE",
    "ORIGINAL",
    "RIGHT",
    "TOOLS",
    "amounts_of",
    "case_of",
    "right_advice",
    "sum_of",
    "task_of",
    "tool_for",
    "total_tool",
]

AMOUNTS: Final = ("net", "tax", "shipping", "discount", "deposit")
Formula = Mapping[str, int]
"""How often each amount counts."""
RIGHT: Final[Mapping[str, Formula]] = MappingProxyType(
    {
        "refunds": {"net": 1, "tax": 1},
        "invoices": {"net": 1, "tax": 1, "shipping": 1},
        "quotes": {"net": 1, "discount": -1},
        "returns": {"net": 1, "deposit": -1},
        "rentals": {"net": 1, "deposit": 1},
        "repairs": {"net": 1, "tax": 1, "discount": -1},
    }
)
CRITICAL: Final = "refunds"
OF_THE_HOUSE: Final = "repairs"
"""The topic that everybody has a right tool for, from the beginning."""
BEYOND: Final = 500
"""No held-out task is about an order with a higher number."""

ORIGINAL: Final = """\
Read the order before you answer.
Answer with the total alone, as a number.
Use the amounts as the order gives them.
Name no order that the task does not name.
Count the net of every order.
For refunds, count the tax.
For invoices, count the tax.
For invoices, count the shipping.
For quotes, subtract the discount.
Keep what you say short.
Stop as soon as the total is known.
Write totals without a currency.
"""


def amounts_of(order: int) -> dict[str, int]:
    """Return what an order says: no two of its amounts, and no two sums of them, are equal."""
    return {
        "net": 1000 + 37 * order,
        "tax": 100 + order % 7,
        "shipping": 20 + order % 5,
        "discount": 11 + order % 3,
        "deposit": 300 + order % 11,
    }


def sum_of(amounts: Mapping[str, int], formula: Formula) -> int:
    """Return the total by a formula."""
    return sum(times * amounts[name] for name, times in formula.items())


def task_of(topic: str, order: int) -> str:
    """Return what is asked."""
    return f"What is the total of order {order}, one of the {topic}?"


def case_of(topic: str, order: int) -> TaskCase:
    """Return the task with its right answer."""
    right = str(sum_of(amounts_of(order), RIGHT[topic]))
    return TaskCase(
        f"{topic}-{order}", task_of(topic, order), Exact(right), topic, topic == CRITICAL
    )


def right_advice(topic: str) -> list[str]:
    """Return what makes totals of a topic right, a sentence each."""
    verbs = {1: "count", -1: "subtract"}
    return [
        f"For {topic}, {verbs[times]} the {name}."
        for name, times in RIGHT[topic].items()
        if name != "net"
    ]


def _cases(orders: Iterable[int]) -> tuple[TaskCase, ...]:
    return tuple(case_of(topic, order) for order in orders for topic in RIGHT)


HELD_OUT: Final = _cases((11, 27, 42, 58))
HIDDEN: Final = _cases((15, 73, 611, 742))
"""Which the loop never sees; half of them about orders of a kind that no held-out task is about."""
LIVE: Final = _cases(range(801, 811))


def _read_order(order: int) -> Json:
    return dict(amounts_of(order))


_ORDER: JsonObject = {
    "type": "object",
    "properties": {"order": {"type": "integer"}},
    "required": ["order"],
}
TOOLS: Final[Mapping[str, ExternalTool]] = MappingProxyType(
    {
        "read_order": ExternalTool(_read_order, "read", "Read the amounts of an order.", _ORDER),
        "read_status": ExternalTool(lambda order: "open", "read", "Read its status.", _ORDER),
        "list_topics": ExternalTool(lambda: [*RIGHT], "read", "List what totals are asked of."),
    }
)


def tool_for(topic: str) -> str:
    """Return the name of the tool that the agent uses for a topic, where it is offered one."""
    return f"total_of_{topic}"


def total_tool(topic: str, body: str, described: str) -> ToolSpec:
    """Return a tool of the registry that comes to a total.

    Args:
        topic: Of which totals.
        body: What it returns: an expression over the amounts.
        described: A sentence, which also tells one version from another.
    """
    name = tool_for(topic)
    parameters = ", ".join(f"{amount}: int" for amount in AMOUNTS)
    return ToolSpec(
        name,
        description=described,
        source=f'def {name}({parameters}) -> int:\n    """{described}"""\n    return {body}\n',
        parameters={
            "type": "object",
            "properties": {amount: {"type": "integer"} for amount in AMOUNTS},
            "required": [*AMOUNTS],
            "additionalProperties": False,
        },
        returns={"type": "integer"},
    )
