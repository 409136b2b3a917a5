"""What is left out of the search changes nothing: the rare, and what cannot be among the best."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from hypothesis import assume, example, given
from hypothesis import strategies as st

from toolguild.synth.mining import MiningSettings, RepeatedSequence, support_of
from toolguild.synth.mining.call_log import CallLog
from toolguild.synth.mining.extent import Saving, Unit
from toolguild.synth.mining.growth import grouped_windows, windows_of
from toolguild.synth.mining.opportunity import SequenceOccurrence
from toolguild.synth.mining.selection import Prospect, choose, ready
from toolguild.synth.mining.windows import Shape, Window
from toolguild.synth.plans import CallStep
from toolguild.synth.traces import Place, ToolCall, Trace

Writer: TypeAlias = Any
Places: TypeAlias = frozenset[tuple[str, tuple[int, ...]]]

SETTINGS = MiningSettings(sequence_support=2)


def places_of(windows: Collection[Window]) -> Places:
    """Return where windows stand that may be places of a plan, in the terms of their runs."""
    return frozenset(
        (window.log.trace_id, tuple(position for item in window.items for position in item.calls))
        for window in windows
        if not window.acts_on_an_answer()
    )


def every_window(logs: Sequence[CallLog]) -> dict[Shape, Places]:
    """Return the windows that may make a plan, found by looking at all there are."""
    by_shape: defaultdict[Shape, list[Window]] = defaultdict(list)
    for log in logs:
        for window in windows_of(log, SETTINGS):
            by_shape[window.shape()].append(window)
    return {
        shape: places_of(windows)
        for shape, windows in by_shape.items()
        if len({run for run, _ in places_of(windows)}) >= SETTINGS.sequence_support
        and all(
            any(len(window.items[number].calls) > 1 for window in windows)
            for number, (_, _, is_loop) in enumerate(shape)
            if is_loop
        )
    }


calls = st.lists(
    st.tuples(
        st.sampled_from(["get_a", "get_b", "list_c", "write_d"]),
        st.integers(100, 103),
        st.booleans(),
        st.sampled_from(["", "yes"]),
    ),
    max_size=7,
)


@given(runs=st.lists(calls, min_size=2, max_size=5))
@example(
    runs=[
        [("list_c", 100, False, ""), ("get_a", 100, False, ""), ("get_a", 101, False, "")],
        [("list_c", 100, False, ""), ("get_a", 100, False, "")],
        [("list_c", 100, False, ""), ("get_b", 103, False, ""), ("get_a", 101, False, "")],
    ]
)
def test_every_window_that_enough_tasks_hold_is_found(
    writer: Writer, runs: list[list[tuple[str, int, bool, str]]]
) -> None:
    def step(tool: str, value: int, failed: bool, heard: str) -> ToolCall:
        result = {"rows": [{"id": 100}, {"id": 101}]} if tool == "list_c" else {"next": value + 1}
        return writer.call(tool, {"id": value}, result, error="no" if failed else None, heard=heard)

    traces: list[Trace] = [
        writer.trace(f"task{number}", *(step(*one) for one in run))
        for number, run in enumerate(runs)
    ]
    logs = [CallLog(trace, SETTINGS) for trace in traces]
    found = {shape: places_of(windows) for shape, windows in grouped_windows(logs, SETTINGS)}
    expected = every_window(logs)
    assert {shape: found.get(shape) for shape in expected} == expected


def candidate(name: str, places: Collection[tuple[int, int]], *, overfitted: bool) -> Any:
    """Return a plan that was found in some runs, each at a step and the one after it."""
    found = tuple(
        SequenceOccurrence(
            f"run{run}",
            f"task{run}",
            tuple(
                (ToolCall(name, {}, None, None, Place("log", 1, at)),) for at in (step, step + 1)
            ),
            {},
            Saving(1, len(name)),
        )
        for run, step in sorted(places)
    )
    why = "it explains none" if overfitted else ""
    return RepeatedSequence((CallStep(name, ()),), found, overfitted_why=why)


candidates = st.builds(
    candidate,
    st.text("abcdefgh", min_size=1, max_size=3),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=6),
    overfitted=st.booleans(),
)


@given(
    groups=st.lists(st.lists(candidates, max_size=3), max_size=5),
    slack=st.integers(0, 3),
    limit=st.integers(0, 6),
)
def test_the_best_are_chosen_without_making_the_others(
    groups: list[list[RepeatedSequence]], slack: int, limit: int
) -> None:
    made: list[RepeatedSequence] = []
    # Which of two that are the same but for their places is chosen is not said.
    assume(len({str(one.plan) for group in groups for one in group}) == sum(map(len, groups)))

    def prospect(group: list[RepeatedSequence]) -> Prospect[RepeatedSequence]:
        def most_calls(taken: Collection[Unit]) -> float:
            left = [[one for one in each.places if not one.units & set(taken)] for each in group]
            return max((len(places) + slack for places in left if places), default=0)

        def make() -> list[RepeatedSequence]:
            made.extend(group)
            return group

        return Prospect(most_calls, make)

    def worth_keeping(one: RepeatedSequence, _: Sequence[RepeatedSequence]) -> bool:
        return support_of(one.places) > 0

    chosen = choose([*map(prospect, groups)], worth_keeping=worth_keeping, limit=limit)
    everything = ready([one for group in groups for one in group])
    assert chosen == choose(everything, worth_keeping=worth_keeping, limit=limit)
    assert len(made) <= sum(map(len, groups))


def test_what_cannot_be_better_is_not_made() -> None:
    best = candidate("a", {(run, 0) for run in range(5)}, overfitted=False)

    def fail() -> list[RepeatedSequence]:
        raise AssertionError

    prospects = [Prospect(lambda taken: 5, lambda: [best]), Prospect(lambda taken: 2, fail)]
    assert choose(prospects, worth_keeping=lambda *_: True, limit=1) == [best]
