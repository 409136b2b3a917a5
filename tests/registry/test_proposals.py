"""The budget of new tools: what exceeds it is proposed, waits in order, and is let in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.registry import (
    ChangeRefusedError,
    State,
    Toolbox,
    ToolSpec,
    UnknownToolError,
    tail,
    verify,
)
from toolguild.registry.parts import parts_first

HOUR = timedelta(hours=1)


@pytest.fixture
def propose(make_spec):
    """Register specifications in one cycle; return the names of the versions that wait."""

    def register(registry, *specs) -> list[str]:
        intake = registry.governance.intake()
        made = [registry.register(spec, intake=intake).version for spec in specs]
        return [version.ref for version in made if version.state is State.PROPOSED]

    return register


def refs(versions) -> list[str]:
    return [version.ref for version in versions]


# --- waiting


def test_a_cycle_takes_in_so_many_and_the_rest_waits(bounded, make_spec, propose) -> None:
    registry = bounded(a_cycle=2)
    waiting = propose(registry, *map(make_spec, ["one", "two", "three", "four"]))
    assert waiting == ["three@1", "four@1"]
    assert refs(registry.governance.proposals()) == waiting
    assert refs(registry.governance.admit()) == waiting
    assert registry.governance.proposals() == []
    assert {tool.state for tool in registry.tools()} == {State.ACTIVE}
    assert verify(registry).ok


def test_a_day_takes_in_so_many_however_many_cycles_it_has(bounded, make_spec, propose) -> None:
    registry = bounded(a_day=3)
    registry.register(make_spec("raw"))
    assert propose(registry, make_spec("one"), make_spec("two")) == []
    assert propose(registry, make_spec("three"), make_spec("four")) == ["three@1", "four@1"]
    assert registry.governance.admit() == []
    registry._journal.clock.time += 24 * HOUR
    assert refs(registry.governance.admit()) == ["three@1", "four@1"]
    assert registry.governance.admit() == []


def test_what_comes_later_waits_behind_what_waits(bounded, make_spec, propose) -> None:
    registry = bounded(a_cycle=1)
    assert propose(registry, make_spec("one"), make_spec("two")) == ["two@1"]
    assert propose(registry, make_spec("three")) == ["three@1"]
    assert refs(registry.governance.admit()) == ["two@1"]
    assert propose(registry, make_spec("four")) == ["four@1"]
    assert refs(registry.governance.admit()) == ["three@1"]
    waiting = registry.governance.waiting("four")
    assert (waiting.place, waiting.ahead, waiting.a_cycle) == (1, (), 1)
    assert waiting.left_today == 97
    assert registry.governance.waiting("three") is None


def test_what_waits_is_kept_whole_and_nobody_can_use_it(
    bounded, make_spec, propose, sandbox
) -> None:
    registry = bounded(a_cycle=0)
    report = {"checks": []}
    intake = registry.governance.intake()
    made = registry.register(make_spec(), evidence={"cases": 3}, report=report, intake=intake)
    assert (made.created, made.version.number, made.version.tier) == (True, 1, Tier.SANDBOX)
    assert registry.tool("double") == made.version
    assert registry.report(made.version.evidence["report"]) == report
    toolbox = Toolbox(registry, sandbox)
    assert toolbox.specs() == []
    called = toolbox.call("double", {"number": 2})
    assert (called.ok, called.ran, "proposed" in called.error) == (False, False, True)
    assert registry.search("double a number") == []
    assert refs(f.version for f in registry.search("double", state=State.PROPOSED)) == ["double@1"]
    with pytest.raises(ChangeRefusedError, match="only an active version can be promoted"):
        registry.governance.promotion("double")
    again = registry.register(make_spec(), intake=registry.governance.intake())
    assert (again.created, again.version) == (False, made.version)
    assert [row.action for row in tail(registry)] == ["propose"]
    assert verify(registry).ok


def test_a_name_means_what_it_did_until_its_next_version_is_let_in(
    bounded, make_spec, propose, sandbox
) -> None:
    registry = bounded(a_cycle=1)
    better = make_spec(description="Better.")
    assert propose(registry, make_spec(), better) == ["double@2"]
    assert registry.tool("double").number == 1
    assert Toolbox(registry, sandbox).call("double", {"number": 2}).value == 4
    assert registry.governance.waiting("double@2").place == 1
    with pytest.raises(ChangeRefusedError, match="double@2 waits to come into use"):
        registry.governance.rollback("double", "double@2", why="now")
    [admitted] = registry.governance.admit()
    assert registry.tool("double") == admitted
    assert [row.action for row in tail(registry, 2)] == ["admit", "point"]
    assert registry.search("better")[0].version == admitted
    assert verify(registry).ok


def test_a_name_is_not_taken_back_from_a_newer_version(bounded, make_spec, propose) -> None:
    registry = bounded(a_cycle=1)
    propose(registry, make_spec(), make_spec(description="Better."))
    newest = registry.register(make_spec(description="Best.")).version
    assert refs(registry.governance.admit()) == ["double@2"]
    assert registry.tool("double") == newest
    assert registry.tool("double@2").state is State.ACTIVE


# --- composites


def test_a_composite_comes_in_after_the_parts_that_wait(bounded, make_spec, propose) -> None:
    registry = bounded(a_cycle=1)
    outer = make_spec("outer", calls=("inner", "brought_along"))
    assert len(propose(registry, make_spec("one"), outer, make_spec("inner"))) == 2
    assert registry.governance.waiting("outer").ahead == ("inner@1",)
    taken = [refs(registry.governance.admit()) for _ in range(3)]
    assert taken == [["inner@1"], ["outer@1"], []]


def test_a_part_changes_for_its_callers_when_it_is_let_in(
    bounded, make_spec, propose, sandbox
) -> None:
    registry = bounded(a_cycle=1)
    registry.register(make_spec("outer", calls=("inner",)))
    registry.set_tier("outer", Tier.RESTRICTED, why="a test")
    propose(registry, make_spec("one"), make_spec("inner"))
    assert registry.tool("outer").tier is Tier.RESTRICTED
    registry.governance.retire("inner", why="no")
    assert registry.tool("outer").tier is Tier.RESTRICTED
    registry.governance.restore("inner", why="yes")
    assert registry.tool("outer").tier is Tier.SANDBOX


def test_a_composite_is_not_to_blame_for_a_part_that_waits(
    bounded, make_spec, propose, sandbox
) -> None:
    registry = bounded(a_cycle=0)
    source = "def outer(number):\n    return call_tool('inner', {'number': number})\n"
    registry.register(make_spec("outer", source=source, calls=("inner",)))
    propose(registry, make_spec("inner"))
    called = Toolbox(registry, sandbox).call("outer", {"number": 1})
    assert "no tool named 'inner' is available" in called.error
    gates = {gate.name: gate for gate in registry.governance.promotion("outer").gates}
    assert gates["uses"].found == "0"
    assert "tools that it calls" not in gates


NAMES = "abcdef"


@given(
    calls=st.lists(st.tuples(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES))), max_size=12)
)
def test_parts_go_first_and_else_the_order_stays(calls) -> None:
    found = [
        (number, ToolSpec(name, "", "", {}, {}, tuple(called)))
        for number, (name, called) in enumerate(calls)
    ]
    ordered = parts_first(found, lambda one: one[1])
    assert sorted(ordered) == found
    if not any(called for _, called in calls):
        assert ordered == found
    # Names that only call what comes before them in the alphabet are in no circle.
    if all(part < name for name, called in calls for part in called):
        places = {one[0]: place for place, one in enumerate(ordered)}
        for number, spec in found:
            for other, part in found:
                if part.name in spec.calls:
                    assert places[other] < places[number]


# --- leaving, and coming back


def test_what_waits_can_leave_the_line_and_comes_back_only_with_room(
    bounded, make_spec, propose
) -> None:
    registry = bounded(a_day=1)
    propose(registry, make_spec("one"), make_spec(), make_spec("two"))
    assert registry.governance.retire("double", why="not wanted").state is State.RETIRED
    assert refs(registry.governance.proposals()) == ["two@1"]
    with pytest.raises(ChangeRefusedError, match="double@1 is retired already"):
        registry.governance.retire("double", why="again")
    with pytest.raises(ChangeRefusedError, match=r"never was in use, and today's budget"):
        registry.governance.restore("double", why="after all")
    with pytest.raises(ChangeRefusedError, match="two@1 is proposed: nothing has to be restored"):
        registry.governance.restore("two", why="now")
    registry._journal.clock.time += 24 * HOUR
    assert registry.governance.restore("double", why="after all").state is State.ACTIVE
    assert registry.governance.admit() == []
    assert [row.action for row in tail(registry, 2)] == ["retire", "admit"]
    assert verify(registry).ok


@pytest.mark.parametrize("state", [State.RETIRED, State.QUARANTINED])
def test_what_was_in_use_comes_back_with_a_new_record(bounded, make_spec, state) -> None:
    registry = bounded(a_day=1)
    registry.register(make_spec())
    registry.register(make_spec("outer", calls=("double",)))
    for name in ("double", "outer"):
        registry.set_tier(name, Tier.FULL, why="a test")
    if state is State.RETIRED:
        registry.governance.retire("double", why="no use")
    else:
        registry.governance.demote("double", None, why="odd")
    assert registry.tool("outer").tier is Tier.SANDBOX
    restored = registry.governance.restore("double", why="mended")
    assert (restored.state, restored.tier) == (State.ACTIVE, Tier.SANDBOX)
    with pytest.raises(ChangeRefusedError, match="double@1 is active"):
        registry.governance.restore("double", why="again")
    with pytest.raises(UnknownToolError):
        registry.governance.retire("absent", why="no")
    assert verify(registry).ok


def test_an_old_version_is_retired_without_a_word_to_callers(bounded, make_spec) -> None:
    registry = bounded()
    registry.register(make_spec())
    registry.register(make_spec(description="Better."))
    registry.register(make_spec("outer", calls=("double",)))
    for name in ("double", "outer"):
        registry.set_tier(name, Tier.RESTRICTED, why="a test")
    registry.governance.retire("double@1", why="old")
    assert registry.tool("outer").tier is Tier.RESTRICTED
