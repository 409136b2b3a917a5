"""Logs of agents that run code, made up."""

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
