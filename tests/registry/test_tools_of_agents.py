"""Which tools are an agent's by its changes, on each database, and what withdrawing them leaves."""

from __future__ import annotations

import pytest

from toolguild.registry import ChangeRefusedError, State
from toolguild.registry.audit import verify
from toolguild.registry.improvement import ChangeKind, NewChange, made_for


def bringing(*versions, agent="clerk"):
    digests = tuple(version.digest for version in versions)
    return NewChange(agent, ChangeKind.TOOLS, "a test", brings=digests)


def test_versions_made_for_an_agent_are_unclaimed_until_a_change_speaks_of_them(
    registry, make_spec
):
    own, other = made_for("clerk", [3, 1]), made_for("100%_clerk", [])
    first = registry.register(make_spec("first"), provenance=own).version
    second = registry.register(make_spec("second"), provenance=other).version
    registry.register(make_spec("third"), provenance={"note": '"made_for"'})
    assert registry.improvements.unclaimed_tools("clerk") == [(first, (3, 1))]
    assert registry.improvements.unclaimed_tools("100%_clerk") == [(second, ())]
    change = registry.improvements.apply(bringing(first))
    assert registry.improvements.unclaimed_tools("clerk") == []
    assert registry.improvements.brought_tools("clerk") == [(change, first)]
    assert registry.improvements.brought_tools("100%_clerk") == []


@pytest.mark.parametrize("provenance", [{"made_for": "clerk"}, {"made_for": {"agent": "clerk"}}])
def test_a_provenance_of_another_form_claims_nothing(registry, make_spec, provenance):
    registry.register(make_spec(), provenance=provenance)
    assert registry.improvements.unclaimed_tools("clerk") == []


def test_a_change_does_not_bring_what_an_earlier_one_brought(registry, make_spec):
    version = registry.register(make_spec()).version
    first = registry.improvements.apply(bringing(version))
    with pytest.raises(ChangeRefusedError, match="an earlier change brought"):
        registry.improvements.apply(bringing(version))
    registry.improvements.undo(first.number, why="a test")
    registry.improvements.apply(bringing(version))
    assert registry.tool("double").state is State.ACTIVE


def test_a_name_means_the_version_before_again_where_the_next_one_is_withdrawn(registry, make_spec):
    before = registry.register(make_spec()).version
    spec = make_spec(description="Double it.")
    after = registry.register(spec, provenance=made_for("clerk")).version
    assert registry.tool("double").digest == after.digest
    registry.improvements.withdraw(bringing(after), why="no better")
    assert registry.tool("double").digest == before.digest
    assert registry.tool(after.ref).state is State.RETIRED
    verify(registry)


@pytest.mark.parametrize("provenance", [{}, made_for("another clerk")])
def test_what_was_not_made_for_an_agent_is_not_withdrawn(registry, make_spec, provenance):
    version = registry.register(make_spec(), provenance=provenance).version
    registry.improvements.withdraw(bringing(version), why="no better")
    assert registry.tool("double").state is State.ACTIVE


def test_what_was_tried_on_another_state_of_the_agent_is_not_made(registry, make_spec):
    first, second, third = (
        registry.register(make_spec(name)).version for name in ("first", "second", "third")
    )
    improvements = registry.improvements
    made = improvements.apply(bringing(first), tried_after=0)
    with pytest.raises(ChangeRefusedError, match=f"change {made.number} was made to clerk while"):
        improvements.apply(bringing(second), tried_after=0)
    improvements.refuse(bringing(third), why="makes no difference")
    improvements.apply(bringing(second), tried_after=made.number)
    undone = improvements.undo(made.number, why="a test")
    with pytest.raises(ChangeRefusedError, match=f"change {undone.number}"):
        improvements.apply(bringing(third), tried_after=made.number + 2)


def test_a_refused_change_brought_nothing(registry, make_spec):
    version = registry.register(make_spec(), provenance=made_for("clerk")).version
    registry.improvements.refuse(bringing(version), why="no better")
    assert registry.improvements.brought_tools("clerk") == []
