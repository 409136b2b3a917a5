"""What is expected on unseen tasks: never more than was seen, and less the less bears it out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.mining import (
    MiningSettings,
    Opportunity,
    RepeatedSequence,
    Sampled,
    Utility,
    Weight,
)
from toolguild.synth.traces import Trace
from toolguild.synth.utility import (
    Prompts,
    PromptSettings,
    expected_schema_size,
    share_on_unseen,
    tokens_in,
    with_utility,
    worthwhile_first,
)

Writer: TypeAlias = Any
COUNTS = st.fixed_dictionaries(
    {
        "explained": st.integers(1, 30),
        "missed": st.integers(0, 10),
        "held_out": st.integers(0, 15),
        "held_out_missed": st.integers(0, 15),
    }
)
TASKS = st.integers(1, 40)


def explained_and_expected(tasks: int, **counts: int) -> float:
    """Return how many places alike are expected of as many unseen runs, each saving one."""
    served = counts["explained"] + counts["held_out"]
    return served * share_on_unseen(tasks=tasks, **counts)


@given(TASKS, COUNTS)
def test_no_more_is_expected_than_was_seen(tasks: int, counts: dict[str, int]) -> None:
    assert 0 <= share_on_unseen(tasks=tasks, **counts) < 1


@given(TASKS, COUNTS, st.sampled_from(["explained", "held_out"]))
def test_one_more_explained_place_never_lowers_the_estimate(
    tasks: int, counts: dict[str, int], where: str
) -> None:
    more = {**counts, where: counts[where] + 1}
    before = explained_and_expected(tasks, **counts)
    assert explained_and_expected(tasks, **more) >= before - 1e-9
    assert explained_and_expected(tasks + 1, **more) >= before - 1e-9


@given(TASKS, COUNTS)
def test_missing_what_was_held_out_never_raises_the_estimate(
    tasks: int, counts: dict[str, int]
) -> None:
    swapped = {
        **counts,
        "held_out": 0,
        "held_out_missed": counts["held_out_missed"] + counts["held_out"],
    }
    assert explained_and_expected(tasks, **swapped) <= explained_and_expected(tasks, **counts)


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        # One half where nothing was held out, and one of four tasks left out.
        ((4, 4, 0, 0, 0), 3 / 4 * 1 / 2),
        # Three of three held out: four fifths by Laplace's rule.
        ((10, 9, 0, 3, 0), 9 / 10 * 4 / 5),
        # As many are missed among those held out as among the seen: nothing is lost by it.
        ((100, 90, 30, 30, 10), 99 / 100 * min(1.0, 31 / 42 * 160 / 120)),
        # None of those held out are explained.
        ((10, 9, 0, 0, 3), 9 / 10 * 1 / 5 * 12 / 9),
        ((1, 5, 0, 0, 0), 0.0),
        ((0, 0, 0, 0, 0), 0.0),
    ],
)
def test_the_formula(counts: tuple[int, ...], share: float) -> None:
    names = ("tasks", "explained", "missed", "held_out", "held_out_missed")
    assert share_on_unseen(**dict(zip(names, counts, strict=True))) == pytest.approx(share)


def runs_with_a_loop(writer: Writer, tasks: int = 8, text: str = "") -> list[Trace]:
    traces = []
    for task in range(tasks):
        listed = writer.call("list_rows", {"table": f"tab-{task}"}, {"rows": [f"r-{task}", "r-0"]})
        gets = [writer.call("get_row", {"row": row}, {"row": row}) for row in (f"r-{task}", "r-0")]
        traces.append(writer.trace(f"task{task}", listed, *gets, text=f"tab-{task} {text}"))
    return traces


def sampled(traces: list[Trace], runs: float = 1.0) -> list[Sampled]:
    return [Sampled(trace, Weight(runs=runs), every_run=True) for trace in traces]


def the_loop(writer: Writer, traces: list[Trace]) -> RepeatedSequence:
    [found] = writer.sequences(traces, MiningSettings())
    return found  # type: ignore[no-any-return]


def utility_of(opportunity: Opportunity, prompts: Prompts) -> Utility:
    utility = with_utility(opportunity, prompts).utility
    assert utility is not None
    return utility


def test_estimates_are_per_run_and_add_up(writer: Writer) -> None:
    traces = runs_with_a_loop(writer)
    found = the_loop(writer, traces)
    prompts = Prompts(sampled(traces))
    utility = utility_of(found, prompts)
    # Two of eight tasks were held out, both of them explained; each run saves two calls.
    assert len(found.held_out) == 2
    assert utility.share == pytest.approx(7 / 8 * 3 / 4)
    assert utility.calls == pytest.approx(2 * utility.share)
    assert utility.written_tokens == tokens_in(utility.characters)
    # Each run makes three calls, and so four requests.
    assert utility.prompt_tokens == pytest.approx(4 * tokens_in(expected_schema_size(found)))
    read = sum(prompts.of_request(trace.id, 1) for trace in traces) / len(traces)
    assert utility.resent_tokens == pytest.approx(utility.calls * read)
    assert utility.net_tokens == pytest.approx(
        utility.written_tokens + utility.resent_tokens - utility.prompt_tokens
    )


def test_runs_without_the_pattern_lower_the_estimate(writer: Writer) -> None:
    traces = runs_with_a_loop(writer)
    found = the_loop(writer, traces)
    others = [
        writer.trace(f"other{number}", writer.call("wait", {"s": number}, ""))
        for number in range(8)
    ]
    alone = utility_of(found, Prompts(sampled(traces)))
    among = utility_of(found, Prompts(sampled([*traces, *others])))
    assert among.calls == pytest.approx(alone.calls / 2)


def test_what_is_dear_is_ranked_behind_and_long_prompts_make_it_worth_it(writer: Writer) -> None:
    traces = runs_with_a_loop(writer)
    found = the_loop(writer, traces)
    known = with_utility(found, Prompts(sampled(traces)))
    long = with_utility(found, Prompts(sampled(traces), PromptSettings(unrecorded_tokens=5000)))
    assert known.utility is not None
    assert long.utility is not None
    assert not known.utility.is_worth_its_prompt
    assert long.utility.is_worth_its_prompt
    other = replace(known, plan=known.plan[:1])
    assert worthwhile_first([known, long, other]) == [long, known, other]


def test_nothing_is_expected_of_what_is_overfitted(writer: Writer) -> None:
    traces = runs_with_a_loop(writer)
    prompts = Prompts(sampled(traces), PromptSettings(unrecorded_tokens=5000))
    found = the_loop(writer, traces)
    refused = with_utility(replace(found, overfitted_why="it explains none"), prompts)
    assert refused.utility is None
    sound = with_utility(found, prompts)
    assert worthwhile_first([refused, sound]) == [sound, refused]
