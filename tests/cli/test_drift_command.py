"""`toolguild tools drift`, from logs to what is re-opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOOP = "find_customer_with_orders"


@pytest.fixture
def made(toolguild: Any, log: Path) -> str:
    """A registry with the tool that the log is mined for; returns its name."""
    assert toolguild("synthesize", log).code == 0
    [tool] = toolguild("tools", "list", "--json").json["tools"]
    return str(tool["name"])


def later(log: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Write the same runs with other results of `find_customer`."""
    runs = [json.loads(line) for line in log.read_text().splitlines()]
    for run in runs:
        answer = next(message for message in run["messages"] if message["role"] == "tool")
        answer["content"] = json.dumps(change(json.loads(answer["content"])))
    path = log.with_name("later.jsonl")
    path.write_text("".join(json.dumps(run) + "\n" for run in runs))
    return path


def with_key(result: dict[str, Any]) -> dict[str, Any]:
    return {"key": result["id"], "orders": result["orders"]}


def with_numbers(result: dict[str, Any]) -> dict[str, Any]:
    return {"id": result["id"], "numbers": result["orders"]}


def test_drift_is_told_and_what_depends_on_it_is_reopened(
    toolguild: Any, log: Path, made: str
) -> None:
    newer = later(log, with_key)
    told = toolguild("tools", "drift", newer, "--dry-run")
    assert told.code == 1
    assert "find_customer  id -> key          8 of 8  yes" in told.out
    assert "--dry-run only tells" in told.err
    assert "reopen" not in toolguild("tools", "history", made).out
    ran = toolguild("tools", "drift", newer)
    assert ran.code == 1
    assert f"Re-opened: {made}@1" in ran.err
    why = toolguild("tools", "why", made).out
    assert "reopen by" in why
    assert "find_customer: id -> key, in 8 of 8 comparable calls" in why
    assert toolguild("audit", "verify").code == 0


def test_json_says_the_same(toolguild: Any, log: Path, made: str) -> None:
    ran = toolguild("tools", "drift", later(log, with_numbers), "--json")
    [change] = ran.json["changes"]
    assert (change["tool"], change["field"], change["to"]) == ("find_customer", "orders", "numbers")
    assert (change["drift"], change["changed"], change["comparable"]) == (True, 8, 8)
    [tool] = change["tools"]
    assert (tool["ref"], tool["consequence"]) == (f"{made}@1", "quarantined")
    assert tool["runs"] == tool["differing"] == tool["broken"] > 0
    assert ran.json["reopened"] == [f"{made}@1"]
    [listed] = toolguild("tools", "list", "--json").json["tools"]
    assert listed["state"] == "quarantined"


def test_the_same_log_is_no_drift(toolguild: Any, log: Path, made: str) -> None:
    ran = toolguild("tools", "drift", log)
    assert (ran.code, ran.out) == (0, "")
    assert "No drift in " in ran.err


def test_a_log_of_other_calls_says_nothing(toolguild: Any, log: Path, made: str) -> None:
    other = log.with_name("other.jsonl")
    other.write_text(log.read_text().replace("find_customer", "find").replace("get_order", "get"))
    ran = toolguild("tools", "drift", other)
    assert ran.code == 0
    assert "nothing was compared" in ran.err


@pytest.mark.parametrize("missing", ["log", "registry"])
def test_what_is_not_there_is_wrong_usage(toolguild: Any, log: Path, missing: str) -> None:
    if missing == "log":
        toolguild("synthesize", log)
        log = log.with_name("none.jsonl")
    ran = toolguild("tools", "drift", log)
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_names_in_logs_do_not_steer_the_terminal(toolguild: Any, log: Path, made: str) -> None:
    hostile = later(log, lambda result: {**with_key(result), "\x1b[2J[red]": 1})
    ran = toolguild("tools", "drift", hostile, "--dry-run")
    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert "[red]" in ran.out
