"""Candidates on held-out tasks: what is accepted, what is worked on, and what a failure ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.agent.evaluation import Exact, Score
from toolguild.agent.improvement.attempts import Attempt, GuidanceFor, TaskCase
from toolguild.agent.improvement.trials.comparing import HeldOut, HeldOutError
from toolguild.agent.improvement.trials.comparison import CaseScores, Comparison
from toolguild.agent.stages import Guidance
from toolguild.policies import load_profile
from toolguild.registry.canonical import canonical_json
from toolguild.synth.models import ModelDownError

RULES = load_profile().improvement
PRESENT, CANDIDATE = Guidance("Be kind."), Guidance("Be kind and quick.")


def case(number: int, category: str = "", *, critical: bool = False) -> TaskCase:
    return TaskCase(f"t{number}", f"Do {number}.", Exact("x"), category, critical)


def always(guidance: Guidance) -> GuidanceFor:
    return lambda _task: guidance


@dataclass
class Worked:
    """Works on tasks by a table of scores, and keeps what it worked on."""

    scores: Callable[[TaskCase, Guidance], float]
    seen: list[tuple[str, Guidance]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def __call__(self, case: TaskCase, guidance: Guidance) -> Attempt:
        self.seen.append((case.id, guidance))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0)
            return Attempt((), Score(self.scores(case, guidance)))
        finally:
            self.under_way -= 1


def compared(
    cases: Sequence[TaskCase], before: Mapping[str, float], after: Mapping[str, float]
) -> Comparison:
    work = Worked(lambda case, guidance: (before if guidance == PRESENT else after)[case.id])
    held_out = HeldOut(work, cases, RULES)
    return asyncio.run(held_out.compare(always(PRESENT), always(CANDIDATE)))


def test_means_rates_and_evidence() -> None:
    cases = [case(1, "refunds", critical=True), case(2, "refunds"), case(3, "greetings"), case(4)]
    found = compared(
        cases,
        {"t1": 1.0, "t2": 0.5, "t3": 0.0, "t4": 0.7},
        {"t1": 1.0, "t2": 0.6, "t3": 1.0, "t4": 0.6},
    )
    assert found.is_no_worse
    assert found.why == ""
    assert found.evidence() == {
        "rate": 0.5,
        "rate_of_candidate": 0.5,
        "mean": pytest.approx(0.55),
        "mean_of_candidate": pytest.approx(0.8),
        "cases": 4,
        "categories": [
            {"name": name, "critical": critical, "cases": cases, "mean": before}
            | {"mean_of_candidate": after}
            for name, critical, cases, before, after in (
                ("", False, 1, 0.7, 0.6),
                ("greetings", False, 1, 0.0, 1.0),
                ("refunds", True, 2, 0.75, 0.8),
            )
        ],
        # With other signs, 0.1, 0.1 and 1 come to 1 or less in seven of eight cases, and are as far
        # from zero in six.
        "p_worse": 0.875,
        "p_different": 0.75,
    }
    canonical_json(found.evidence())


def test_what_became_worse_is_named() -> None:
    cases = [case(1, "refunds", critical=True), case(2, "greetings"), case(3)]
    overall = compared(cases, {"t1": 1, "t2": 1, "t3": 1}, {"t1": 1, "t2": 0.5, "t3": 1})
    assert overall.why == "on 3 held-out tasks the mean score fell by 0.17, from 1 to 0.8333"
    critical = compared(cases, {"t1": 1, "t2": 0, "t3": 0}, {"t1": 0.75, "t2": 1, "t3": 1})
    assert not critical.is_no_worse
    assert critical.why == (
        "on 3 held-out tasks the mean score of the critical category 'refunds' fell by 0.25, from"
        " 1 to 0.75"
    )


SCORES = st.integers(0, 10).map(lambda tenths: tenths / 10)
CASES = st.tuples(st.sampled_from(["", "a", "b"]), st.booleans())


def of(rows: Sequence[tuple[tuple[str, bool], float, float]]) -> Comparison:
    return Comparison.of(
        [
            CaseScores(case(number, category, critical=critical), (before,), (after,))
            for number, ((category, critical), before, after) in enumerate(rows)
        ],
        RULES.success,
    )


ROWS = st.lists(st.tuples(CASES, SCORES, SCORES), min_size=1, max_size=20)


@given(ROWS, st.data())
def test_better_scores_never_make_a_candidate_worse(rows, data) -> None:
    raised = [(which, before, data.draw(st.floats(after, 1))) for which, before, after in rows]
    assert of(raised).is_no_worse >= of(rows).is_no_worse


@given(ROWS)
def test_a_point_lost_in_a_critical_category_is_made_up_for_by_no_other(rows) -> None:
    gained = [((f"not {name}", critical), before, 1.0) for (name, critical), before, _ in rows]
    found = of([*gained, (("critical", True), 1.0, 0.0)])
    assert not found.is_no_worse
    assert "'critical'" in found.why


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.randoms())
def test_rounding_makes_no_candidate_worse(scores, random) -> None:
    """The same scores, won on other tasks, have the same mean."""
    moved = random.sample(scores, len(scores))
    rows = zip(scores, moved, strict=True)
    assert of([(("one", True), before, after) for before, after in rows]).is_no_worse
    # In truth each of these has the mean 0.1.
    assert of([(("one", True), 0.3, 0.1), (("one", True), 0.0, 0.2)]).is_no_worse
    assert of([(("one", True), 0.1, 0.3), (("one", True), 0.2, 0.0)]).is_no_worse


def test_the_same_guidance_is_tried_once() -> None:
    work = Worked(lambda case, _: int(case.id[1:]) / 10)
    held_out = HeldOut(work, [case(1), case(2)], RULES, repeats=3)
    found = asyncio.run(held_out.compare(always(PRESENT), always(replace(PRESENT))))
    assert found.is_no_worse
    assert found.after == found.before
    assert found.p_different == 1
    assert Counter(work.seen) == {("t1", PRESENT): 3, ("t2", PRESENT): 3}


def test_only_tasks_that_are_told_something_else_are_worked_on() -> None:
    work = Worked(lambda *_: 1.0)
    held_out = HeldOut(work, [case(1), case(2)], RULES)

    def for_one(task: str) -> Guidance:
        return CANDIDATE if task == "Do 1." else PRESENT

    async def twice() -> None:
        await held_out.compare(always(PRESENT), for_one)
        assert work.seen == [("t1", PRESENT), ("t1", CANDIDATE), ("t2", PRESENT)]
        await held_out.compare(always(CANDIDATE), always(PRESENT))
        assert work.seen[3:] == [("t2", CANDIDATE)]
        held_out.forget()
        await held_out.compare(always(PRESENT), always(PRESENT))
        assert work.seen[4:] == [("t1", PRESENT), ("t2", PRESENT)]

    asyncio.run(twice())


def test_repeated_tries_are_averaged_and_each_counts_for_the_rate() -> None:
    scores = iter([1.0, 0.5, 0.0, 0.0])
    held_out = HeldOut(Worked(lambda *_: next(scores)), [case(1)], RULES, repeats=2)
    found = asyncio.run(held_out.compare(always(PRESENT), always(CANDIDATE)))
    assert (found.before, found.after) == (0.75, 0.0)
    assert (found.rate_before, found.rate_after) == (0.5, 0.0)


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_are_under_way_than_may_be(at_once) -> None:
    work = Worked(lambda *_: 1.0)
    held_out = HeldOut(work, [case(number) for number in range(8)], RULES, at_once=at_once)

    async def two_at_a_time() -> None:
        await asyncio.gather(
            held_out.compare(always(PRESENT), always(PRESENT)),
            held_out.compare(always(PRESENT), always(CANDIDATE)),
        )

    asyncio.run(two_at_a_time())
    assert work.most == at_once
    assert len(work.seen) == 16


def test_nothing_is_judged_by_no_tasks() -> None:
    with pytest.raises(HeldOutError, match="held_out"):
        HeldOut(Worked(lambda *_: 1.0), [], RULES)
    with pytest.raises(HeldOutError, match="'t1'"):
        HeldOut(Worked(lambda *_: 1.0), [case(1), case(1)], RULES)
    for bad in ({"repeats": 0}, {"at_once": 0}):
        with pytest.raises(ValueError, match="1 at least"):
            HeldOut(Worked(lambda *_: 1.0), [case(1)], RULES, **bad)


def test_a_model_that_is_down_ends_the_comparison_and_what_is_known_stays() -> None:
    down = True

    def scores(case: TaskCase, _guidance: Guidance) -> float:
        if case.id == "t2" and down:
            raise ModelDownError("it is down") from OSError("no route")
        return 1.0

    work = Worked(scores)
    held_out = HeldOut(work, [case(1), case(2), case(3), case(4)], RULES, at_once=2)

    async def twice() -> Comparison:
        nonlocal down
        with pytest.raises(ModelDownError, match="it is down") as caught:
            await held_out.compare(always(PRESENT), always(PRESENT))
        assert isinstance(caught.value.__cause__, OSError)
        assert work.under_way == 0
        down = False
        return await held_out.compare(always(PRESENT), always(PRESENT))

    assert asyncio.run(twice()).after == 1
    assert Counter(name for name, _ in work.seen)["t1"] == 1


def test_cancelled_it_leaves_nothing_running() -> None:
    begun, ended = [], []

    async def work(case: TaskCase, _guidance: Guidance) -> Attempt:
        begun.append(case.id)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(case.id)
        raise AssertionError

    held_out = HeldOut(work, [case(number) for number in range(5)], RULES, at_once=2)

    async def cancelled() -> None:
        comparing = asyncio.create_task(held_out.compare(always(PRESENT), always(CANDIDATE)))
        while len(begun) < 2:
            await asyncio.sleep(0)
        comparing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await comparing
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(cancelled())
    assert sorted(ended) == sorted(begun)
    assert len(begun) == 2
