"""Laws of sequence mining: order and noise change nothing, generated plans are found again."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json
from toolguild.synth.mining import RepeatedSequence, support_of
from toolguild.synth.traces import Trace

Writer: TypeAlias = Any

TASKS = 5


def rows(task: int) -> list[Json]:
    return [
        {"id": f"row-{task}-{number}", "owner": f"own-{task}"} for number in range(1 + task % 3)
    ]


def shop(writer: Writer, *, size: int = TASKS) -> list[Trace]:
    """Return runs with a loop, a pipeline of two calls, and runs that break their pattern."""
    traces = []
    for task in range(size):
        listed = writer.call("list_rows", {"table": f"tab-{task}"}, {"rows": rows(task)})
        gets = [writer.call("get_row", {"row": row["id"]}, row) for row in rows(task)]  # type: ignore[index,call-overload]
        owner = writer.call("get_owner", {"owner": f"own-{task}"}, {"home": f"home-{task}"})
        home = writer.call("get_home", {"home": f"home-{task}"}, {"rooms": task})
        astray = writer.call("get_home", {"home": "home-of-another"}, {"rooms": 0})
        traces += [
            writer.trace(f"task{task}", listed, *gets, run="loop"),
            writer.trace(f"task{task}", owner, home, run="pipeline"),
            writer.trace(f"task{task}", owner, home, listed, *gets, run="both"),
        ]
        if task == 0:
            traces.append(writer.trace("task0", owner, astray, run="astray"))
    return traces


def told(found: list[RepeatedSequence]) -> list[tuple[object, int, int]]:
    return [(one.plan, support_of(one.everywhere), len(one.everywhere)) for one in found]


@given(order=st.permutations(range(3 * TASKS + 1)))
def test_the_order_of_traces_changes_nothing(writer: Writer, order: list[int]) -> None:
    traces = shop(writer)
    expected = writer.sequences(traces)
    assert len(expected) >= 2
    assert writer.sequences(traces[number] for number in order) == expected


noise_values = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=3),
)
noise_calls = st.tuples(
    st.sampled_from(["noise_read", "noise_write", "noise_list"]),
    st.dictionaries(st.sampled_from("ab"), noise_values, max_size=2),
    noise_values,
)


@given(noise=st.lists(st.lists(noise_calls, max_size=4), max_size=4), place=st.randoms())
def test_traces_of_unrelated_tools_change_nothing_that_is_found(
    writer: Writer, noise: list[list[tuple[str, dict[str, Json], Json]]], place: Any
) -> None:
    traces = shop(writer)
    expected = writer.sequences(traces)
    for number, calls in enumerate(noise):
        steps = [writer.call(*call) for call in calls]
        traces.insert(place.randrange(len(traces)), writer.trace(f"noise{number}", *steps))
    found = [
        one
        for one in writer.sequences(traces)
        if not any(step.tool.startswith("noise") for step in one.plan)
    ]
    assert found == expected


@given(extra=st.integers(min_value=1, max_value=4))
def test_more_tasks_with_the_pattern_only_raise_its_support(writer: Writer, extra: int) -> None:
    few, more = (writer.sequences(shop(writer, size=size)) for size in (TASKS, TASKS + extra))
    assert [one.plan for one in few] == [one.plan for one in more]
    assert all(
        support_of(after.everywhere) > support_of(before.everywhere)
        for before, after in zip(few, more, strict=True)
    )
