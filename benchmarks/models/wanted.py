"""Twenty tools that no plan and no code gives, and logs of agents that lacked them.

Each of them is worked out by hand again and again: by calls whose arguments no plan derives, after
errors that agents get past in the same way, or for want of a tool that they took to be there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks.models.answers import ANSWERS

__all__ = ["RUNS", "WANTED", "Wanted", "log_of"]

RUNS = 9
Step = tuple[str, dict[str, Any], Any]
"""A call: tool, arguments, result. Code is a call of `python`."""


@dataclass(frozen=True)
class Wanted:
    """One tool."""

    name: str
    kind: str
    run: Callable[[int], list[Step]]
    """What a run does, by its number."""
    answer: str
    """A text that does what all runs did."""


def log_of(wanted: Wanted, numbers: Iterable[int] = range(RUNS)) -> list[dict[str, Any]]:
    """Return runs of agents that lacked a tool, as chat messages.

    Args:
        wanted: The tool.
        numbers: Which of the runs, from 0; there are as many as are asked for.
    """
    runs = {number: wanted.run(number) for number in numbers}
    offered = {tool for steps in runs.values() for tool, _, _ in steps} - {"python"}
    if wanted.kind == "unknown tool":
        offered -= {steps[0][0] for steps in runs.values()}
    return [_run(wanted, number, steps, sorted(offered)) for number, steps in runs.items()]


def _run(wanted: Wanted, number: int, steps: list[Step], offered: list[str]) -> dict[str, Any]:
    first = steps[0][1]
    task = f"Case {number} of {wanted.name}: {json.dumps(first)}"
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    for place, (tool, arguments, result) in enumerate(steps):
        function = {"name": tool, "arguments": json.dumps(arguments)}
        messages += [
            {"role": "assistant", "tool_calls": [{"id": f"c{place}", "function": function}]},
            {
                "role": "tool",
                "tool_call_id": f"c{place}",
                "content": result if isinstance(result, str) else json.dumps(result),
            },
        ]
    tools = [
        {"type": "function", "function": {"name": one, "description": one, "parameters": {}}}
        for one in offered or ["get_nothing"]
    ]
    return {"id": f"{wanted.name} {number}", "tools": tools, "messages": messages}


PEOPLE = ["Ada Byron", "Carl Gauss", "Emmy Noether", "Alan Turing", "Grace Hopper", "Paul Erdos"]
CITIES = ["Oslo", "Lima", "Cairo", "Quito", "Hanoi", "Turin", "Accra"]


def pages(number: int) -> list[Step]:
    last = 2 + number % 3
    return [
        (
            "list_invoices",
            {"customer": f"C{100 + number}", "page": page},
            {"invoices": [f"I{number}{page}{one}" for one in "ab"], "more": page < last},
        )
        for page in range(1, last + 1)
    ]


def chain(number: int) -> list[Step]:
    people = [f"E{number * 17 + level * 131 + 200}" for level in range(2 + number % 3)]
    return [
        (
            "get_employee",
            {"employee_id": one},
            {"id": one, "name": PEOPLE[(number + at) % 6], "manager": [*people, None][at + 1]},
        )
        for at, one in enumerate(people)
    ]


def deliveries(number: int) -> list[Step]:
    day = date(2026, 1, 3) + timedelta(days=23 * number)
    return [
        (
            "get_order",
            {"order_id": f"W{4000 + 7 * number}"},
            {"placed": f"{day:%B} {day.day}, {day.year}", "city": CITIES[number % 7]},
        ),
        ("list_deliveries", {"day": day.isoformat()}, [f"D{number}1", f"D{number}2"]),
    ]


def cheapest(number: int) -> list[Step]:
    prices = [300 + (number * 37 + at * 91) % 251 for at in range(4)]
    flights = [
        {"flight": f"HA{number}{at}7", "price": prices[at], "tax": (number * 53 + at * 67) % 240}
        for at in range(4)
    ]
    best = min(flights, key=lambda one: one["price"] + one["tax"])  # type: ignore[operator]
    return [
        ("search_flights", {"origin": CITIES[number % 7], "to": CITIES[(number + 3) % 7]}, flights),
        ("get_seats", {"flight": best["flight"]}, {"free": number % 5 + 1}),
    ]


def login(number: int) -> list[Step]:
    first, last = PEOPLE[number % 6].split()
    name = f"{first}{'x' * (number // 6)}"
    return [
        ("get_customer", {"customer_id": f"K{700 + number}"}, {"first": name, "last": last}),
        ("get_mailbox", {"login": f"{name[0]}.{last[:4]}".lower()}, {"unread": number * 3}),
    ]


def cart(number: int) -> list[Step]:
    items = [
        {"sku": f"S{number}{at}", "price": 120 + 35 * ((number + at) % 5), "count": 1 + at % 3}
        for at in range(2 + number % 3)
    ]
    total = sum(one["price"] * one["count"] for one in items)  # type: ignore[operator, misc]
    return [
        ("get_cart", {"cart_id": f"cart-{500 + number}"}, {"items": items}),
        ("get_shipping", {"amount": total}, {"fee": total // 100}),
    ]


def articles(number: int) -> list[Step]:
    words = ["Fair Winds", "Low Tide", "High Noon", "Cold Front", "Dry Spell"]
    titles = [f"{words[(number + at) % 5]} {number + at}!" for at in range(2 + number % 2)]
    return [
        ("list_articles", {"issue": f"ISS-{300 + number}"}, {"titles": titles}),
        *(
            ("get_article", {"slug": one.lower().replace(" ", "-").strip("!")}, {"words": len(one)})
            for one in titles
        ),
    ]


def missing(number: int) -> list[Step]:
    wanted = [f"P{number}{at}" for at in range(5)]
    there = [one for at, one in enumerate(wanted) if (at + number) % 3]
    return [
        ("list_parts", {"kit": f"KIT{40 + number}"}, wanted),
        ("list_stock", {"kit": f"KIT{40 + number}"}, there),
        *(
            (
                "find_supplier",
                {"part": one},
                {"supplier": CITIES[(len(one) + number) % 7]},
            )
            for one in wanted
            if one not in there
        ),
    ]


def ticket(number: int) -> list[Step]:
    text = f"From: {PEOPLE[number % 6]}\nTicket number is {8100 + 3 * number}, please hurry.\n"
    return [
        ("read_mail", {"mail_id": f"M{60 + number}"}, text + "Lines follow. " * (number % 3)),
        ("get_ticket", {"ticket": f"TCK-{8100 + 3 * number:06d}"}, {"state": f"s{number % 4}"}),
    ]


def top_two(number: int) -> list[Step]:
    scores = {PEOPLE[at]: (number * 29 + at * 53) % 100 for at in range(5)}
    best = sorted(scores, key=lambda one: -scores[one])[:2]
    return [
        ("list_scores", {"league": f"L{20 + number}"}, scores),
        *(("get_player", {"name": one}, {"name": one, "age": 20 + len(one)}) for one in best),
    ]


def tree(number: int) -> list[Step]:
    teams = [f"T{number}{at}" for at in range(2)]
    sizes = {team: 1 + (number + len(team)) % 2 for team in teams}
    members = {team: [f"{team}m{at}" for at in range(sizes[team])] for team in teams}
    steps: list[Step] = [("get_org", {"org": f"ORG{number + 10}"}, {"teams": teams})]
    for team in teams:
        steps.append(("get_team", {"team": team}, {"members": members[team]}))
    for team in teams:
        for one in members[team]:
            keys = [f"{one}k{at}" for at in range(2)]
            steps.append(("get_member", {"member": one}, {"keys": keys}))
    first = members[teams[0]][0]
    last = members[teams[-1]][-1]
    steps.append(("check_keys", {"pair": f"{first}k0:{last}k1"}, {"same": number % 2 == 0}))
    return steps


def us_date(number: int) -> list[Step]:
    day = date(2026, 2, 5) + timedelta(days=31 * number)
    return [
        ("get_rates", {"on": f"{day.month}/{day.day}/{day.year}"}, f"Error: no date: {day.day}"),
        ("get_rates", {"on": day.isoformat()}, {"eur": 100 + number}),
    ]


def symbol(number: int) -> list[Step]:
    names = ["acme", "umbra", "initech", "hooli", "globex", "stark", "wayne", "tyrell", "cyber"]
    name = names[number % len(names)] + "x" * (number // len(names))
    return [
        ("get_quote", {"symbol": f" {name}.us"}, f"Error: unknown symbol ' {name}.us'"),
        ("get_quote", {"symbol": name.upper()}, {"price": 10 * number + 7}),
    ]


def by_mail(number: int) -> list[Step]:
    user, account = PEOPLE[number % 6].split()[0].lower(), f"AC{900 + number}"
    mail = f"{user}{number}@example.com"
    return [
        ("get_account", {"account": mail}, "Error: account ids begin with AC"),
        ("find_account", {"user": f"{user}{number}".upper()}, {"hits": [{"id": account}]}),
        ("get_account", {"account": account}, {"balance": 50 * number}),
    ]


def padded(number: int) -> list[Step]:
    return [
        ("get_parcel", {"parcel": str(33 + number)}, f"Error: parcel '{33 + number}' too short"),
        ("get_parcel", {"parcel": f"#{33 + number:08d}"}, {"at": CITIES[number % 7]}),
    ]


def latest(number: int) -> list[Step]:
    months = [1 + (number + at * 4) % 9 for at in range(3)]
    orders = [{"id": f"O{number}{at}5", "on": f"2026-0{months[at]}-1{at}"} for at in range(3)]
    newest = max(orders, key=lambda one: one["on"])
    return [
        ("get_latest_order", {"user": f"U{number + 70}"}, "Error: no tool named get_latest_order"),
        ("list_orders", {"user": f"U{number + 70}"}, orders),
        ("show_order", {"order": newest["id"]}, {"total": 40 + number}),
    ]


def by_phone(number: int) -> list[Step]:
    digits = f"55501{number}2{number}"
    phone = f"({digits[:3]}) {digits[3:5]}-{digits[5:]}"
    return [
        ("find_by_phone", {"phone": phone}, "Error: there is no such tool"),
        ("search_contacts", {"query": digits}, [{"contact": f"P{number}"}]),
    ]


def business_days(number: int) -> list[Step]:
    start, days = date(2026, 3, 2) + timedelta(days=5 * number), 2 + number
    day, left = start, days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    code = f"from datetime import date, timedelta\n# {number}\nprint('{day.isoformat()}')"
    return [
        ("add_business_days", {"start": start.isoformat(), "days": days}, "Error: unknown tool"),
        ("python", {"code": code}, f"{day.isoformat()}\n"),
    ]


def initials(number: int) -> list[Step]:
    names = [PEOPLE[(number + at * 2) % 6] for at in range(1 + number % 3)]
    wanted = ["".join(part[0] for part in name.split()) for name in names]
    return [
        ("make_initials", {"names": names}, "Error: unknown tool make_initials"),
        ("python", {"code": f"# of {number}\nprint({wanted!r})"}, f"{wanted!r}\n"),
    ]


def split_bill(number: int) -> list[Step]:
    cents, people = 1001 + 137 * number, 2 + number % 4
    shares = [cents // people + (at < cents % people) for at in range(people)]
    return [
        ("split_bill", {"cents": cents, "people": people}, "Error: unknown tool split_bill"),
        ("python", {"code": f"# bill {number}\nprint({shares})"}, f"{shares}\n"),
    ]


_RUNS: dict[str, list[Callable[[int], list[Step]]]] = {
    "messy sequence": [
        pages,
        chain,
        deliveries,
        cheapest,
        login,
        cart,
        articles,
        missing,
        ticket,
        top_two,
        tree,
    ],
    "recovery": [us_date, symbol, by_mail, padded],
    "unknown tool": [latest, by_phone, business_days, initials, split_bill],
}


def _wanted() -> Iterator[Wanted]:
    answers = iter(ANSWERS.split("#---\n"))
    for kind, runs in _RUNS.items():
        for run in runs:
            text = next(answers).strip() + "\n"
            [head] = [line for line in text.splitlines() if line.startswith("def ")]
            yield Wanted(head.split("(")[0].removeprefix("def "), kind, run, text)


WANTED = [*_wanted()]
