"""Arguments that agents computed: found in traces, written into tools, and proven there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json, Limits, Sandbox
from toolguild.synth.mining import MiningSettings, RepeatedSequence
from toolguild.synth.proving import prove
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any

SETTINGS = MiningSettings(held_out_share=0.0)
PROOF = ValidationSettings(inputs=20, repeats=2, mutants=0, limits=Limits(wall_s=1.0))
NAMES = ("Mara Okafor", "Ruben Castellanos", "Ines Lindqvist", "Tomasz van Baran", "Aiko Watanabe")
CITIES = ("Lyon", "Turin", "Graz", "Porto", "Ghent")
DAYS = ("2031-04-17", "2030-12-02", "2031-07-30", "2029-01-21", "2032-09-08")
PRICES = (152.5, 87.25, 431.75, 260.1, 98.4)
TAXES = (13.1, 9.75, 41.3, 22.9, 7.45)


def order(task: int) -> dict[str, Json]:
    lines: list[Json] = [
        {"sku": f"sku-{task}{number}", "price": PRICES[task] / 2 + 7 * number * (-1) ** task,
         "state": "open" if (number + task) % 3 else "sent", "gift": number % 2 == task % 2}
        for number in range(3 + task % 2)
    ]  # fmt: skip
    return {
        "name": NAMES[task],
        "city": CITIES[task],
        "placed": f"{DAYS[task]}T09:{10 + task}:00",
        "price": PRICES[task],
        "tax": TAXES[task],
        "weight": str(1200 + 37 * task),
        "lines": lines,
        "tags": [f"tag-{task}{number}" for number in range(3 + task % 3)],
    }


def lines(told: dict[str, Json]) -> list[Any]:
    rows = told["lines"]
    assert isinstance(rows, list)
    return rows


Argument: TypeAlias = Callable[[dict[str, Any]], Json]

COMPUTED: dict[str, tuple[Argument, str]] = {
    "another case": (lambda o: o["city"].upper(), 'order["city"].upper()'),
    "words made one": (
        lambda o: o["name"].replace(" ", "_"),
        'order["name"].replace(" ", "_")',
    ),
    "the first characters": (lambda o: o["placed"][:10], 'order["placed"][:10]'),
    "a part between signs": (lambda o: o["name"].split(" ")[-1], 'order["name"].split(" ")[-1]'),
    "a number of a text": (lambda o: int(o["weight"]), 'int(order["weight"])'),
    "a text with values in it": (
        lambda o: f"{o['price']} + {o['tax']}",
        """f'{order["price"]} + {order["tax"]}'""",
    ),
    "a sentence": (
        lambda o: f"Dear {o['name']}, your order to {o['city']} is on its way.",
        """f'Dear {order["name"]}, your order to {order["city"]} is on its way.'""",
    ),
    "a sum": (lambda o: round(o["price"] + o["tax"], 2), 'round(order["price"] + order["tax"], 2)'),
    "another unit": (lambda o: o["price"] * 100, 'order["price"] * 100'),
    "a total": (
        lambda o: sum(line["price"] for line in o["lines"]),
        'sum([row["price"] for row in order["lines"]])',
    ),
    "a joined list": (lambda o: ", ".join(o["tags"]), '", ".join(order["tags"])'),
    "a column": (
        lambda o: [line["sku"] for line in o["lines"]],
        '[row["sku"] for row in order["lines"]]',
    ),
    "the first items": (lambda o: o["tags"][:2], 'order["tags"][:2]'),
    "the cheapest": (
        lambda o: min(o["lines"], key=lambda line: line["price"])["sku"],
        'min(order["lines"], key=lambda row: row["price"])["sku"]',
    ),
}


def computed(writer: Writer, of: Argument) -> list[Trace]:
    return [
        writer.trace(
            f"task{task}",
            writer.call("get_order", {"order_id": f"ord-{task}77"}, order(task)),
            writer.call("get_offer", {"about": of(order(task))}, {"offer": f"offer {task}"}),
            text=f"about ord-{task}77, please",
        )
        for task in range(5)
    ]


@pytest.mark.parametrize("how", COMPUTED)
def test_an_argument_that_was_computed_is_computed_by_the_tool(
    how: str, writer: Writer, local: Sandbox
) -> None:
    of, expression = COMPUTED[how]
    [found] = writer.sequences(computed(writer, of), SETTINGS)
    assert len(found.occurrences) == 5
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert expression in " ".join(proof.draft.source.split())
    assert list(proof.draft.parameters["properties"]) == ["order_id"]
    assert proof.passed, proof.report and proof.report.reasons


def test_a_row_is_looked_up_by_what_the_caller_gives(writer: Writer, local: Sandbox) -> None:
    def trace(task: int) -> Trace:
        rows: list[Json] = [
            {"number": f"HX{task}{row}", "leaves": f"{6 + 3 * row}:{task}5"} for row in range(4)
        ]
        wanted = rows[1 + task % 2]
        assert isinstance(wanted, dict)
        return writer.trace(
            f"task{task}",
            writer.call("get_wish", {"user": f"user-{task}00"}, {"at": wanted["leaves"]}),
            writer.call("list_trips", {"city": CITIES[task]}, {"trips": rows}),
            writer.call("get_trip", {"trip": wanted["number"]}, {"seats": task}),
            text=f"user-{task}00 wants to leave {CITIES[task]}",
        )

    [found] = writer.sequences([trace(task) for task in range(5)], SETTINGS)
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert '_find_row(trips["trips"], "leaves", wish["at"])["number"]' in proof.draft.source
    assert proof.passed, proof.report and proof.report.reasons


def chosen(writer: Writer, key: str, value: Json) -> list[Trace]:
    def trace(task: int) -> Trace:
        told = order(task)
        skus = [row["sku"] for row in lines(told) if row[key] == value]
        return writer.trace(
            f"task{task}",
            writer.call("get_order", {"order_id": f"ord-{task}77"}, told),
            *(writer.call("get_stock", {"sku": sku}, {"left": len(sku)}) for sku in skus),
            text=f"about ord-{task}77, please",
        )

    return [trace(task) for task in range(5)]


@pytest.mark.parametrize(
    ("key", "value", "expression"),
    [
        ("state", "open", 'for line in [row for row in order["lines"] if row["state"] == "open"]'),
        ("gift", True, 'for line in [row for row in order["lines"] if row["gift"]]'),
        ("gift", False, 'for line in [row for row in order["lines"] if not row["gift"]]'),
    ],
)
def test_a_loop_goes_over_those_rows_only_that_explain_the_choice(
    key: str, value: Json, expression: str, writer: Writer, local: Sandbox
) -> None:
    found = writer.sequences(chosen(writer, key, value), SETTINGS)[0]
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert expression in " ".join(proof.draft.source.split())
    assert proof.passed, proof.report and proof.report.reasons


def test_rows_may_be_chosen_by_an_argument(writer: Writer, local: Sandbox) -> None:
    def trace(task: int) -> Trace:
        colours = ("red", "blue", "green")
        rows: list[Any] = [
            {"id": f"id-{task}{row}", "colour": colours[(row + task) % 3]} for row in range(5)
        ]
        wanted = colours[task % 3]
        return writer.trace(
            f"task{task}",
            writer.call("search", {"colour": wanted, "shop": CITIES[task]}, {"rows": rows}),
            *(
                writer.call("get_row", {"id": row["id"]}, {"n": row["id"]})
                for row in rows
                if row["colour"] == wanted
            ),
            text=f"anything {wanted} in {CITIES[task]}",
        )

    found = writer.sequences([trace(task) for task in range(5)], SETTINGS)[0]
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert 'if row["colour"] == colour]' in proof.draft.source
    assert proof.passed, proof.report and proof.report.reasons


def test_a_loop_goes_over_the_lists_that_another_loop_brought(
    writer: Writer, local: Sandbox
) -> None:
    def trace(task: int) -> Trace:
        orders = [f"ord-{task}{number}" for number in range(2 + task % 2)]
        skus = {
            one: [f"{one}-sku{number}" for number in range(1 + number_of % 3)]
            for number_of, one in enumerate(orders, task)
        }
        return writer.trace(
            f"task{task}",
            writer.call("get_user", {"user": f"user-{task}00"}, {"orders": [*orders]}),
            *(writer.call("get_order", {"order": one}, {"skus": [*skus[one]]}) for one in orders),
            *(
                writer.call("get_stock", {"sku": sku}, {"left": len(sku)})
                for one in orders
                for sku in skus[one]
            ),
            text=f"user-{task}00",
        )

    found = writer.sequences([trace(task) for task in range(5)], SETTINGS)[0]
    assert len(found.plan) == 3
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert '[item for each in orders for item in each["skus"]]' in proof.draft.source
    assert proof.passed, proof.report and proof.report.reasons


@pytest.mark.parametrize("in_turns", [False, True])
def test_a_loop_takes_what_each_turn_of_another_returned(
    in_turns: bool, writer: Writer, local: Sandbox
) -> None:
    def trace(task: int) -> Trace:
        orders = [f"ord-{task}{number}" for number in range(1 + task)]
        found = [
            writer.call("get_order", {"order": one}, {"ship": {"to": f"adr-{one}"}})
            for one in orders
        ]
        then = [
            writer.call("get_address", {"address": f"adr-{one}"}, {"zip": f"{len(one)}{task}99"})
            for one in orders
        ]
        both = [call for pair in zip(found, then, strict=True) for call in pair]
        return writer.trace(
            f"task{task}",
            writer.call("get_user", {"user": f"user-{task}00"}, {"orders": [*orders]}),
            *(both if in_turns else [*found, *then]),
            text=f"user-{task}00",
        )

    found = writer.sequences([trace(task) for task in range(5)], SETTINGS)[0]
    assert len(found.plan) == 3
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert 'call_tool("get_address", {"address": order["ship"]["to"]})' in proof.draft.source
    assert "for order in orders" in proof.draft.source
    assert proof.passed, proof.report and proof.report.reasons


def test_what_was_said_beforehand_is_not_taken_for_computed(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            writer.call("get_order", {"order_id": f"ord-{task}77"}, order(task)),
            writer.call(
                "get_offer",
                {"order_id": f"ord-{task}77", "city": CITIES[task].upper()},
                {"offer": task},
            ),
            text=f"about ord-{task}77 to {CITIES[task].upper()}, please",
        )
        for task in range(5)
    ]
    found: list[RepeatedSequence] = writer.sequences(traces, SETTINGS)
    assert [*found[0].occurrences[0].bindings] == ["order_id", "city"]


def test_what_is_computed_by_accident_in_one_task_is_not_taken(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            writer.call("get_order", {"order_id": f"ord-{task}77"}, order(task)),
            writer.call("get_offer", {"about": PRICES[task] * (100 + task)}, {"offer": task}),
            text=f"about ord-{task}77, please",
        )
        for task in range(5)
    ]
    assert writer.sequences(traces, SETTINGS) == []
