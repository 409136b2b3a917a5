"""Requests that tools leave when a run ends for want of an effect, and what an answer opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from toolguild.policies import Capability, Tier
from toolguild.registry import (
    Answer,
    ExternalTool,
    PromotionRefusedError,
    RegistryError,
    Toolbox,
    schema,
    tail,
    verify,
)
from toolguild.sandbox import Outcome, Status

DAY = timedelta(days=1)
SAVE = "call_tool('read', {})\n    return call_tool('save', {})"
TOOLS = {
    "read": ExternalTool(lambda: 1, "read"),
    "save": ExternalTool(lambda: 2, "write"),
    "send": ExternalTool(lambda: 3, "network"),
}


@pytest.fixture
def toolbox(registry, sandbox):
    return Toolbox(registry, sandbox, TOOLS, task="task-7", trace="run-3")


@pytest.fixture
def act(composite):
    return composite("act", SAVE, ("read", "save"))


def test_the_first_meeting_leaves_a_request_with_line_and_evidence(registry, toolbox, act) -> None:
    result = toolbox.call("act", {})
    [request] = registry.governance.requests()
    assert (request.ref, request.asked_by, request.answer) == ("act@1", "tool act@1", Answer.OPEN)
    assert (request.target, request.why) == (
        Tier.RESTRICTED,
        "it calls save, which takes write: only restricted has that",
    )
    told = request.escalation
    assert (told.effect, told.calls, told.lines) == (Capability.WRITE, "save", (3,))
    assert (told.task, told.trace, told.called_by) == ("task-7", "run-3", "tester")
    [use] = registry.uses(act.digest)
    assert (told.input_digest, told.error) == (use.input_digest, result.error)
    [row] = tail(registry, 1)
    assert (row.action, row.actor) == ("ask", "tool act@1")
    assert verify(registry).ok


def test_later_meetings_are_counted_and_not_audited(registry, toolbox, act) -> None:
    for _ in range(5):
        toolbox.call("act", {})
    [request] = registry.governance.requests()
    met = registry.governance.meetings(request)
    uses = registry.uses(act.digest)
    assert (met.count, met.first_at, met.last_at) == (5, uses[0].at, uses[-1].at)
    assert [row.action for row in tail(registry, 9)].count("ask") == 1


def test_each_effect_is_asked_for_by_itself(registry, toolbox, composite) -> None:
    body = (
        "try:\n        call_tool('save', {})\n"
        "    except ToolCallError:\n        pass\n    return call_tool('send', {})"
    )
    composite("both", body, ("save", "send"))
    for _ in range(2):
        toolbox.call("both", {})
    asked = {(one.escalation.effect, one.target) for one in registry.governance.requests()}
    assert asked == {
        (Capability.WRITE, Tier.RESTRICTED),
        (Capability.NETWORK, Tier.RESTRICTED),
    }
    assert "the step before it" in registry.governance.requests()[0].why


def test_a_run_that_goes_on_asks_for_nothing(registry, toolbox, composite) -> None:
    body = "try:\n        call_tool('save', {})\n    except ToolCallError:\n        return 1"
    composite("tries", body, ("save",))
    assert toolbox.call("tries", {}).ok
    assert registry.governance.requests() == []


def test_a_part_asks_where_it_may_not_and_the_whole_for_it(registry, toolbox, act, composite):
    composite("outer", "return call_tool('act', {})", ("act",))
    toolbox.call("outer", {})
    asked = {one.ref: one.escalation for one in registry.governance.requests()}
    assert asked["outer@1"].calls == "act"
    assert asked["outer@1"].lines == (2,)
    assert asked["act@1"].calls == "save"


def test_a_part_that_may_does_not_ask_for_the_tier_of_its_caller(
    registry, toolbox, act, composite
) -> None:
    registry.set_tier("act", Tier.RESTRICTED, why="a test")
    composite("outer", "return call_tool('act', {})", ("act",))
    assert not toolbox.call("outer", {}).ok
    assert [one.ref for one in registry.governance.requests()] == ["outer@1"]


def test_a_run_that_ends_otherwise_asks_for_nothing(registry, sandbox, toolbox, act) -> None:
    run = sandbox.run

    def too_long(*args, **options):
        run(*args, **options)
        return Outcome(Status.TIMEOUT, error="too long")

    sandbox.run = too_long
    assert not toolbox.call("act", {}).ok
    assert registry.governance.requests() == []


@pytest.mark.parametrize(
    ("needs", "status", "effects", "asks"),
    [
        ({Capability.NETWORK}, Status.REFUSED, {Capability.NETWORK}, True),
        ({Capability.NETWORK}, Status.ERROR, {Capability.NETWORK}, True),
        ({Capability.NETWORK}, Status.ERROR, set(), False),
        ({Capability.NETWORK}, Status.TIMEOUT, {Capability.NETWORK}, False),
        (set(), Status.ERROR, {Capability.NETWORK}, False),
    ],
)
def test_own_effects_are_asked_for_where_they_are_declared_and_seen(
    registry, sandbox, toolbox, make_spec, needs, status, effects, asks
) -> None:
    registry.register(make_spec(needs=frozenset(needs)))
    sandbox.answers = [Outcome(status, error="no network", effects=frozenset(effects))]
    toolbox.call("double", {"number": 1})
    told = [one.escalation for one in registry.governance.requests()]
    assert [(one.effect, one.calls, one.lines) for one in told] == (
        [(Capability.NETWORK, "", ())] if asks else []
    )


def test_a_chain_to_the_network_asks_for_it(registry, toolbox, composite) -> None:
    composite("leak", "call_tool('send', call_tool('read', {}))", ("read", "send"))
    toolbox.call("leak", {})
    [request] = registry.governance.requests()
    assert (request.escalation.effect, request.escalation.lines) == (Capability.NETWORK, (2,))
    assert registry.governance.meetings(request).count == 1


def test_an_answer_holds_and_an_expired_one_is_asked_anew(
    registry, toolbox, act, as_other, clock
) -> None:
    toolbox.call("act", {})
    as_other.answer(1, Answer.DENIED, why="no")
    toolbox.call("act", {})
    assert len(registry.governance.requests()) == 1
    clock.time += 8 * DAY
    toolbox.call("act", {})
    assert [one.answer for one in registry.governance.requests()] == [Answer.DENIED, Answer.OPEN]
    clock.time += 8 * DAY
    with pytest.raises(RegistryError, match="expired at"):
        as_other.answer(2, Answer.APPROVED, why="late")
    assert verify(registry).ok


def test_the_owner_of_the_account_may_answer_his_tool(registry, toolbox, act) -> None:
    toolbox.call("act", {})
    answered = registry.governance.answer(1, Answer.APPROVED, why="read it")
    assert answered.answered_by == "tester"


def test_a_request_and_a_tools_are_two(registry, toolbox, act, as_other) -> None:
    toolbox.call("act", {})
    own = registry.governance.ask("act", why="please")
    assert (own.id, own.escalation) == (2, None)
    assert [one.id for one in registry.governance.promotion("act").requests] == [1, 2]
    as_other.answer(1, Answer.APPROVED, why="read it")
    with pytest.raises(PromotionRefusedError, match="more clean, distinct uses"):
        registry.governance.promote("act", why="approved")
    registry.governance.promote("act", why="request 1", override=True)
    assert toolbox.call("act", {}).ok
    assert registry.governance.promotion("act").requests == ()


def test_an_approved_escalation_is_the_word_of_a_person(
    registry, toolbox, composite, as_other
) -> None:
    composite("post", "return call_tool('send', {})", ("send",))
    registry.set_tier("post", Tier.RESTRICTED, why="a test")
    toolbox.call("post", {})

    def closed() -> set[str]:
        gates = registry.governance.promotion("post").gates
        return {gate.name for gate in gates if not gate.passed}

    before = closed()
    [request] = registry.governance.requests()
    assert request.target is Tier.FULL
    as_other.answer(request.id, Answer.APPROVED, why="read it")
    assert before - closed() == {"approval"}
    assert "uses" in closed()


def test_an_edited_escalation_is_found_and_breaks_nothing(registry, toolbox, act) -> None:
    toolbox.call("act", {})
    with registry.database.write() as connection:
        edited = '{"escalation":{"effect":"magic"}}'
        connection.execute(update(schema.approvals).values(evidence=edited))
    [request] = registry.governance.requests()
    assert request.escalation is None
    assert "request 1 for approval is not in the tables" in verify(registry).problem
