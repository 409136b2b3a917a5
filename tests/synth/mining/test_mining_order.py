"""Which calls are taken as one though others stand between them, or one of them failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Program, Sandbox
from toolguild.synth.drafting import Draft, draft_tool
from toolguild.synth.measuring import PlannedTool, measure
from toolguild.synth.mining import MiningSettings
from toolguild.synth.plans import CallStep, Parameter
from toolguild.synth.proving import prove
from toolguild.synth.traces import Step, ToolCall, Trace
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any

SETTINGS = MiningSettings(held_out_share=0.0)
PROOF = ValidationSettings(inputs=20, repeats=2, mutants=0, limits=Limits(wall_s=1.0))


def user(writer: Writer, task: int) -> ToolCall:
    return writer.call("get_user", {"user": f"user-{task}00"}, {"order": f"ord-{task}77"})


def order(writer: Writer, task: int, **more: Any) -> ToolCall:
    return writer.call("get_order", {"order": f"ord-{task}77"}, {"total": 10 * task}, **more)


def between(writer: Writer, *steps: Any) -> list[Trace]:
    """Return traces with steps between the two calls; each is made for a task, or the same."""

    def step(made: Any, task: int) -> Step:
        return made(task) if callable(made) else made

    return [
        writer.trace(
            f"task{task}",
            user(writer, task),
            *(step(made, task) for made in steps),
            order(writer, task),
            text=f"user-{task}00 in city-{task}",
        )
        for task in range(4)
    ]


def plans(writer: Writer, traces: list[Trace]) -> list[list[str]]:
    return [[step.tool for step in one.plan] for one in writer.sequences(traces, SETTINGS)]


def test_a_call_that_only_reads_may_stand_between(writer: Writer) -> None:
    def weather(task: int) -> ToolCall:
        return writer.call("get_weather", {"city": f"city-{task}"}, {"sky": f"sky {task}"})

    assert plans(writer, between(writer, weather)) == [["get_user", "get_order"]]


def test_a_call_that_may_write_may_not(writer: Writer) -> None:
    def note(task: int) -> ToolCall:
        return writer.call("write_note", {"city": f"city-{task}"}, {"note": f"note {task}"})

    assert plans(writer, between(writer, note)) == []


def test_two_runs_between_are_too_many(writer: Writer) -> None:
    def weather(task: int) -> ToolCall:
        return writer.call("get_weather", {"city": f"city-{task}"}, {"sky": f"sky {task}"})

    def news(task: int) -> ToolCall:
        return writer.call("get_news", {"topic": f"topic-{task}"}, {"head": f"head {task}"})

    assert plans(writer, between(writer, weather, news)) == []


def test_a_write_is_not_taken_past_a_call(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            user(writer, task),
            writer.call("get_weather", {"city": f"city-{task}"}, {"sky": f"sky {task}"}),
            writer.call("cancel_order", {"order": f"ord-{task}77"}, {"done": f"done {task}"}),
            text=f"user-{task}00 in city-{task}",
        )
        for task in range(4)
    ]
    assert plans(writer, traces) == []


def test_nothing_is_taken_across_code_that_the_agent_ran(writer: Writer) -> None:
    assert plans(writer, between(writer, writer.code("print(1)", "1"))) == []


def test_a_call_that_failed_and_was_tried_again_is_as_good_as_not_made(writer: Writer) -> None:
    def failed(task: int) -> ToolCall:
        return writer.call("get_order", {"order": f"77-{task}"}, None, error="no such order")

    [found] = writer.sequences(between(writer, failed), SETTINGS)
    assert [step.tool for step in found.plan] == ["get_user", "get_order"]
    assert all(call.error is None for one in found.occurrences for call in one.calls)


def test_nothing_is_taken_across_another_call_that_failed(writer: Writer) -> None:
    def failed(task: int) -> ToolCall:
        return writer.call("get_basket", {"user": f"user-{task}00"}, None, error="no basket")

    assert plans(writer, between(writer, failed)) == []


def test_what_was_tried_again_is_no_run_of_two(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            writer.call("get_order", {"order": f"ord-{task}11"}, {"total": task}),
            writer.call("get_order", {"order": f"ord-{task}2"}, None, error="no such order"),
            writer.call("get_order", {"order": f"ord-{task}22"}, {"total": task + 1}),
            text=f"ord-{task}11, ord-{task}22",
        )
        for task in range(4)
    ]
    assert plans(writer, traces) == []


# -- what is called where a call fails


def by_mail_or_name(writer: Writer, task: int, *, mail_works: bool = False) -> list[ToolCall]:
    found = {"user": f"user-{task}00", "plan": f"plan {task}"}
    mail = {"mail": f"mail{task}@shop.example"}
    if mail_works:
        return [writer.call("find_by_mail", mail, found)]
    return [
        writer.call("find_by_mail", mail, None, error="nobody has this address"),
        writer.call("find_by_name", {"name": f"Name {task}"}, found),
    ]


def order_of(writer: Writer, task: int) -> ToolCall:
    return writer.call("list_orders", {"user": f"user-{task}00"}, {"orders": [task]})


def looked_up(writer: Writer, *, then: bool = True, works: int = 3) -> list[Trace]:
    """Return traces in which the address is unknown, and some in which it is not."""
    return [
        writer.trace(
            f"task{task}",
            *by_mail_or_name(writer, task, mail_works=task >= 5),
            *([order_of(writer, task)] if then and task < 5 else []),
            text=f"I am Name {task}, mail{task}@shop.example",
        )
        for task in range(5 + works)
    ]


@pytest.mark.parametrize("then", [False, True])
def test_what_is_called_where_a_call_fails_is_part_of_the_tool(
    then: bool, writer: Writer, local: Sandbox
) -> None:
    [found] = writer.sequences(looked_up(writer, then=then), SETTINGS)
    first = found.plan[0]
    assert isinstance(first, CallStep)
    assert first.otherwise == CallStep("find_by_name", (("name", Parameter("name")),))
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert "except ToolCallError:" in proof.draft.source
    assert [*proof.draft.parameters["properties"]] == ["mail", "name"]
    assert proof.passed, proof.report and proof.report.reasons


def test_runs_that_need_the_fallback_and_runs_that_do_not_make_one_tool(
    writer: Writer, local: Sandbox
) -> None:
    def trace(task: int) -> Trace:
        ticket = {"mail": f"mail{task}@shop.example", "phone": f"+3365000{task}"}
        user = {"user": f"user-{task}00"}
        by_mail = writer.call("find_by_mail", {"mail": ticket["mail"]}, user)
        if task % 2:
            failed = replace(by_mail, result=None, error="nobody")
            tries = [failed, writer.call("find_by_phone", {"phone": ticket["phone"]}, user)]
        else:
            tries = [by_mail]
        return writer.trace(
            f"task{task}",
            writer.call("get_ticket", {"ticket": f"T-{task}00"}, ticket),
            *tries,
            order_of(writer, task),
            text=f"T-{task}00",
        )

    [found] = writer.sequences([trace(task) for task in range(8)], SETTINGS)
    assert len(found.occurrences) == 8
    assert [len(one.calls) for one in found.occurrences] == [3, 4] * 4
    proof = prove(found, local, PROOF)
    assert proof.draft is not None
    assert "except ToolCallError:" in proof.draft.source
    assert proof.passed, proof.report and proof.report.reasons


def test_a_longer_pattern_takes_over_what_others_show_of_failures(writer: Writer) -> None:
    def trace(task: int, *, fails: bool, further: bool) -> Trace:
        ticket = {"mail": f"mail{task}@shop.example", "phone": f"+3365000{task}"}
        user = {"user": f"user-{task}00", "city": f"city-{task}00"}
        by_mail = writer.call("find_by_mail", {"mail": ticket["mail"]}, user)
        failed = replace(by_mail, result=None, error="nobody")
        by_phone = writer.call("find_by_phone", {"phone": ticket["phone"]}, user)
        weather = writer.call("get_weather", {"city": user["city"]}, {"sky": task})
        return writer.trace(
            f"task{task}",
            writer.call("get_ticket", {"ticket": f"T-{task}00"}, ticket),
            *([failed, by_phone] if fails else [by_mail]),
            *([weather, order_of(writer, task)] if further else []),
            text=f"T-{task}00",
        )

    traces = [trace(task, fails=task < 3, further=task >= 3) for task in range(12)]
    found = writer.sequences(traces, SETTINGS)
    assert [len(one.plan) for one in found] == [4, 2]
    for one in found:
        step = one.plan[1]
        assert isinstance(step, CallStep)
        assert step.otherwise is not None
        assert step.otherwise.tool == "find_by_phone"


def test_a_fallback_that_asks_for_more_is_not_taken_over(writer: Writer) -> None:
    works = [
        writer.trace(
            f"other{task}",
            *by_mail_or_name(writer, task, mail_works=True),
            order_of(writer, task),
            text=f"mail{task}@shop.example",
        )
        for task in range(5)
    ]
    found = writer.sequences([*looked_up(writer, then=False), *works], SETTINGS)
    assert [[*one.occurrences[0].bindings] for one in found] == [["mail"], ["mail", "name"]]


def test_what_follows_a_write_that_failed_is_no_fallback(writer: Writer) -> None:
    traces = [
        replace(
            trace,
            steps=tuple(
                replace(step, tool=step.tool.replace("find_by_mail", "update_mail"))
                for step in trace.calls()
            ),
        )
        for trace in looked_up(writer, then=False)
    ]
    assert plans(writer, traces) == []


def test_a_call_that_never_works_is_not_tried_by_a_tool(writer: Writer) -> None:
    assert plans(writer, looked_up(writer, then=False, works=2)) == []


def test_where_the_first_call_works_the_other_is_not_made(writer: Writer, local: Sandbox) -> None:
    [found] = writer.sequences(looked_up(writer), SETTINGS)
    draft = draft_tool(found, local)
    assert isinstance(draft, Draft)
    made = []

    def tools(name: str, arguments: JsonObject) -> Json:
        made.append(name)
        return {"user": "user-900", "plan": "plan 9"}

    given: JsonObject = {"mail": "mail9@shop.example", "name": "Name 9"}
    program = Program(draft.source, draft.name)
    outcome = local.run(program, given, tier=Tier.SANDBOX, tools=tools)
    assert outcome.ok
    assert made == ["find_by_mail", "list_orders"]


def test_what_is_called_instead_must_be_known_before_the_failure(writer: Writer) -> None:
    traces = [
        writer.trace(
            f"task{task}",
            writer.call("find_by_mail", {"mail": f"m{task}@x.y"}, None, error=f"try Name{task}77"),
            writer.call("find_by_name", {"name": f"Name{task}77"}, {"plan": task}),
            writer.call("find_by_mail", {"mail": f"n{task}@x.y"}, {"plan": task}),
            text=f"m{task}@x.y",
        )
        for task in range(5)
    ]
    assert plans(writer, traces) == []


def test_what_the_user_said_after_a_failure_is_no_fallback(writer: Writer) -> None:
    traces = looked_up(writer, then=False)
    heard = [
        replace(
            trace,
            steps=tuple(
                replace(step, heard="Then by name.") if step.tool == "find_by_name" else step
                for step in trace.calls()
            ),
        )
        for trace in traces
    ]
    assert plans(writer, traces)
    assert plans(writer, heard) == []


def test_a_fallback_saves_a_call_where_the_first_one_fails(writer: Writer, local: Sandbox) -> None:
    [found] = writer.sequences(looked_up(writer), SETTINGS)
    draft = draft_tool(found, local)
    assert isinstance(draft, Draft)
    tool = PlannedTool("f@1", draft.name, draft.source, found.plan)
    unseen = [
        writer.trace(
            "other",
            *by_mail_or_name(writer, 18),
            order_of(writer, 18),
            text="Name 18, mail18@shop.example",
        ),
        writer.trace(
            "another",
            *by_mail_or_name(writer, 19, mail_works=True),
            order_of(writer, 19),
            text="mail19@shop.example",
        ),
    ]
    measured = measure([tool], unseen, local, SETTINGS)
    # In the second run nobody said the name, which the tool asks for.
    assert [(one.timeline.trace_id, one.saved) for one in measured.substitutions] == [
        ("other/run", 2)
    ]
    assert measured.refused == []
