"""Places in a toolbox go to the tools that save most together, as the sandbox bears out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from toolguild.sandbox import Sandbox
from toolguild.synth.budget import Choice, choose_tools
from toolguild.synth.drafting import Draft, draft_tool
from toolguild.synth.mining import MiningSettings, Opportunity, Sampled, Weight
from toolguild.synth.traces import ToolCall, Trace
from toolguild.synth.utility import Prompts
from toolguild.synth.verified import VerifiedSavings, measurable

Writer: TypeAlias = Any

SPREAD = """
values = {0}
low = min(values)
high = max(values)
middle = sum(values) / len(values)
spread = (high - low) / middle
print(spread)
"""


def listing(writer: Writer, task: int) -> list[ToolCall]:
    rows = [f"row-{task}-{number}" for number in range(2 + task % 2)]
    listed = writer.call("list_rows", {"table": f"tab-{task}"}, {"rows": rows})
    return [listed, *(writer.call("get_row", {"row": row}, {"row": row}) for row in rows)]


def owning(writer: Writer, task: int) -> list[ToolCall]:
    owner = writer.call("get_owner", {"name": f"nam-{task}"}, {"home": f"home-{task}"})
    return [owner, writer.call("get_home", {"home": f"home-{task}"}, {"rooms": task})]


def shown(n: int) -> str:
    return f"{(2 * n + 1) / ((6 * n + 1) / 3)}\n"


@pytest.fixture(scope="module")
def traces(writer: Writer) -> list[Trace]:
    """Runs with a loop, runs with a pipeline, and runs with code."""
    loops = [
        writer.trace(f"loop{task}", *listing(writer, task), text=f"tab-{task}") for task in range(6)
    ]
    owners = [
        writer.trace(f"own{task}", *owning(writer, task), text=f"nam-{task}") for task in range(4)
    ]
    code = [
        writer.trace(f"code{n}", writer.code(SPREAD.format([n, 2 * n, 3 * n + 1]), shown(n)))
        for n in (3, 4, 5)
    ]
    return [*loops, *owners, *code]


@pytest.fixture(scope="module")
def drafts(writer: Writer, traces: list[Trace], local: Sandbox) -> list[Draft]:
    found: list[Opportunity] = [
        *writer.sequences(traces, MiningSettings()),
        *writer.repeated_code(traces, MiningSettings()),
    ]
    made = [draft_tool(one, local) for one in found]
    return [draft for draft in made if isinstance(draft, Draft)]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def sampled(traces: Sequence[Trace], runs: float = 1.0) -> list[Sampled]:
    return [Sampled(trace, Weight(runs=runs), every_run=True) for trace in traces]


def chosen(
    drafts: Sequence[Draft],
    most: int,
    traces: Sequence[Trace],
    sandbox: Sandbox,
    executor: Executor,
    runs: float = 1.0,
) -> dict[str, Choice]:
    mined = sampled(traces, runs)
    choices = choose_tools(drafts, most, mined, Prompts(mined), sandbox, executor)
    return {draft.name: choice for draft, choice in zip(drafts, choices, strict=True)}


def in_order(choices: dict[str, Choice]) -> list[str]:
    placed = [(choice.place, name) for name, choice in choices.items() if choice.place]
    return [name for _, name in sorted(placed)]


def test_calls_and_code_are_on_one_scale(
    drafts: list[Draft], traces: list[Trace], local: Sandbox, executor: Executor
) -> None:
    choices = chosen(drafts, 9, traces, local, executor)
    gains = [choices[name].beside.tokens for name in in_order(choices)]
    assert len(gains) == len(drafts) == 3
    assert gains == sorted(gains, reverse=True)
    by_code = {name: choice for name, choice in choices.items() if not choice.alone.calls}
    assert len(by_code) == 1
    [of_code] = by_code.values()
    assert of_code.alone.tokens == of_code.alone.characters / 4 > 0
    assert sum(choice.beside.calls for choice in choices.values()) == 6 * 2 + 3 + 4


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_are_chosen_than_there_are_places(
    drafts: list[Draft], traces: list[Trace], local: Sandbox, executor: Executor, most: int
) -> None:
    choices = chosen(drafts, most, traces, local, executor)
    everything = chosen(drafts, 9, traces, local, executor)
    assert in_order(choices) == in_order(everything)[:most]
    for name in drafts_left(choices):
        assert choices[name].why_not.startswith(f"beyond the budget of {most}: would save ")
        assert choices[name].beside.tokens > 0


def drafts_left(choices: dict[str, Choice]) -> list[str]:
    return [name for name, choice in choices.items() if choice.place is None]


def test_what_another_has_saved_is_not_saved_again(
    drafts: list[Draft], traces: list[Trace], local: Sandbox, executor: Executor
) -> None:
    best = in_order(chosen(drafts, 1, traces, local, executor))[0]
    twin = f"{best[:-1]}2"
    [same] = [
        replace(draft, name=twin, source=draft.source.replace(f"def {best}(", f"def {twin}("))
        for draft in drafts
        if draft.name == best
    ]
    choices = chosen([*drafts, same], 9, traces, local, executor)
    assert choices[twin].why_not == f"saves nothing more beside {best}"
    assert choices[twin].alone.tokens == choices[best].alone.tokens
    assert choices[twin].beside.tokens == 0


def test_a_tool_that_does_not_bear_out_its_plan_gets_no_place(
    drafts: list[Draft], traces: list[Trace], local: Sandbox, executor: Executor
) -> None:
    broken = [
        replace(draft, source=draft.source.replace("call_tool(", "call_tool('x' + "))
        for draft in drafts
        if draft.calls
    ]
    assert all("'x' + " in draft.source for draft in broken)
    choices = chosen(broken, 9, traces, local, executor)
    assert in_order(choices) == []
    assert {choice.why_not for choice in choices.values()} == {
        "none of its uses in the recorded runs could be verified"
    }


def test_sampled_runs_count_as_what_they_stand_for(
    drafts: list[Draft], traces: list[Trace], local: Sandbox, executor: Executor
) -> None:
    once = chosen(drafts, 9, traces, local, executor)
    often = chosen(drafts, 9, traces, local, executor, runs=3.0)
    for name, choice in once.items():
        assert often[name].beside.calls == 3 * choice.beside.calls
        assert often[name].beside.tokens == pytest.approx(3 * choice.beside.tokens)
        assert often[name].definition_tokens == pytest.approx(3 * choice.definition_tokens)


def test_together_is_no_less_than_alone_and_no_more_than_the_sum(
    drafts: list[Draft], traces: list[Trace], local: Sandbox, executor: Executor
) -> None:
    tools = [tool for draft in drafts if (tool := measurable(draft))]
    told: list[float] = []
    mined = sampled(traces)
    savings = VerifiedSavings(tools, mined, Prompts(mined), local, executor, told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)
    alone = [savings.of([number]).tokens for number in range(len(tools))]
    together = savings.of(range(len(tools))).tokens
    assert max(alone) <= together <= sum(alone) + 1e-9
    assert savings.of([]).tokens == 0
