"""Two tools that are one in spirit, and what a model may answer when it is asked to unite them."""

from __future__ import annotations

import json
from typing import Any

from model_server import Script

TOP3 = """
def top3(items):
    ranked = sorted(items, reverse=True)
    return ranked[:3]
"""
LARGEST = """
def largest(items, count):
    rest = list(items)
    found = []
    while rest and len(found) < count:
        best = max(rest)
        rest.remove(best)
        found.append(best)
    return found
"""
GENERAL = '''
def largest(items: list[int], count: int) -> list[int]:
    """Return the largest numbers of a list, the largest first.

    Args:
        items: The numbers.
        count: How many of them to return at most; none if it is negative.
    """
    return sorted(items, reverse=True)[: max(count, 0)]
'''
"""What does the work of both."""


def items_of_top3(number: int) -> list[int]:
    return [(number * 7 + place * 5) % 23 for place in range(5)]


def run_of_top3(number: int) -> tuple[str, str]:
    """Return what an agent ran, and what that printed."""
    items = items_of_top3(number)
    return f"{TOP3}\nprint(top3({items}))", f"{sorted(items, reverse=True)[:3]}\n"


def run_of_largest(number: int) -> tuple[str, str]:
    items = [(number * 11 + place * 3) % 29 for place in range(6)]
    count = number % 4 + 1
    code = f"{LARGEST}\nprint(largest({items}, {count}))"
    return code, f"{sorted(items, reverse=True)[:count]}\n"


def given(parameter: str, takes: str | None = None, constant: Any = None) -> dict[str, Any]:
    return {"parameter": parameter, "takes": takes, "constant": constant}


def use(member: str, *arguments: dict[str, Any]) -> dict[str, Any]:
    return {"member": member, "arguments": [*arguments]}


AS_LARGEST = use("largest", given("items", "items"), given("count", "count"))
AS_TOP3 = use("top3", given("items", "items"), given("count", None, 3))


def grouped(*groups: list[str]) -> Script:
    return Script(json.dumps({"groups": [*groups]}))


def general(source: str = GENERAL, *uses: dict[str, Any]) -> Script:
    return Script(json.dumps({"source": source, "uses": [*(uses or (AS_LARGEST, AS_TOP3))]}))


def changed(old: str, new: str, *uses: dict[str, Any]) -> Script:
    """Return the same with another text in it."""
    assert old in GENERAL
    return general(GENERAL.replace(old, new), *uses)
