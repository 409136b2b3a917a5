"""What a model reads again with each request, as far as a log tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from toolguild.synth.mining import Sampled, Weight
from toolguild.synth.traces import ToolDefinition, Trace
from toolguild.synth.utility import Prompts, PromptSettings, tokens_in

Writer: TypeAlias = Any


def sampled(trace: Trace, runs: float = 1.0) -> Sampled:
    return Sampled(trace, Weight(runs=runs), every_run=True)


@pytest.fixture
def trace(writer: Writer) -> Trace:
    steps = [writer.call("look", {"at": "x"}, "y" * 400), writer.call("look", {"at": "z"}, "w")]
    return writer.trace("task", *steps, text="t" * 100)  # type: ignore[no-any-return]


def test_a_request_reads_what_stood_there_before_the_step(trace: Trace) -> None:
    prompts = Prompts([sampled(trace)])
    first, second = (prompts.of_request(trace.id, step) for step in (1, 2))
    assert first >= tokens_in(100)
    assert second - first == pytest.approx(tokens_in(len('look{"at": "x"}') + 400))
    instructed = Prompts([sampled(replace(trace, instructions=1000))])
    assert instructed.of_request(trace.id, 1) == pytest.approx(first + tokens_in(1000))


def test_tools_are_read_as_the_log_defines_them(trace: Trace) -> None:
    defined = replace(trace, tools=(ToolDefinition("look", "d" * 500, {"type": "object"}),))
    told = Prompts([sampled(defined)]).of_request(trace.id, 1)
    used = Prompts([sampled(trace)]).of_request(trace.id, 1)
    assert told - used > tokens_in(400)


def test_a_definition_is_read_by_every_request_and_new_to_the_first(
    writer: Writer, trace: Trace
) -> None:
    idle = writer.trace("idle")
    prompts = Prompts([sampled(trace, runs=3.0), sampled(idle)])
    assert (prompts.runs, prompts.requests) == (4.0, (3 * 3 + 1) / 4)
    assert prompts.of_tool(400) == pytest.approx(100 * 2.5)
    cached = Prompts([sampled(trace)], PromptSettings(cached_price=0.1))
    assert cached.of_tool(400) == pytest.approx(100 * 1.2)
    assert cached.of_request(trace.id, 1) == pytest.approx(0.1 * prompts.of_request(trace.id, 1))


def test_runs_without_a_step_are_runs_with_one_request(trace: Trace) -> None:
    prompts = Prompts([sampled(trace)], total=4)
    assert (prompts.runs, prompts.requests) == (4, (3 + 1 + 1 + 1) / 4)


def test_what_logs_do_not_hold_counts_only_as_told(trace: Trace) -> None:
    told = Prompts([sampled(trace)], PromptSettings(unrecorded_tokens=70))
    plain = Prompts([sampled(trace)])
    assert told.of_request(trace.id, 2) == pytest.approx(plain.of_request(trace.id, 2) + 70)
    assert plain.of_request("nobody", 1) == 0
    assert Prompts([]).of_tool(400) == 0


@pytest.mark.parametrize(
    ("wrong", "named"), [((-0.1, 0), "cached_price"), ((1.1, 0), "cached_price"), ((1, -1), "unre")]
)
def test_what_cannot_be_is_refused(wrong: tuple[float, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        PromptSettings(*wrong)
