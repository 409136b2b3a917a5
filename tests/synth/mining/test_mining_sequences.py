"""Which call sequences are found, and which are refused, in traces of a small shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Json
from toolguild.synth.mining import MiningSettings, RepeatedSequence, support_of
from toolguild.synth.mining.selection import choose, ready
from toolguild.synth.plans import (
    CallStep,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Parameter,
    Plan,
)
from toolguild.synth.traces import ToolCall, ToolDefinition, Trace

# What `conftest` gives cannot be imported from it: under importlib it is no module of ours.
Writer: TypeAlias = Any

GET_CUSTOMER = CallStep("get_customer", (("email", Parameter("email")),))
GET_ADDRESS = CallStep("get_address", (("address_id", FromResult(0, ("address",))),))
ORDERS_OF_CUSTOMER = LoopStep(
    "get_order", FromResult(0, ("orders",)), (("order_id", FromItem(())),)
)


def email(task: int) -> str:
    return f"user{task}@shop.example"


def customer(task: int, orders: int = 2) -> dict[str, Json]:
    return {
        "address": f"adr-{task}00",
        "orders": [f"ord-{task}-{number}" for number in range(orders)],
        "vip": False,
    }


def get_customer(writer: Writer, task: int, orders: int = 2, **more: Any) -> ToolCall:
    return writer.call("get_customer", {"email": email(task)}, customer(task, orders), **more)


def get_address(writer: Writer, task: int, **more: Any) -> ToolCall:
    identity = f"adr-{task}00"
    return writer.call("get_address", {"address_id": identity}, {"city": f"City {task}"}, **more)


def get_order(writer: Writer, order: str, **more: Any) -> ToolCall:
    return writer.call("get_order", {"order_id": order}, {"state": f"state of {order}"}, **more)


def pipeline(writer: Writer, task: int, **more: Any) -> Trace:
    return writer.trace(
        f"task{task}", get_customer(writer, task), get_address(writer, task), **more
    )


def looped(writer: Writer, task: int, orders: int) -> Trace:
    calls = [get_order(writer, str(order)) for order in customer(task, orders)["orders"]]
    return writer.trace(f"task{task}", get_customer(writer, task, orders), *calls)


# -- pipelines


def test_a_call_that_takes_a_part_of_an_earlier_result_follows_from_it(writer: Writer) -> None:
    (found,) = writer.sequences(pipeline(writer, task) for task in range(3))
    assert found.plan == (GET_CUSTOMER, GET_ADDRESS)
    assert support_of(found.occurrences) == 3
    assert [one.bindings for one in found.occurrences] == [{"email": email(n)} for n in range(3)]
    assert [[call.tool for call in one.calls] for one in found.occurrences] == (
        [["get_customer", "get_address"]] * 3
    )
    assert found.near_misses == {}
    assert all(one.saving.calls == 1 for one in found.occurrences)


def test_saved_characters_are_those_of_the_calls_less_those_of_the_one_call(
    writer: Writer,
) -> None:
    (found,) = writer.sequences(pipeline(writer, task) for task in range(3))
    written = len('get_customer{"email": "user0@shop.example"}get_address{"address_id": "adr-000"}')
    assert found.occurrences[0].saving.characters == written - len(
        '{"email": "user0@shop.example"}'
    )


def test_a_value_deep_in_a_result_is_found_at_its_path(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        found = {"hits": [{"item": {"sku": f"sku-{task}"}}, {"item": {"sku": "sku-last"}}]}
        return writer.trace(
            f"task{task}",
            writer.call("search", {"text": f"thing {task}"}, found),
            writer.call("get_stock", {"sku": f"sku-{task}"}, task),
        )

    (found,) = writer.sequences(map(trace, range(3)))
    path = ("hits", 0, "item", "sku")
    assert found.plan[1] == CallStep("get_stock", (("sku", FromResult(0, path)),))


def test_the_last_of_a_list_is_found_and_one_in_the_middle_is_an_accident(writer: Writer) -> None:
    def traces(position: int) -> list[Trace]:
        made = []
        for task in range(3):
            # Lists of different lengths: only counting from the end finds the last.
            rows = [f"row-{task}-{number}" for number in range(4 + task)]
            made.append(
                writer.trace(
                    f"task{task}",
                    writer.call("list_rows", {"table": f"table{task}"}, rows),
                    writer.call("get_row", {"row": rows[position]}, {"cells": []}),
                )
            )
        return made

    (last,) = writer.sequences(traces(-1))
    assert last.plan[1] == CallStep("get_row", (("row", FromResult(0, (-1,))),))
    assert writer.sequences(traces(1)) == []


def test_a_value_that_only_an_inner_result_gave_and_no_path_leads_to_is_refused(
    writer: Writer,
) -> None:
    def trace(task: int) -> Trace:
        text = f"Your parcel is number PX{task}77, sent today."
        return writer.trace(
            f"task{task}",
            writer.call("get_mail", {"email": email(task)}, text),
            writer.call("track", {"parcel": f"PX{task}77", "email": email(task)}, "on its way"),
        )

    assert writer.sequences(map(trace, range(4))) == []


def test_a_value_that_the_user_told_between_the_calls_is_no_parameter(writer: Writer) -> None:
    def trace(task: int, *, told_before: bool) -> Trace:
        told = f"please check coupon SAVE{task}"
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            writer.call(
                "check_coupon",
                {"email": email(task), "coupon": f"SAVE{task}"},
                "valid",
                heard="" if told_before else told,
            ),
            text=told if told_before else "I need help.",
        )

    (found,) = writer.sequences(trace(task, told_before=True) for task in range(3))
    assert dict(found.plan[1].arguments) == {
        "coupon": Parameter("coupon"),
        "email": Parameter("email"),
    }
    assert writer.sequences(trace(task, told_before=False) for task in range(3)) == []


def test_what_was_said_just_before_the_first_call_was_known_before_it(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            get_customer(writer, task, heard=f"use SAVE{task}"),
            writer.call("check_coupon", {"email": email(task), "coupon": f"SAVE{task}"}, "valid"),
        )

    (found,) = writer.sequences(map(trace, range(3)))
    assert found.occurrences[2].bindings == {"email": email(2), "coupon": "SAVE2"}


def test_equal_values_share_a_parameter_and_a_value_that_never_varies_is_a_constant(
    writer: Writer,
) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            writer.call("get_profile", {"user": email(task), "depth": 2}, {"ok": 1}),
            writer.call("get_rating", {"customer": email(task), "scale": "stars"}, 5),
            text=f"I am {email(task)}",
        )

    (found,) = writer.sequences(map(trace, range(3)))
    assert found.plan == (
        CallStep("get_profile", (("user", Parameter("user")), ("depth", Parameter("depth")))),
        CallStep("get_rating", (("customer", Parameter("user")), ("scale", Constant("stars")))),
    )
    assert found.occurrences[1].bindings == {"user": email(1), "depth": 2}


def test_parameters_of_one_name_and_different_values_are_told_apart(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            writer.call("get_fare", {"city": f"Oslo{task}", "trip": f"trip{task}"}, 10),
            writer.call("get_price", {"city": f"Rome{task}", "trip": f"trip{task}"}, 20),
            text=f"from Oslo{task} to Rome{task} on trip{task}",
        )

    (found,) = writer.sequences(map(trace, range(3)))
    assert found.occurrences[0].bindings == {"city": "Oslo0", "city_2": "Rome0", "trip": "trip0"}


def test_calls_that_only_stand_side_by_side_are_not_one_tool(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            writer.call("get_weather", {"city": f"Town{task}"}, "rain"),
            text=f"I am in Town{task}",
        )

    assert writer.sequences(map(trace, range(3))) == []


def test_numbers_and_truth_values_that_stand_everywhere_derive_nothing(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            writer.call("get_cart", {"cart": f"cart{task}"}, {"count": task, "open": True}),
            writer.call("set_count", {"count": task, "open": True}, "done"),
        )

    assert writer.sequences(map(trace, range(4))) == []


# -- what may be taken together


def test_writes_after_the_user_spoke_are_never_taken_together_with_what_came_before(
    writer: Writer,
) -> None:
    def trace(task: int, tool: str, heard: str) -> Trace:
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            writer.call(tool, {"address_id": f"adr-{task}00"}, "done", heard=heard),
        )

    assert writer.sequences(trace(n, "delete_address", "Yes, do it.") for n in range(3)) == []
    assert len(writer.sequences(trace(n, "delete_address", "") for n in range(3))) == 1
    assert len(writer.sequences(trace(n, "get_address", "Where is it?") for n in range(3))) == 1


@pytest.mark.parametrize("between", ["think", "a code execution"])
def test_a_consent_heard_at_a_step_that_is_skipped_still_counts(
    writer: Writer, between: str
) -> None:
    def trace(task: int) -> Trace:
        skipped = (
            writer.call("think", {"thought": "they agree"}, "", heard="Yes, delete it.")
            if between == "think"
            else writer.code("1 + 1", "2", heard="Yes, delete it.")
        )
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            skipped,
            writer.call("delete_address", {"address_id": f"adr-{task}00"}, "done"),
        )

    assert writer.sequences(map(trace, range(3))) == []


def test_words_heard_at_a_code_execution_were_known_from_then_on(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            writer.code("1 + 1", "2", heard=f"My coupon is SAVE{task}"),
            get_customer(writer, task),
            writer.call("check_coupon", {"email": email(task), "coupon": f"SAVE{task}"}, "valid"),
        )

    (found,) = writer.sequences(map(trace, range(3)))
    assert found.occurrences[0].bindings == {"email": email(0), "coupon": "SAVE0"}


def test_a_failed_call_breaks_a_sequence_so_that_a_retry_is_no_pattern(writer: Writer) -> None:
    def trace(task: int, error: str | None) -> Trace:
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            writer.call("get_mail", {"email": "typo"}, None if error else {}, error=error),
            get_address(writer, task),
        )

    assert writer.sequences(trace(task, "no such user") for task in range(3)) == []
    (found,) = writer.sequences(trace(task, None) for task in range(3))
    assert len(found.plan) == 3


def test_a_failed_call_breaks_a_loop(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        first, second = (f"ord-{task}-{number}" for number in range(2))
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            get_order(writer, first),
            get_order(writer, "oops", error="not found"),
            get_order(writer, second),
        )

    plans = [found.plan for found in writer.sequences(map(trace, range(3)))]
    assert not any(isinstance(step, LoopStep) for plan in plans for step in plan)


def test_thinking_is_skipped(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        thought = writer.call("Think", {"thought": "hm"}, "")
        return writer.trace(
            f"task{task}", get_customer(writer, task), thought, get_address(writer, task)
        )

    (found,) = writer.sequences(map(trace, range(3)))
    assert found.plan == (GET_CUSTOMER, GET_ADDRESS)
    assert found.occurrences[0].saving.calls == 1


# -- support


def test_support_counts_tasks_and_not_runs(writer: Writer) -> None:
    runs = [pipeline(writer, 1, run=f"run{number}") for number in range(9)]
    assert writer.sequences(runs) == []
    assert writer.sequences([*runs, pipeline(writer, 2)]) == []
    (found,) = writer.sequences([*runs, pipeline(writer, 2), pipeline(writer, 3)])
    assert (support_of(found.occurrences), len(found.occurrences)) == (3, 11)


def test_a_derivation_is_claimed_where_it_holds_and_the_rest_are_near_misses(
    writer: Writer,
) -> None:
    def other(task: int) -> Trace:
        elsewhere = writer.call("get_address", {"address_id": f"other{task}"}, {"city": "X"})
        return writer.trace(f"task{task}", get_customer(writer, task), elsewhere)

    traces = [*(pipeline(writer, task) for task in range(6)), other(6), other(7)]
    (found,) = writer.sequences(traces)
    assert support_of(found.everywhere) == 6
    (missed,) = {**found.near_misses, **found.held_out_missed}
    assert "address_id" in missed
    assert found.near_misses.get(missed, 0) + found.held_out_missed.get(missed, 0) == 2


def test_a_derivation_that_holds_too_seldom_is_an_accident(writer: Writer) -> None:
    def other(task: int) -> Trace:
        elsewhere = writer.call("get_address", {"address_id": f"other{task}"}, {"city": "X"})
        return writer.trace(f"task{task}", get_customer(writer, task), elsewhere)

    traces = [*(pipeline(writer, n) for n in range(3)), *(other(n) for n in range(3, 5))]
    assert writer.sequences(traces) == []  # 3 of 5 is less than 75 %
    (found,) = writer.sequences(traces, MiningSettings(min_confidence=0.6))
    assert found.plan == (GET_CUSTOMER, GET_ADDRESS)


def test_a_value_that_never_varies_is_no_derivation(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            writer.call("get_customer", {"email": email(task)}, {"currency": "EUR"}),
            writer.call("get_rates", {"currency": "EUR"}, {"USD": 1.1}),
        )

    (found,) = writer.sequences(map(trace, range(3)))
    assert found.plan[1] == CallStep("get_rates", (("currency", Constant("EUR")),))


# -- loops


def test_a_loop_over_a_list_of_scalars(writer: Writer) -> None:
    (found,) = writer.sequences(looped(writer, task, orders=task + 1) for task in range(4))
    assert found.plan == (GET_CUSTOMER, ORDERS_OF_CUSTOMER)
    assert [len(one.steps[1]) for one in found.everywhere] == [1, 2, 3, 4]
    assert [one.saving.calls for one in found.everywhere] == [1, 2, 3, 4]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_over_a_key_of_objects_in_any_order(writer: Writer, reverse: bool) -> None:
    def trace(task: int) -> Trace:
        rows = [{"id": f"row-{task}-{n}", "note": f"note {n}"} for n in range(3)]
        calls = [writer.call("get_row", {"row": row["id"], "full": True}, row) for row in rows]
        listed = writer.call("list_rows", {"table": f"tab{task}"}, {"page": {"rows": rows}})
        return writer.trace(f"task{task}", listed, *(reversed(calls) if reverse else calls))

    (found,) = writer.sequences(map(trace, range(3)))
    over = FromResult(0, ("page", "rows"))
    arguments = (("row", FromItem(("id",))), ("full", Constant(True)))
    assert found.plan[1] == LoopStep("get_row", over, arguments)


def test_a_loop_needs_one_place_where_it_turned_more_than_once(writer: Writer) -> None:
    (found,) = writer.sequences(looped(writer, task, orders=1) for task in range(3))
    assert not any(isinstance(step, LoopStep) for step in found.plan)


def test_an_empty_list_makes_no_occurrence_and_spoils_none(writer: Writer) -> None:
    sizes = [0, 2, 3, 0, 2]
    (found,) = writer.sequences(looped(writer, task, size) for task, size in enumerate(sizes))
    assert found.plan == (GET_CUSTOMER, ORDERS_OF_CUSTOMER)
    assert [one.task_id for one in found.occurrences] == ["task1", "task2", "task4"]


def loops_only(found: list[RepeatedSequence]) -> list[RepeatedSequence]:
    """Leave out batches, which take a list from the caller."""
    return [one for one in found if not is_batch(one.plan)]


def is_batch(plan: Plan) -> bool:
    return isinstance(plan[0], LoopStep)


def test_a_part_of_a_loop_is_not_claimed(writer: Writer) -> None:
    def partial(task: int) -> Trace:
        calls = [get_order(writer, f"ord-{task}-{number}") for number in (0, 1)]
        return writer.trace(f"task{task}", get_customer(writer, task, orders=3), *calls)

    traces = [*(looped(writer, task, 2) for task in range(3)), *(partial(n) for n in range(3, 6))]
    (found,) = loops_only(writer.sequences(traces))
    assert found.plan == (GET_CUSTOMER, ORDERS_OF_CUSTOMER)
    assert {one.task_id for one in found.occurrences} == {"task0", "task1", "task2"}


def test_a_run_that_goes_over_a_list_and_beyond_it_is_no_loop(writer: Writer) -> None:
    def beyond(task: int) -> Trace:
        orders = [*(f"ord-{task}-{number}" for number in range(3)), f"ord-extra-{task}"]
        calls = [get_order(writer, order) for order in orders]
        return writer.trace(f"task{task}", get_customer(writer, task, orders=3), *calls)

    assert loops_only(writer.sequences(map(beyond, range(4)))) == []


def test_runs_of_one_tool_are_taken_whole(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        orders = [get_order(writer, f"free-{task}-{number}") for number in range(3)]
        last = writer.call("get_invoice", {"order_id": f"free-{task}-2"}, "paid")
        told = f"free-{task}-0, free-{task}-1, free-{task}-2"
        return writer.trace(f"task{task}", *orders, last, text=told)

    # Only the last get_order of three feeds the invoice: a part of a run is no pattern.
    assert loops_only(writer.sequences(map(trace, range(4)))) == []


def test_a_run_in_which_two_arguments_vary_is_no_loop(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        calls = [
            writer.call("get_order", {"order_id": order, "page": 100 + number}, {})
            for number, order in enumerate(customer(task, 3)["orders"])  # type: ignore[arg-type]
        ]
        return writer.trace(f"task{task}", get_customer(writer, task, 3), *calls)

    assert writer.sequences(map(trace, range(4))) == []


def test_occurrences_of_one_sequence_share_no_call(writer: Writer) -> None:
    (found,) = writer.sequences(pipeline(writer, task) for task in range(3))
    doubled = replace(found, occurrences=found.occurrences * 2)
    assert choose(ready([doubled]), worth_keeping=lambda *_: True, limit=9) == [found]


def test_the_first_of_a_list_beside_a_loop_over_it_is_the_same_tool(writer: Writer) -> None:
    loops = [looped(writer, task, orders=2) for task in range(3)]
    firsts = [looped(writer, task, orders=1) for task in range(3, 12)]
    plans = [found.plan for found in writer.sequences([*loops, *firsts])]
    assert plans == [(GET_CUSTOMER, ORDERS_OF_CUSTOMER)]


def test_one_turn_with_other_arguments_than_the_loop_is_a_tool_of_its_own(writer: Writer) -> None:
    def single(task: int) -> Trace:
        first = writer.call("get_order", {"order_id": f"ord-{task}-0", "full": True}, {"x": task})
        return writer.trace(f"task{task}", get_customer(writer, task, orders=2), first)

    loops = [looped(writer, task, orders=3) for task in range(3)]
    plans = [found.plan for found in writer.sequences([*loops, *map(single, range(3, 6))])]
    assert [len(plan[1].arguments) for plan in plans] == [1, 2]


def test_the_order_in_which_arguments_are_given_does_not_matter(writer: Writer) -> None:
    def trace(task: int, orders: int, *, flip: bool) -> Trace:
        def get(order: str) -> ToolCall:
            arguments: dict[str, Json] = {"order_id": order, "view": "full"}
            given = dict(reversed(arguments.items())) if flip else arguments
            return writer.call("get_order", given, {"state": order})

        calls = [get(str(order)) for order in customer(task, orders)["orders"]]
        return writer.trace(f"task{task}", get_customer(writer, task, orders), *calls)

    loops = [trace(task, 2, flip=False) for task in range(3)]
    firsts = [trace(task, 1, flip=True) for task in range(3, 8)]
    (found,) = writer.sequences([*loops, *firsts])
    assert isinstance(found.plan[1], LoopStep)


@pytest.mark.parametrize("turn", [0, 2])
def test_a_step_after_a_loop_may_not_take_from_the_loops_results(writer: Writer, turn: int) -> None:
    def trace(task: int) -> Trace:
        orders = [
            writer.call("get_order", {"order_id": f"ord-{task}-{n}"}, {"depot": f"dep-{task}-{n}"})
            for n in range(3)
        ]
        depot = writer.call("get_depot", {"depot": f"dep-{task}-{turn}"}, "open")
        return writer.trace(f"task{task}", get_customer(writer, task, 3), *orders, depot)

    plans = [found.plan for found in writer.sequences(map(trace, range(4)))]
    assert plans == [(GET_CUSTOMER, ORDERS_OF_CUSTOMER)]


# -- what comes with a sequence


def test_the_definitions_of_the_tools_called_come_with_a_sequence(writer: Writer) -> None:
    described = ToolDefinition("get_customer", "Find a customer.", {"type": "object"})
    unused = ToolDefinition("send_mail", "Send a mail.", {"type": "object"})
    (found,) = writer.sequences(
        pipeline(writer, task, tools=[described, unused]) for task in range(3)
    )
    assert found.tools == {"get_customer": described}


def test_chosen_sequences_share_no_call(writer: Writer) -> None:
    def trace(task: int) -> Trace:
        return writer.trace(
            f"task{task}",
            get_customer(writer, task),
            get_address(writer, task),
            writer.call("get_map", {"city": f"City {task}"}, "map"),
        )

    # In some tasks the third call is missing: the long plan wins where it applies.
    traces = [trace(task) for task in range(9)] + [pipeline(writer, task) for task in range(9, 13)]
    chosen = writer.sequences(traces)
    assert [len(found.plan) for found in chosen] == [3, 2]
    taken = [unit for found in chosen for one in found.everywhere for unit in one.units]
    assert len(taken) == len(set(taken)) == 9 * 3 + 4 * 2


def test_at_most_so_many_opportunities_are_chosen(writer: Writer) -> None:
    def trace(task: int, kind: int) -> Trace:
        return writer.trace(
            f"task{task}-{kind}",
            writer.call(f"get_a{kind}", {"key": f"key-{task}"}, {"next": f"next-{task}"}),
            writer.call(f"get_b{kind}", {"next": f"next-{task}"}, "end"),
        )

    traces = [trace(task, kind) for task in range(3) for kind in range(4)]
    assert len(writer.sequences(traces)) == 4
    assert len(writer.sequences(traces, MiningSettings(max_opportunities=2))) == 2


def test_progress_is_told_up_to_the_end(writer: Writer) -> None:
    from toolguild.synth.mining import SequenceMiner

    miner = SequenceMiner(MiningSettings())
    for task in range(3):
        miner.add(pipeline(writer, task))
    told: list[float] = []
    note: Callable[[float], None] = told.append
    miner.mine(note)
    assert told == sorted(told)
    assert told[-1] == 1.0
