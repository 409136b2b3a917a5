"""Runs with code of which a tool is made without a model, and with code that needs mending."""

from __future__ import annotations

import json
from typing import Any


def run_of(number: int, code: str, shown: str) -> dict[str, Any]:
    function = {"name": "python", "arguments": json.dumps({"code": code})}
    return {
        "id": f"run {number}",
        "messages": [
            {"role": "user", "content": f"task {number}"},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]},
            {"role": "tool", "tool_call_id": "c", "content": shown},
        ],
    }


def sound(number: int) -> dict[str, Any]:
    """Return a run with code of which a tool is made without a model."""
    code = f"""
def weight_of(counts):
    total = 0
    for place, count in enumerate(counts):
        total += (place + 1) * count
    return total

print(weight_of([{number}, {number + 2}, 5]))"""
    return run_of(number, code, f"{number + 2 * (number + 2) + 15}\n")


def messy(number: int) -> dict[str, Any]:
    """Return a run with code that fails on most inputs but those of the runs."""
    label = f"{'AB' * (number % 3 + 1)}-{number * 7 + 3}-x"
    code = f"""
def order_number(label):
    parts = label.split('-')
    number = int(parts[1])
    return number * 10 + len(parts[0])

print(order_number('{label}'))"""
    return run_of(100 + number, code, f"{(number * 7 + 3) * 10 + label.index('-')}\n")
