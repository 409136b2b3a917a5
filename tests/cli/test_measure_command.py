"""`toolguild measure`: what the registry's tools would have saved, and every use that counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def customer_run(number: int, orders: int) -> dict[str, Any]:
    """Return a run that looks up a customer and then each of the customer's orders."""
    listed = [f"order-{number}-{place}" for place in range(orders)]
    calls: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("find_customer", {"email": f"{number}@example.com"}, {"orders": listed}),
        *(("get_order", {"order_id": order}, {"id": order}) for order in listed),
    ]
    return record_of(f"{number}@example.com", calls)


def flight_run(number: int) -> dict[str, Any]:
    """Return a run that looks for flights, and then at those that cost 300 at most."""
    prices = [40 + (number * 137 + place * 211) % 560 for place in range(6)]
    listed = [{"id": f"flight-{number}-{price}", "price": price} for price in prices]
    calls: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("search_flights", {"route": f"route-{number}"}, {"flights": listed}),
        *(("get_flight", {"id": f["id"]}, {"of": f["id"]}) for f in listed if f["price"] <= 300),
    ]
    return record_of(f"On route-{number}, please", calls)


def record_of(said: str, calls: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Return what a user said, and the calls that an agent made, as a run."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": said}]
    for place, (name, arguments, result) in enumerate(calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"c{place}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        content = json.dumps(result)
        messages.append({"role": "tool", "tool_call_id": f"c{place}", "content": content})
    return {"messages": messages}


@pytest.fixture
def unseen(toolguild: Any, tmp_path: Path) -> Path:
    """Register a tool made of some runs, and return a log of others."""
    for name, numbers in (("seen.jsonl", range(6)), ("unseen.jsonl", range(10, 13))):
        runs = [json.dumps(customer_run(number, 1 + number % 3)) for number in numbers]
        (tmp_path / name).write_text("\n".join(runs))
    assert toolguild("synthesize", tmp_path / "seen.jsonl", "--registry", "tools.db").code == 0
    return tmp_path / "unseen.jsonl"


def test_every_use_is_listed_with_what_it_takes_the_place_of(toolguild: Any, unseen: Path) -> None:
    ran = toolguild("measure", unseen, "--registry", "tools.db", "--json")
    assert ran.code == 0
    told = ran.json
    assert (told["traces"], told["calls"], told["calls_saved"]) == (3, 9, 6)
    assert told["refused"] == []
    assert told["share_saved"] == round(6 / 9, 4)
    [tool] = told["tools"]
    assert (tool["uses"], tool["calls_replaced"], tool["extra_reads"]) == (3, 9, 0)
    first = told["substitutions"][0]
    assert first["tool"] == tool["tool"]
    assert first["arguments"]["email"].endswith("@example.com")
    assert [one["tool"] for one in first["replaced"]][:2] == ["find_customer", "get_order"]
    assert all(one["place"].startswith(str(unseen)) for one in first["replaced"])


def test_a_tool_for_rows_that_a_comparison_tells_is_registered_and_saves_its_calls(
    toolguild: Any, tmp_path: Path
) -> None:
    for name, numbers in (("seen.jsonl", range(12)), ("unseen.jsonl", range(70, 80))):
        (tmp_path / name).write_text("\n".join(json.dumps(flight_run(one)) for one in numbers))
    assert toolguild("synthesize", tmp_path / "seen.jsonl", "--registry", "tools.db").code == 0
    shown = toolguild("tools", "show", "search_flights_with_each_flight", "--registry", "tools.db")
    assert '_comparable(row["price"], 300) <= 300' in shown.out
    ran = toolguild("measure", tmp_path / "unseen.jsonl", "--registry", "tools.db", "--json")
    assert ran.json["calls_saved"] == ran.json["calls"] - 10
    assert ran.json["tools"][0]["extra_reads"] == 0


def test_a_person_sees_a_table_and_the_sum(toolguild: Any, unseen: Path) -> None:
    ran = toolguild("measure", unseen, "--registry", "tools.db")
    assert ran.code == 0
    assert "find_customer_with_orders@1" in ran.out
    assert "6 of 9 calls in 3 runs saved (66.7%)" in ran.out


def test_nothing_saved_is_exit_code_1(toolguild: Any, unseen: Path) -> None:
    ran = toolguild("measure", unseen, "--registry", "empty.db", "--json")
    assert ran.code == 1
    assert ran.json["calls_saved"] == 0


def test_logs_that_cannot_be_read_are_exit_code_2(toolguild: Any, tmp_path: Path) -> None:
    assert toolguild("measure", tmp_path / "none.jsonl").code == 2


def prime_run(number: int) -> dict[str, Any]:
    """Return a run whose agent writes `is_prime` once more, and calls it."""
    code = (
        "def is_prime(n):\n    return n > 1 and all(n % i for i in range(2, n))\n"
        f"print([is_prime(k) for k in range({number}, {number} + 4)])"
    )
    shown = [k > 1 and all(k % i for i in range(2, k)) for k in range(number, number + 4)]
    messages = [
        {"role": "user", "content": f"Which are primes from {number}?"},
        {"role": "assistant", "content": f"<execute>\n{code}\n</execute>"},
        {"role": "user", "content": f"Observation:\n{shown}"},
    ]
    return {"messages": messages}


@pytest.fixture
def unseen_code(toolguild: Any, tmp_path: Path) -> Path:
    """Register a tool made of some code, and return a log of other runs."""
    for name, numbers in (("seen.jsonl", range(4)), ("unseen.jsonl", range(10, 13))):
        (tmp_path / name).write_text("\n".join(json.dumps(prime_run(n)) for n in numbers))
    assert toolguild("synthesize", tmp_path / "seen.jsonl", "--registry", "tools.db").code == 0
    return tmp_path / "unseen.jsonl"


def test_every_place_in_code_is_listed_with_what_is_put_there(
    toolguild: Any, unseen_code: Path
) -> None:
    ran = toolguild("measure", unseen_code, "--registry", "tools.db", "--json")
    assert ran.code == 0
    code = ran.json["code"]
    assert (code["programs"], code["programs_rewritten"], code["programs_not_run"]) == (3, 3, 0)
    [tool] = code["tools"]
    assert (tool["tool"], tool["uses"], tool["uses_refused"]) == ("is_prime@1", 3, 0)
    saved = code["characters"]["before"] - code["characters"]["after"]
    assert saved >= tool["characters_saved"] > 0
    assert code["tokens"]["before"] > code["tokens"]["after"]
    first = code["uses"][0]
    assert first["step"].startswith(str(unseen_code))
    assert (first["lines"], first["tool"], first["put"]) == ([1, 2], "is_prime@1", "")


def test_a_person_sees_what_each_tool_saves_in_code(toolguild: Any, unseen_code: Path) -> None:
    ran = toolguild("measure", unseen_code, "--registry", "tools.db")
    assert ran.code == 0
    assert "is_prime@1" in ran.out
    assert "3 runs do the same with calls of tools" in ran.out
