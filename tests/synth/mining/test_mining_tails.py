"""Patterns that go on in some runs and end in others."""

from __future__ import annotations

from typing import Any, TypeAlias

from toolguild.sandbox import Limits, Sandbox
from toolguild.synth.measuring import PlannedTool, measure
from toolguild.synth.mining import MiningSettings, RepeatedSequence
from toolguild.synth.plans import plan_from_json, plan_to_json
from toolguild.synth.proving import prove
from toolguild.synth.traces import Trace
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any

SETTINGS = MiningSettings(held_out_share=0.0)
PROOF = ValidationSettings(inputs=20, repeats=2, mutants=0, limits=Limits(wall_s=1.0))


def trace(writer: Writer, task: int, *, goes_on: bool, writes: bool = False) -> Trace:
    verb = "cancel" if writes else "get"
    orders = [f"ord-{task}{number}" for number in range(1 + task % 3)]
    return writer.trace(  # type: ignore[no-any-return]
        f"task{task}",
        writer.call("get_user", {"user": f"user-{task}00"}, {"home": f"home-{task}00"}),
        writer.call("get_home", {"home": f"home-{task}00"}, {"orders": [*orders]}),
        *(
            writer.call(f"{verb}_order", {"order": order}, {"total": f"{order} {task}"})
            for order in orders
            if goes_on
        ),
        text=f"user-{task}00",
    )


def found(writer: Writer, short: int, long: int, **more: Any) -> list[RepeatedSequence]:
    traces = [trace(writer, task, goes_on=task >= short, **more) for task in range(short + long)]
    return writer.sequences(traces, SETTINGS)  # type: ignore[no-any-return]


def test_what_comes_in_about_half_of_the_runs_is_optional(writer: Writer, local: Sandbox) -> None:
    [one] = found(writer, 5, 5)
    assert [step.wanted for step in one.plan] == ["", "", "with_get_order"]
    assert len(one.occurrences) == 10
    assert plan_from_json(plan_to_json(one.plan)) == one.plan
    proof = prove(one, local, PROOF)
    assert proof.draft is not None
    assert "if with_get_order:" in proof.draft.source
    assert "with_get_order: bool = True" in proof.draft.source
    assert proof.draft.parameters["required"] == ["user"]
    assert proof.passed, proof.report and proof.report.reasons


def test_what_comes_nearly_always_is_another_pattern(writer: Writer) -> None:
    assert sorted(len(one.plan) for one in found(writer, 3, 8)) == [2, 3]


def test_what_writes_is_not_optional(writer: Writer) -> None:
    assert not any(step.wanted for one in found(writer, 5, 5, writes=True) for step in one.plan)


def test_a_tool_with_an_optional_end_serves_both_kinds_of_runs(
    writer: Writer, local: Sandbox
) -> None:
    [one] = found(writer, 5, 5)
    proof = prove(one, local, PROOF)
    assert proof.draft is not None
    tool = PlannedTool("t@1", proof.draft.name, proof.draft.source, one.plan)
    unseen = [trace(writer, 20, goes_on=False), trace(writer, 23, goes_on=True)]
    measured = measure([tool], unseen, local, SETTINGS)
    assert [use.arguments["with_get_order"] for use in measured.substitutions] == [False, True]
    assert [use.saved for use in measured.substitutions] == [1, 4]
    assert measured.refused == []
