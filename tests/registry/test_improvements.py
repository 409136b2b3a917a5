"""What agents are told, as changes that are undone with everything they caused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from toolguild.policies import load_profile
from toolguild.registry import (
    ChangeRefusedError,
    Registry,
    RegistryError,
    State,
    UnknownToolError,
    schema,
    verify,
)
from toolguild.registry.improvement import (
    Artefact,
    ArtefactKind,
    Change,
    ChangeKind,
    Improvements,
    NewChange,
    ScoredRun,
)
from toolguild.registry.improvement.history import consequences, effective, standing_of

RULES = load_profile().improvement
FIRST = Artefact(ArtefactKind.INSTRUCTIONS, {"text": "Look before you write."})
SECOND = Artefact(ArtefactKind.INSTRUCTIONS, {"text": "Look twice."})


def lesson(text: str) -> Artefact:
    return Artefact(ArtefactKind.LESSON, {"lesson": text})


@pytest.fixture
def improvements(registry) -> Improvements:
    return registry.improvements


@pytest.fixture
def change(improvements):
    """Make a change of the agent `desk`."""

    def make(kind: ChangeKind = ChangeKind.LESSONS, agent: str = "desk", **fields) -> Change:
        return improvements.apply(NewChange(agent, kind, "because", **fields))

    return make


@pytest.fixture
def run(registry, improvements):
    """Record a run of the agent `desk`."""

    def record(
        score: float = 1.0, name: str | None = None, **fields
    ) -> tuple[ScoredRun, Change | None]:
        called = name or f"run-{len(improvements.runs('desk'))}"
        new = ScoredRun("desk", called, "a task", score, registry.now(), **fields)
        return improvements.record(new)

    return record


class TestStanding:
    def test_nothing_is_told_at_first(self, improvements) -> None:
        standing = improvements.standing("desk")
        assert standing.artefacts == {}
        assert standing.instructions is standing.original is None

    def test_what_is_added_stands_until_it_is_removed(self, improvements, change) -> None:
        change(ChangeKind.INSTRUCTIONS, adds=(FIRST,))
        change(adds=(lesson("one"), lesson("two")))
        change(ChangeKind.INSTRUCTIONS, adds=(SECOND,))
        change(removes=(lesson("one").digest,))
        standing = improvements.standing("desk")
        assert (standing.original, standing.instructions) == (FIRST, SECOND)
        assert standing.lessons == (lesson("two"),)

    def test_another_agent_is_told_nothing_of_it(self, improvements, change) -> None:
        change(adds=(lesson("one"),))
        assert improvements.standing("other").artefacts == {}
        with pytest.raises(ChangeRefusedError, match="other is not told"):
            change(agent="other", removes=(lesson("one").digest,))

    def test_it_is_the_same_for_whoever_opens_the_registry(self, improvements, change, where):
        change(adds=(lesson("one"),))
        with Registry.open(where) as elsewhere:
            assert elsewhere.improvements.standing("desk") == improvements.standing("desk")
            assert elsewhere.improvements.changes() == improvements.changes("desk")


class TestUndoing:
    def test_what_it_removed_is_back_and_what_it_added_is_gone(self, improvements, change) -> None:
        change(ChangeKind.INSTRUCTIONS, adds=(FIRST,))
        change(adds=(lesson("one"),))
        worse = change(ChangeKind.INSTRUCTIONS, adds=(SECOND,), removes=(lesson("one").digest,))
        undone = improvements.undo(worse.number, why="no")
        assert undone.undoes == (worse.number,)
        assert improvements.standing("desk").artefacts == {
            FIRST.digest: FIRST,
            lesson("one").digest: lesson("one"),
        }

    def test_everything_it_caused_goes_with_it(self, improvements, change, run) -> None:
        bad = change(adds=(lesson("bad"),))
        unrelated = change(adds=(lesson("good"),))
        told_bad, _ = run(shown=(lesson("bad").digest,))
        told_good, _ = run(shown=(lesson("good").digest,))
        child = change(adds=(lesson("of bad"),), runs=(told_bad.number, told_good.number))
        told_child, _ = run(shown=(lesson("of bad").digest,))
        grandchild = change(adds=(lesson("of that"),), runs=(told_child.number,))
        assert child.causes == (bad.number, unrelated.number)
        caused = [one.number for one in improvements.consequences(bad.number)]
        assert caused == [bad.number, child.number, grandchild.number]
        improvements.undo(bad.number, why="it is bad")
        assert improvements.standing("desk").lessons == (lesson("good"),)

    def test_an_undoing_is_undone_like_any_change(self, improvements, change) -> None:
        made = change(adds=(lesson("one"),))
        undone = improvements.undo(made.number, why="no")
        with pytest.raises(ChangeRefusedError, match="undone already"):
            improvements.undo(made.number, why="again")
        improvements.undo(undone.number, why="it was right")
        assert improvements.standing("desk").lessons == (lesson("one"),)

    def test_there_is_no_change_of_that_number(self, improvements, change) -> None:
        change(adds=(lesson("one"),))
        with pytest.raises(ChangeRefusedError, match="no change 2; there are 1"):
            improvements.undo(2, why="")

    def test_it_is_not_bounded_by_the_day(self, improvements, change) -> None:
        made = [change(adds=(lesson(str(place)),)) for place in range(RULES.changes_a_day)]
        with pytest.raises(ChangeRefusedError, match=f"{RULES.changes_a_day} times in the last 24"):
            change(adds=(lesson("one more"),))
        for one in made:
            improvements.undo(one.number, why="")
        assert improvements.standing("desk").lessons == ()
        assert improvements.left_today("desk") == 0
        assert improvements.left_today("other") == RULES.changes_a_day

    def test_a_day_later_there_is_room_again(self, improvements, change, clock) -> None:
        for place in range(RULES.changes_a_day):
            change(adds=(lesson(str(place)),))
        clock.time += timedelta(days=1)
        assert improvements.left_today("desk") == RULES.changes_a_day


class TestTools:
    def test_a_version_that_a_change_brought_leaves_with_it(
        self, registry, improvements, change, make_spec
    ) -> None:
        registry.register(make_spec(description="One."))
        second = registry.register(make_spec(description="Two.")).version
        brought = change(ChangeKind.TOOLS, brings=(second.digest,))
        improvements.undo(brought.number, why="it does harm")
        assert registry.tool("double@2").state is State.RETIRED
        assert registry.tool("double").number == 1
        improvements.undo(brought.number + 1, why="it does not")
        assert registry.tool("double").number == 2
        assert registry.tool("double").state is State.ACTIVE
        assert verify(registry).ok

    def test_a_version_that_a_change_retired_comes_back(
        self, registry, improvements, change, make_spec
    ) -> None:
        version = registry.register(make_spec()).version
        retired = change(ChangeKind.TOOLS, retires=(version.digest,))
        assert registry.tool("double").state is State.RETIRED
        improvements.undo(retired.number, why="it was of use")
        assert registry.tool("double").state is State.ACTIVE

    def test_a_version_that_was_brought_and_then_retired_is_gone_when_all_is_undone(
        self, registry, improvements, change, make_spec
    ) -> None:
        version = registry.register(make_spec()).version
        brought = change(ChangeKind.TOOLS, brings=(version.digest,))
        retired = change(ChangeKind.TOOLS, retires=(version.digest,))
        undone = improvements.undo(brought.number, why="it does harm")
        assert undone.undoes == (brought.number, retired.number)
        assert registry.tool("double").state is State.RETIRED
        improvements.undo(undone.number, why="it does not")
        assert registry.tool("double").state is State.RETIRED
        improvements.undo(retired.number, why="it is of use")
        assert registry.tool("double").state is State.ACTIVE

    def test_what_was_done_to_it_on_other_grounds_stays(
        self, registry, improvements, change, make_spec
    ) -> None:
        version = registry.register(make_spec()).version
        change(ChangeKind.TOOLS, brings=(version.digest,))
        other = change(adds=(lesson("one"),))
        registry.governance.demote("double", None, why="it fails")
        improvements.undo(other.number, why="")
        assert registry.tool("double").state is State.QUARANTINED

    def test_a_tool_made_of_another_rests_on_the_change_that_brought_that(
        self, registry, improvements, change, make_spec
    ) -> None:
        part = registry.register(make_spec()).version
        whole = registry.register(make_spec("quad", calls=("double",))).version
        first = change(ChangeKind.TOOLS, brings=(part.digest,))
        second = change(ChangeKind.TOOLS, brings=(whole.digest,))
        assert second.causes == (first.number,)

    def test_an_unknown_version_is_refused_and_nothing_is_written(
        self, improvements, change
    ) -> None:
        with pytest.raises(UnknownToolError, match="register the tool first"):
            change(ChangeKind.TOOLS, brings=("sha256:00",))
        assert improvements.changes() == []


class TestWithoutEffect:
    def test_a_refused_change_is_kept_and_not_made(
        self, registry, improvements, change, make_spec
    ) -> None:
        change(adds=(lesson("one"),))
        version = registry.register(make_spec()).version
        new = NewChange(
            "desk",
            ChangeKind.LESSONS,
            "",
            adds=(lesson("two"),),
            removes=(lesson("one").digest,),
            retires=(version.digest,),
        )
        refused = improvements.refuse(new, why="worse on the held-out tasks")
        assert refused.new.kind is ChangeKind.REFUSED
        assert improvements.changes("desk")[-1] == refused
        assert improvements.standing("desk").lessons == (lesson("one"),)
        assert registry.tool("double").state is State.ACTIVE
        assert improvements.left_today("desk") == RULES.changes_a_day - 1
        assert verify(registry).ok

    def test_a_cycle_says_how_far_it_looked(self, improvements) -> None:
        assert improvements.last_looked_at("desk") == 0
        improvements.end_cycle("desk", last_run=7, why="nothing to be done")
        improvements.end_cycle("other", last_run=9, why="nothing to be done")
        assert improvements.last_looked_at("desk") == 7


class TestAlerts:
    def test_one_holds_instructions_back_until_a_person_decides(self, improvements, change) -> None:
        change(ChangeKind.INSTRUCTIONS, adds=(FIRST,))
        held = improvements.hold(
            NewChange("desk", ChangeKind.INSTRUCTIONS, "too far", adds=(SECOND,))
        )
        assert improvements.standing("desk").instructions == FIRST
        with pytest.raises(ChangeRefusedError, match=f"decide on alert {held.number} of desk"):
            change(ChangeKind.INSTRUCTIONS, adds=(SECOND,))
        change(adds=(lesson("lessons go on"),))
        improvements.decide(held.number, accept=True, why="I read it")
        assert improvements.standing("desk").instructions == SECOND
        assert improvements.standing("desk").open_alerts == ()
        with pytest.raises(ChangeRefusedError, match="no alert that waits"):
            improvements.decide(held.number, accept=False, why="")

    def test_one_that_is_declined_changes_nothing(self, improvements, change) -> None:
        change(ChangeKind.INSTRUCTIONS, adds=(FIRST,))
        new = NewChange("desk", ChangeKind.INSTRUCTIONS, "too far", adds=(SECOND,))
        held = improvements.hold(new)
        decided = improvements.decide(held.number, accept=False, why="no")
        assert improvements.standing("desk").instructions == FIRST
        change(ChangeKind.INSTRUCTIONS, adds=(SECOND,))
        # Undone, the decision is open again.
        improvements.undo(decided.number, why="I was wrong")
        assert improvements.standing("desk").open_alerts == (held.number,)


class TestWatching:
    """Runs since a cycle of changes, which promised the rate of success from before."""

    @pytest.fixture
    def watched(self, change) -> list[Change]:
        return [
            change(adds=(lesson(text),), cycle="cycle", evidence={"rate": 0.9})
            for text in ("one", "two")
        ]

    def test_a_drop_takes_the_cycle_back(self, improvements, watched, run) -> None:
        undone = None
        for _ in range(20):
            undone = undone or run(score=0.1)[1]
        assert undone is not None
        assert undone.undoes == tuple(one.number for one in watched)
        assert improvements.standing("desk").lessons == ()

    def test_runs_that_go_on_as_before_do_not(self, watched, run) -> None:
        for number in range(100):
            assert run(score=0.1 if number % 10 == 0 else 0.9)[1] is None

    def test_the_cycle_before_is_not_blamed_as_well(
        self, improvements, change, watched, run
    ) -> None:
        worse = change(adds=(lesson("bad"),), cycle="next", evidence={"rate": 0.9})
        undone = [run(score=0.1)[1] for _ in range(5)]
        [made] = filter(None, undone)
        assert made.undoes == (worse.number,)
        assert improvements.standing("desk").lessons == (lesson("one"), lesson("two"))

    def test_runs_that_were_told_what_no_longer_stands_say_nothing(
        self, improvements, watched, run
    ) -> None:
        for _ in range(20):
            assert run(score=0.1, shown=(lesson("gone").digest,))[1] is None

    def test_what_had_no_effect_does_not_begin_the_watch_anew(
        self, improvements, watched, run
    ) -> None:
        undone = []
        for number in range(10):
            undone.append(run(score=0.1)[1])
            improvements.end_cycle("desk", last_run=number, why="looked")
            refused = NewChange("desk", ChangeKind.LESSONS, "", adds=(lesson("no"),))
            improvements.refuse(refused, why="it makes things worse")
        assert len([*filter(None, undone)]) == 1

    def test_later_cycles_do_not_begin_the_watch_anew_nor_lower_what_was_promised(
        self, improvements, change, watched, run
    ) -> None:
        undone = []
        for number in range(30):
            undone.append(run(score=number % 2)[1])
            if number % 3 == 0:
                # Half of the runs fail by now, and that is all that it promises.
                change(adds=(lesson(f"{number}"),), cycle=f"{number}", evidence={"rate": 0.5})
        [first] = filter(None, undone)
        assert first.undoes == tuple(one.number for one in watched)
        assert lesson("0") in improvements.standing("desk").lessons

    def test_of_many_cycles_the_one_is_blamed_after_which_runs_began_to_fail(
        self, change, watched, run
    ) -> None:
        for _ in range(30):
            run()
        worse = change(adds=(lesson("bad"),), cycle="bad", evidence={"rate": 0.9})
        undone = [run(score=0.1)[1], run(score=0.1)[1]]
        change(adds=(lesson("fine"),), cycle="fine", evidence={"rate": 0.9})
        while not any(undone):
            undone.append(run(score=0.1)[1])
        assert undone[-1].undoes == (worse.number,)

    def test_runs_before_a_person_changed_something_say_nothing(self, change, watched, run) -> None:
        for _ in range(3):
            run(score=0.1)
        change(adds=(lesson("by hand"),))
        for _ in range(3):
            assert run(score=0.1)[1] is None

    def test_a_run_is_scored_once(self, improvements, run) -> None:
        run(name="same")
        with pytest.raises(ChangeRefusedError, match="run same of desk is scored already"):
            run(name="same")
        assert len(improvements.runs("desk")) == 1


class TestAudit:
    @pytest.fixture
    def told(self, registry, change, run) -> Registry:
        change(adds=(lesson("one"),))
        run()
        return registry

    def test_everything_is_in_the_trail(self, told) -> None:
        told.improvements.undo(1, why="no")
        assert verify(told).ok

    @pytest.mark.parametrize("table", [schema.changes, schema.scored_runs])
    def test_rows_are_kept_as_written(self, told, table) -> None:
        with pytest.raises(RegistryError), told.database.write() as connection:
            connection.execute(update(table).values(agent="mine"))

    @pytest.mark.parametrize("table", [schema.changes, schema.scored_runs])
    @pytest.mark.parametrize("column", ["at", "agent", "body"])
    def test_an_edit_is_found(self, told, unguarded, table, column) -> None:
        with unguarded(told) as connection:
            connection.execute(update(table).values({column: "x"}))
        assert "is not in the tables as the trail says" in verify(told).problem

    @pytest.mark.parametrize("table", [schema.changes, schema.scored_runs])
    def test_a_row_that_is_gone_is_found(self, told, unguarded, table) -> None:
        with unguarded(told) as connection:
            connection.execute(table.delete())
        assert "is not in the tables as the trail says" in verify(told).problem


_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_ADDED = st.lists(st.sampled_from("abcdef").map(lesson), max_size=2).map(tuple)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes as `Improvements` makes them, undoings included."""
    changes: list[Change] = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        earlier = [one.number for one in changes]
        new = NewChange("desk", ChangeKind.LESSONS, "", adds=draw(_ADDED))
        causes = draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else set()
        made = Change(number, _NOON, new, tuple(sorted(causes)))
        holding = [one.number for one in effective(changes)]
        if holding and draw(st.booleans()):
            undoes = consequences(changes, draw(st.sampled_from(holding)))
            made = Change(number, _NOON, NewChange("desk", ChangeKind.UNDO, ""), undoes=undoes)
        changes.append(made)
    return changes


@given(histories(), st.data())
@settings(max_examples=200)
def test_one_undoing_leaves_what_there_would_be_without_the_change(changes, data) -> None:
    chosen = data.draw(st.sampled_from(effective(changes)))
    undoes = consequences(changes, chosen.number)
    undone = Change(len(changes) + 1, _NOON, NewChange("desk", ChangeKind.UNDO, ""), undoes=undoes)
    after = [*changes, undone]
    assert not {one.number for one in effective(after)} & set(undoes)
    # Nothing that holds rests on what was undone.
    assert all(not set(one.causes) & set(undoes) for one in effective(after))
    # And undoing that brings everything back.
    again = Change(len(after) + 1, _NOON, undone.new, undoes=(undone.number,))
    assert standing_of([*after, again]) == standing_of(changes)
