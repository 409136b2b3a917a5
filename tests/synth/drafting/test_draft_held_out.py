"""Which recorded cases drafting sees, and which it does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolguild.synth.drafting import Case
from toolguild.synth.drafting.held_out import SHARE, hold_out
from toolguild.synth.traces import Place


def case(task: str, number: int, *, error: str | None = None) -> Case:
    value = None if error else number
    return Case({"n": number}, value, error, (), task, Place(f"{task}.jsonl", 1))


tasks = st.sampled_from(["a", "b", "c", "d"])
sets = st.lists(
    st.builds(case, tasks, st.integers(), error=st.sampled_from([None, None, "ValueError"])),
    max_size=30,
    unique_by=lambda case: case.arguments["n"],
)


@given(sets, st.randoms())
def test_both_parts_together_are_all_cases_whatever_their_order(cases, random) -> None:
    seen, held = hold_out(cases)
    assert sorted(map(str, [*seen, *held])) == sorted(map(str, cases))
    assert len(held) <= max(1, SHARE * len(cases))
    shuffled = [*cases]
    random.shuffle(shuffled)
    other_seen, other_held = hold_out(shuffled)
    assert {str(case) for case in other_held} == {str(case) for case in held}
    assert {str(case) for case in other_seen} == {str(case) for case in seen}


@given(sets)
def test_drafting_keeps_a_case_that_returned_something(cases) -> None:
    seen, held = hold_out(cases)
    if held:
        assert any(case.error is None and case.value is not None for case in seen)


def test_two_cases_are_too_few() -> None:
    assert hold_out([case("a", 1), case("b", 2)])[1] == []


def test_whole_tasks_are_held_out_where_they_are_small_enough() -> None:
    cases = [case(task, number) for number, task in enumerate("aaaaaaabbcc")]
    _, held = hold_out(cases)
    assert {case.task_id for case in held} in ({"b"}, {"c"})
    assert len(held) == 2


def test_single_cases_are_where_there_is_one_task() -> None:
    _, held = hold_out([case("a", number) for number in range(12)])
    assert len(held) == 3
