"""Runs of one tool with arguments that were all known: which become a call with a list."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Sandbox
from toolguild.synth.drafting import draft_tool
from toolguild.synth.drafting.draft import Draft
from toolguild.synth.mining import RepeatedSequence
from toolguild.synth.plans import FromItem, LoopStep, Parameter
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings, validate

Writer: TypeAlias = Any


def told(task: int, count: int) -> list[str]:
    return [f"order-{task}-{number}" for number in range(count)]


def cancelling(writer: Writer, task: int, count: int = 3, **more: Any) -> Trace:
    """Return a run that cancels what the user listed, and nothing else."""
    calls = [
        writer.call("cancel_order", {"order_id": order}, {"cancelled": order}, **more)
        for order in told(task, count)
    ]
    return writer.trace(f"task{task}", *calls, text=f"Cancel {', '.join(told(task, count))}.")


CANCEL = LoopStep("cancel_order", Parameter("order_ids"), (("order_id", FromItem(())),))


def test_calls_that_the_user_listed_are_one_call_with_a_list(writer: Writer) -> None:
    (found,) = writer.sequences(cancelling(writer, task, 2 + task % 2) for task in range(4))
    assert found.plan == (CANCEL,)
    assert {len(one.bindings["order_ids"]) for one in found.everywhere} == {2, 3}
    assert found.everywhere[0].bindings == {"order_ids": told(0, 2)}
    assert sum(one.saving.calls for one in found.everywhere) == 6


def test_no_batch_is_longer_than_a_list_may_be(writer: Writer) -> None:
    (found,) = writer.sequences(cancelling(writer, task, 50) for task in range(3))
    assert [len(one.bindings["order_ids"]) for one in found.everywhere] == [20, 20, 10] * 3


def test_what_differs_goes_into_the_list_and_what_does_not_stays_apart(writer: Writer) -> None:
    def booking(task: int) -> Trace:
        calls = [
            writer.call("book_seat", {"row": row, "seat": seat, "trip": f"trip{task}"}, "booked")
            for row, seat in (("row12", "seatA"), ("row14", "seatC"))
        ]
        text = f"On trip{task} row12 seatA and row14 seatC"
        return writer.trace(f"task{task}", *calls, text=text)

    (found,) = writer.sequences(map(booking, range(3)))
    assert found.occurrences[0].bindings == {
        "requests": [{"row": "row12", "seat": "seatA"}, {"row": "row14", "seat": "seatC"}],
        "trip": "trip0",
    }


def test_what_was_not_known_before_the_first_call_is_in_no_batch(writer: Writer) -> None:
    def unsaid(task: int) -> Trace:
        trace = cancelling(writer, task)
        return writer.trace(f"task{task}", *trace.steps, text="Cancel them all.")

    assert writer.sequences(map(unsaid, range(4))) == []


@pytest.mark.parametrize(("tool", "batches"), [("cancel_order", 0), ("get_order", 1)])
def test_no_batch_writes_after_the_user_spoke(writer: Writer, tool: str, batches: int) -> None:
    def asked(task: int) -> Trace:
        calls = [
            writer.call(tool, {"order_id": order}, {"seen": order}, heard="Yes, do.")
            for order in told(task, 2)
        ]
        return writer.trace(f"task{task}", *calls, text=" ".join(told(task, 2)))

    assert len(writer.sequences(map(asked, range(4)))) == batches


def test_what_an_earlier_result_lists_is_a_loop_and_no_batch(writer: Writer) -> None:
    def looped(task: int) -> Trace:
        orders = told(task, 3)
        listed = writer.call("list_orders", {"user": f"user{task}"}, {"orders": orders})
        calls = [writer.call("get_order", {"order_id": order}, {"id": order}) for order in orders]
        return writer.trace(f"task{task}", listed, *calls, text=f"user{task}")

    (found,) = writer.sequences(map(looped, range(4)))
    assert [step.tool for step in found.plan] == ["list_orders", "get_order"]


def test_results_do_not_depend_on_the_order_of_traces(writer: Writer) -> None:
    traces = [cancelling(writer, task, 2 + task % 3) for task in range(12)]
    assert writer.sequences(traces) == writer.sequences(traces[::-1])


def drafted(found: RepeatedSequence, sandbox: Sandbox) -> Draft:
    draft = draft_tool(found, sandbox)
    assert isinstance(draft, Draft)
    return draft


def test_a_batch_becomes_a_tool_that_passes(writer: Writer, local: Sandbox) -> None:
    (found,) = writer.sequences(cancelling(writer, task, 2 + task % 2) for task in range(8))
    draft = drafted(found, local)
    assert draft.name == "cancel_order_for_each"
    assert "for order_id in order_ids" in draft.source
    assert draft.held_out
    schema: Any = draft.parameters["properties"]
    assert schema["order_ids"]["maxItems"] == 20
    report = validate(draft, local, ValidationSettings(inputs=30, mutants=0))
    assert report.passed, report.reasons


def test_one_that_leaves_the_last_out_does_not(writer: Writer, local: Sandbox) -> None:
    (found,) = writer.sequences(cancelling(writer, task) for task in range(8))
    draft = drafted(found, local)
    from dataclasses import replace

    bad = replace(draft, source=draft.source.replace("in order_ids", "in order_ids[:2]"))
    assert not validate(bad, local, ValidationSettings(inputs=30, mutants=0)).passed
