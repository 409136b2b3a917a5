"""Trust by evidence: tools rise by their record, fall by it at once, and everything is audited."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import update

from toolguild.policies import Profile, Tier, load_profile
from toolguild.registry import (
    TRANSITIONS,
    Answer,
    CallStatus,
    PromotionRefusedError,
    Registry,
    RegistryError,
    State,
    Toolbox,
    UnknownToolError,
    Use,
    schema,
    tail,
    verify,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def use(registry):
    """Record uses of a tool, each with another input."""
    count = 0

    def record(name: str, outcomes, **fields) -> None:
        nonlocal count
        for success in outcomes:
            version = registry.tool(name)
            count += 1
            status = CallStatus.OK if success else CallStatus.ERROR
            given = {"input_digest": f"sha256:{count}", "tier": version.tier, **fields}
            registry.record(
                Use(version.digest, status=status, duration_s=0.1, at=registry.now(), **given)
            )

    return record


@pytest.fixture
def proven(make_spec):
    """Evidence of a validation that is not thin."""
    return {"adequacy": {"mutants": 10, "killed": 10}, "thin": []}


# --- rising


def test_a_tool_rises_by_its_record_and_what_is_missing_is_told(registry, make_spec, use) -> None:
    registry.register(make_spec())
    use("double", [True] * 13)
    step = registry.governance.promotion("double")
    assert (step.target, step.is_earned) == (Tier.RESTRICTED, False)
    assert step.missing == ("needs 7 more clean, distinct uses",)
    with pytest.raises(PromotionRefusedError, match=r"double@1 has not earned .* needs 7 more"):
        registry.governance.promote("double", why="please")
    use("double", [True] * 7)
    assert registry.governance.promote("double", why="earned").tier is Tier.RESTRICTED
    [row] = tail(registry, 1)
    assert (row.action, row.content["why"]) == ("promote", "earned")
    assert row.content["gates"]["uses"] == {
        "asked": "at tier sandbox, at least 10",
        "found": "20",
        "open": True,
    }
    assert verify(registry).ok


@pytest.mark.parametrize(
    "fields",
    [
        {"input_digest": "sha256:same"},
        {"live": False},
        {"tier": Tier.FULL},
        {"ran": False},
        {"image": "another"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_only_independent_live_uses_at_the_tier_count(registry, make_spec, use, fields) -> None:
    registry.register(make_spec())
    use("double", [True] * 10, image="one")
    registry.set_tier("double", Tier.RESTRICTED, why="a test")
    use("double", [True] * 5, image="one")
    use("double", [True] * 60, **{"image": "one", **fields})
    found = {gate.name: gate.found for gate in registry.governance.promotion("double").gates}
    assert found["uses"] == ("6" if "input_digest" in fields else "5")


@pytest.mark.parametrize("status", [CallStatus.REFUSED, CallStatus.UNAVAILABLE, CallStatus.CUT_OFF])
def test_what_is_not_the_tools_doing_counts_for_nothing(registry, make_spec, status) -> None:
    version = registry.register(make_spec()).version
    for number in range(50):
        given = {"input_digest": f"sha256:{number}", "tier": Tier.SANDBOX}
        registry.record(
            Use(version.digest, status=status, duration_s=0.1, at=registry.now(), **given)
        )
    assert registry.tool("double") == version
    found = {gate.name: gate.found for gate in registry.governance.promotion("double").gates}
    assert found["uses"] == "0"


def test_a_composite_without_the_tools_that_it_calls_is_not_to_blame(
    registry, make_spec, sandbox
) -> None:
    source = "def outer():\n    return call_tool('absent', {})\n"
    registry.register(
        make_spec("outer", source=source, parameters={"type": "object"}, calls=("absent",))
    )
    called = Toolbox(registry, sandbox).call("outer", {})
    assert called.status is CallStatus.REFUSED
    assert "no tool named 'absent' is available" in called.error
    found = {gate.name: gate.found for gate in registry.governance.promotion("outer").gates}
    assert found["uses"] == "0"


def test_the_same_input_counts_once_for_and_once_against(registry, make_spec, use) -> None:
    registry.register(make_spec())
    use("double", [True, True, False, False, True], input_digest="sha256:same")
    found = {gate.name: gate.found for gate in registry.governance.promotion("double").gates}
    assert (found["uses"], found["success rate"]) == ("2", "50.0%")


def test_a_new_tier_begins_a_new_record(registry, make_spec, use) -> None:
    registry.register(make_spec())
    use("double", [True] * 200)
    registry.governance.promote("double", why="earned")
    found = {gate.name: gate.found for gate in registry.governance.promotion("double").gates}
    assert found["uses"] == "0"


def test_closed_gates_are_passed_only_where_a_person_answers_for_it(registry, make_spec) -> None:
    registry.register(make_spec())
    version = registry.governance.promote("double", why="urgent", override=True)
    assert version.tier is Tier.RESTRICTED
    [row] = tail(registry, 1)
    assert row.action == "override"
    assert not row.content["gates"]["uses"]["open"]


def test_a_review_promotes_in_order_as_far_as_the_budget_goes(
    registry, clock, make_spec, use
) -> None:
    budget = load_profile().trust.budget
    names = [f"tool_{number:02}" for number in range(budget.promotions_a_day + 3)]
    for name in names:
        registry.register(make_spec(name))
        use(name, [True] * 20)
    cycle = budget.promotions_a_cycle
    taken = [[step.version.spec.name for step in registry.governance.review()] for _ in "123"]
    assert taken == [names[:cycle], names[cycle : 2 * cycle], []]
    clock.time += 25 * HOUR
    assert len(registry.governance.review()) == 3
    assert verify(registry).ok


# --- approvals


def test_full_trust_takes_the_word_of_somebody_else(
    registry, make_spec, proven, use, as_other, clock
) -> None:
    registry.register(make_spec(), evidence=proven)
    use("double", [True] * 20)
    registry.governance.promote("double", why="earned")
    use("double", [True] * 43)
    clock.time += 24 * HOUR
    assert registry.governance.promotion("double").waits_for_approval
    request = registry.governance.ask("double", why="it posts reports")
    assert registry.governance.ask("double", why="again") == request
    assert request.evidence["uses"] == "43"
    with pytest.raises(RegistryError, match="somebody else has to answer"):
        registry.governance.answer(request.id, Answer.APPROVED, why="mine")
    with pytest.raises(PromotionRefusedError, match="have a person approve"):
        registry.governance.promote("double", why="now")
    given = as_other.answer(request.id, Answer.APPROVED, why="read it")
    assert (given.answer, given.answered_by) == (Answer.APPROVED, "somebody else")
    with pytest.raises(RegistryError, match="was approved by somebody else already"):
        as_other.answer(request.id, Answer.DENIED, why="changed my mind")
    assert registry.governance.promote("double", why="approved").tier is Tier.FULL
    assert [row.action for row in tail(registry, 3)] == ["ask", "approve", "promote"]
    assert verify(registry).ok


def test_approvals_expire_and_denials_do_not_promote(registry, make_spec, as_other, clock) -> None:
    registry.register(make_spec())
    registry.governance.promote("double", why="a test", override=True)
    first = registry.governance.ask("double", why="please")
    clock.time += 8 * 24 * HOUR
    with pytest.raises(RegistryError, match="expired at"):
        as_other.answer(first.id, Answer.APPROVED, why="late")
    second = registry.governance.ask("double", why="please")
    assert second.id != first.id
    as_other.answer(second.id, Answer.DENIED, why="no")
    third = registry.governance.ask("double", why="please")
    as_other.answer(third.id, Answer.APPROVED, why="well")

    def approved() -> bool:
        gates = registry.governance.promotion("double").gates
        return next(gate.passed for gate in gates if gate.name == "approval")

    assert approved()
    clock.time += 8 * 24 * HOUR
    assert not approved()
    with pytest.raises(UnknownToolError, match="no request 99"):
        as_other.answer(99, Answer.DENIED, why="what")


def test_an_approval_is_of_the_record_that_it_was_asked_for(
    registry, make_spec, as_other, use
) -> None:
    registry.register(make_spec())
    registry.governance.promote("double", why="a test", override=True)
    request = registry.governance.ask("double", why="please")
    as_other.answer(request.id, Answer.APPROVED, why="well")
    use("double", [False] * 4)
    registry.governance.promote("double", why="a test", override=True)
    gates = registry.governance.promotion("double").gates
    assert not next(gate.passed for gate in gates if gate.name == "approval")


@pytest.mark.parametrize("column", schema.approvals.columns.keys())
def test_a_request_that_was_edited_is_found(registry, make_spec, as_other, column) -> None:
    registry.register(make_spec())
    registry.register(make_spec("other"))
    request = registry.governance.ask("double", why="please")
    as_other.answer(request.id, Answer.APPROVED, why="well")
    assert verify(registry).ok
    edited = {
        "id": 7,
        "version": registry.tool("other").digest,
        "since_use": 7,
        "expires_at": "2099-01-01T00:00:00.000000+00:00",
    }
    with registry.database.write() as connection:
        row = update(schema.approvals).values({column: edited.get(column, "edited")})
        connection.execute(row)
    problem = verify(registry).problem
    assert "request" in problem
    assert "is not in the tables as the trail says" in problem


# --- falling


@pytest.mark.parametrize(
    ("tier", "bad", "after", "state"),
    [
        (Tier.FULL, 2, Tier.FULL, State.ACTIVE),
        (Tier.FULL, 3, Tier.RESTRICTED, State.ACTIVE),
        (Tier.FULL, 4, Tier.SANDBOX, State.ACTIVE),
        (Tier.FULL, 16, Tier.SANDBOX, State.QUARANTINED),
        (Tier.RESTRICTED, 4, Tier.SANDBOX, State.ACTIVE),
        (Tier.SANDBOX, 15, Tier.SANDBOX, State.ACTIVE),
        (Tier.SANDBOX, 16, Tier.SANDBOX, State.QUARANTINED),
    ],
)
def test_a_tool_that_breaks_falls_before_its_next_call(
    where, registry, make_spec, use, sandbox, tier, bad, after, state
) -> None:
    registry.register(make_spec())
    registry.set_tier("double", tier, why="a test")
    use("double", [True] * 200)
    with Registry.open(where) as elsewhere:
        use("double", [False] * bad)
        version = elsewhere.tool("double")
        assert (version.tier, version.state) == (after, state)
        called = Toolbox(elsewhere, sandbox).call("double", {"number": 1})
        assert called.ok == (state is State.ACTIVE)
    assert verify(registry).ok


def test_repeated_failures_of_one_input_are_one(registry, make_spec, use) -> None:
    registry.register(make_spec())
    registry.set_tier("double", Tier.FULL, why="a test")
    use("double", [False] * 50, input_digest="sha256:same")
    assert registry.tool("double").tier is Tier.FULL


def test_what_calls_a_tool_falls_with_it(registry, make_spec, use) -> None:
    registry.register(make_spec("inner"))
    registry.register(make_spec("middle", calls=("inner",)))
    registry.register(make_spec("outer", calls=("middle", "another_tool")))
    for name in ("inner", "middle", "outer"):
        registry.set_tier(name, Tier.FULL, why="a test")
    use("inner", [False] * 4)
    assert {tool.tier for tool in registry.tools()} == {Tier.SANDBOX}
    told = [(row.action, row.content["why"]) for row in registry.governance.history("outer")]
    assert told[-1] == ("demote", "it calls middle, which is at sandbox now")


def test_a_changed_part_begins_a_new_record(registry, make_spec, use) -> None:
    registry.register(make_spec("inner"))
    registry.register(make_spec("outer", calls=("inner",)))
    use("outer", [True] * 19)
    registry.register(make_spec("inner", description="Another one."))
    use("outer", [True] * 5)
    found = {gate.name: gate.found for gate in registry.governance.promotion("outer").gates}
    assert found["uses"] == "5"
    assert registry.governance.history("outer")[-1].action == "new_record"


def test_nothing_stands_before_a_demotion(registry, make_spec) -> None:
    registry.register(make_spec())
    registry.set_tier("double", Tier.FULL, why="a test")
    assert registry.governance.demote("double", Tier.RESTRICTED, why="odd").tier is Tier.RESTRICTED
    with pytest.raises(RegistryError, match="not above restricted"):
        registry.governance.demote("double", Tier.RESTRICTED, why="odd")
    assert registry.governance.demote("double", None, why="odd").state is State.QUARANTINED
    with pytest.raises(RegistryError, match="only an active version"):
        registry.governance.promotion("double")


def test_after_a_demotion_nothing_rises_for_a_while(registry, make_spec, use, clock) -> None:
    registry.register(make_spec())
    registry.set_tier("double", Tier.RESTRICTED, why="a test")
    registry.governance.demote("double", Tier.SANDBOX, why="odd")
    use("double", [True] * 30)
    [missing] = registry.governance.promotion("double").missing
    assert missing.startswith("wait 2")
    clock.time += 24 * HOUR
    assert registry.governance.promotion("double").is_earned


# --- images


def test_a_part_is_trusted_only_in_its_own_image(registry, make_spec, sandbox) -> None:
    registry.register(make_spec("inner"))
    source = "def outer(number):\n    return call_tool('inner', {'number': number})\n"
    registry.register(make_spec("outer", source=source, calls=("inner",)))

    class Elsewhere(type(sandbox)):
        level = "another image"

    assert Toolbox(registry, sandbox).call("inner", {"number": 1}).ok
    for name in ("inner", "outer"):
        registry.set_tier(name, Tier.FULL, why="a test")
    assert Toolbox(registry, Elsewhere()).call("outer", {"number": 1}).ok
    [use] = registry.uses(registry.tool("inner").digest)[1:]
    assert use.tier is Tier.SANDBOX


def test_trust_is_not_carried_over_to_another_image(registry, make_spec, sandbox) -> None:
    registry.register(make_spec())
    toolbox = Toolbox(registry, sandbox)
    for number in range(20):
        assert toolbox.call("double", {"number": number}).ok
    registry.governance.promote("double", why="earned")

    class Elsewhere(type(sandbox)):
        level = "another image"

    other = Toolbox(registry, Elsewhere())
    for number in range(30):
        assert other.call("double", {"number": number}).ok
    version = registry.tool("double")
    assert (version.tier, version.image) == (Tier.RESTRICTED, "none")
    assert {use.tier for use in registry.uses(version.digest)[20:]} == {Tier.SANDBOX}
    found = {gate.name: gate.found for gate in registry.governance.promotion("double").gates}
    assert found["uses"] == "0"
    registry.governance.demote("double", Tier.SANDBOX, why="we move")
    assert registry.tool("double").image == ""
    assert other.call("double", {"number": 1}).ok
    step = registry.governance.promotion("double")
    assert (step.image, step.gates[0].found) == ("another image", "1")


def test_a_tool_that_is_used_in_two_images_in_turn_rises_by_its_record_in_one(
    registry, make_spec, use
) -> None:
    registry.register(make_spec())
    before = len(tail(registry, 100))
    for _ in range(19):
        use("double", [True], image="production")
        use("double", [True], image="laptop")
    step = registry.governance.promotion("double")
    assert step.missing == ("needs 1 more clean, distinct uses",)
    use("double", [True], image="production")
    use("double", [True, False], input_digest="sha256:same", image="laptop")
    assert len(tail(registry, 100)) == before
    # The one with the most uses: the other has a failure, which says nothing of this one.
    use("double", [True, True], image="production")
    step = registry.governance.promotion("double")
    assert (step.image, step.gates[0].found, step.is_earned) == ("production", "22", True)
    version = registry.governance.promote("double", why="earned")
    assert (version.tier, version.image) == (Tier.RESTRICTED, "production")
    use("double", [True], image="laptop")
    assert registry.governance.promotion("double").gates[0].found == "0"
    assert verify(registry).ok


def test_the_same_input_counts_once_in_each_image(registry, make_spec, use) -> None:
    registry.register(make_spec())
    for image in ("production", "laptop", "production", "laptop"):
        use("double", [True], input_digest="sha256:same", image=image)
    step = registry.governance.promotion("double")
    assert (step.image, step.gates[0].found) == ("laptop", "1")


def test_failures_in_one_image_are_not_made_up_for_in_another(registry, make_spec, use) -> None:
    registry.register(make_spec())
    use("double", [True] * 200, image="production")
    for _ in range(15):
        use("double", [False], image="laptop")
        use("double", [True], image="production")
    assert registry.tool("double").state is State.ACTIVE
    use("double", [False], image="laptop")
    assert registry.tool("double").state is State.QUARANTINED
    assert verify(registry).ok


def test_a_tier_that_was_given_without_a_record_is_for_the_image_of_its_first_use(
    registry, make_spec, use
) -> None:
    registry.register(make_spec())
    assert registry.governance.promote("double", why="urgent", override=True).image == ""
    use("double", [True, True], image="production")
    assert registry.tool("double").image == "production"
    use("double", [True], image="laptop")
    assert registry.governance.promotion("double").gates[0].found == "2"
    assert [row.action for row in tail(registry, 2)] == ["override", "new_record"]
    assert verify(registry).ok


def test_an_image_that_an_older_toolguild_noted_in_sandbox_binds_nothing(
    registry, make_spec, use
) -> None:
    version = registry.register(make_spec()).version
    with registry.database.write() as connection:
        noted = replace(version, image="laptop")
        registry._journal.change(connection, "new_record", version, noted, "first use")
    use("double", [True] * 20, image="production")
    assert verify(registry).ok
    assert registry.governance.promote("double", why="earned").image == "production"
    assert verify(registry).ok


def test_an_approval_is_of_the_record_in_one_image(
    where, registry, make_spec, use, as_other, tmp_path
) -> None:
    house = tmp_path / "house.toml"
    house.write_text("extends = 'balanced'\ntrust.restricted.approval = true\n")
    profile = load_profile(house)
    registry.register(make_spec())
    use("double", [True] * 20, image="production")
    with Registry.open(where, actor="tester", clock=registry.now, profile=profile) as careful:
        request = careful.governance.ask("double", why="please")
        assert request.evidence["image"] == "production"
        as_other.answer(request.id, Answer.APPROVED, why="well")
        assert careful.governance.promotion("double").is_earned
        use("double", [True] * 21, image="laptop")
        step = careful.governance.promotion("double")
        assert (step.image, step.waits_for_approval) == ("laptop", True)


# --- versions


def test_a_rollback_brings_back_pointer_tier_and_record(registry, make_spec, use) -> None:
    registry.register(make_spec())
    use("double", [True] * 20)
    registry.governance.promote("double", why="earned")
    use("double", [True] * 7)
    registry.register(make_spec(description="Worse."))
    assert registry.tool("double").tier is Tier.SANDBOX
    back = registry.governance.rollback("double", why="it was better")
    assert registry.tool("double") == back
    assert (back.number, back.tier) == (1, Tier.RESTRICTED)
    found = {gate.name: gate.found for gate in registry.governance.promotion("double").gates}
    assert found["uses"] == "7"
    with pytest.raises(RegistryError, match=r"double means double@1"):
        registry.governance.rollback("double", why="again")
    assert registry.governance.rollback("double", "double@2", why="no").number == 2
    actions = [row.action for row in registry.governance.history("double")]
    assert actions[-2:] == ["rollback", "rollback"]
    assert verify(registry).ok


@pytest.mark.parametrize("before", [State.ACTIVE, State.QUARANTINED, State.RETIRED])
@pytest.mark.parametrize("after", State)
def test_states_follow_on_one_another_as_the_table_says(registry, make_spec, before, after) -> None:
    registry.register(make_spec())
    if before is not State.ACTIVE:
        registry.set_state("double", before, why="a test")
    if after in TRANSITIONS[before] or after is before:
        assert registry.set_state("double", after, why="a test").state is after
    else:
        with pytest.raises(RegistryError, match="which may become"):
            registry.set_state("double", after, why="a test")


class Lives(RuleBasedStateMachine):
    """Whatever happens to two tools, one of which calls the other, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        tables = load_profile().tables()
        tables["trust"]["budget"] |= {"new_tools_a_cycle": 1, "new_tools_a_day": 4}
        self.registry = Registry.open(
            f"{self.folder.name}/tools.db",
            actor="tester",
            profile=Profile.of_tables("bounded", tables),
        )
        self.number = 0
        self.counted: Counter[tuple[str, int, Tier, str]] = Counter()
        """Uses that count, by version, the use that its record began after, tier and image."""

    names = st.sampled_from(["inner", "outer"])

    def spec(self, name: str, description: str = "One."):
        from toolguild.registry import ToolSpec

        calls = ("inner",) if name == "outer" else ()
        parameters = {"type": "object", "properties": {}}
        source = f"def {name}():\n    return 1\n"
        return ToolSpec(name, description, source, parameters, {"type": "integer"}, calls)

    def is_proposed(self, ref: str) -> bool:
        return self.registry.tool(ref).state is State.PROPOSED

    def known(self, name: str) -> bool:
        return any(tool.spec.name == name for tool in self.registry.tools())

    @rule(name=names, description=st.sampled_from(["One.", "Two.", "Three."]))
    def register(self, name: str, description: str) -> None:
        known = {one.digest for one in self.registry.versions(name)} if self.known(name) else set()
        made = self.registry.register(self.spec(name, description))
        assert made.created == (made.version.digest not in known)

    @rule(of=st.lists(st.tuples(names, st.sampled_from(["One.", "Two.", "Three."])), max_size=3))
    def propose(self, of: list[tuple[str, str]]) -> None:
        intake = self.registry.governance.intake()
        for name, description in of:
            before = self.registry.governance.proposals()
            made = self.registry.register(self.spec(name, description), intake=intake)
            is_new = made.created and made.version.state is State.PROPOSED
            assert len(self.registry.governance.proposals()) == len(before) + is_new
            if made.created and before:
                assert is_new

    @rule()
    def admit(self) -> None:
        before = self.registry.governance.proposals()
        admitted = self.registry.governance.admit()
        assert [one.digest for one in admitted] == [one.digest for one in before[: len(admitted)]]
        assert len(admitted) <= 1
        assert {one.state for one in admitted} <= {State.ACTIVE}
        left = [one.digest for one in self.registry.governance.proposals()]
        assert left == [one.digest for one in before[len(admitted) :]]

    @precondition(lambda self: self.known("inner"))
    @rule(name=names, number=st.integers(1, 3), back=st.booleans())
    def retire_or_restore(self, name: str, number: int, back: bool) -> None:
        governance = self.registry.governance
        try:
            before = self.registry.tool(f"{name}@{number}")
        except UnknownToolError:
            return
        wanted = State.ACTIVE if back else State.RETIRED
        try:
            after = (governance.restore if back else governance.retire)(before.ref, why="a test")
        except RegistryError as error:
            refused = before.state in (wanted, State.PROPOSED) if back else before.state is wanted
            assert refused or "budget of new tools" in str(error)
        else:
            assert after.state is wanted
            assert wanted in TRANSITIONS[before.state]

    @precondition(lambda self: self.known("inner") and self.known("outer"))
    @rule(
        name=names,
        successes=st.integers(0, 60),
        failures=st.integers(0, 6),
        image=st.sampled_from(["production", "laptop"]),
    )
    def use(self, name: str, successes: int, failures: int, image: str) -> None:
        for success in [True] * successes + [False] * failures:
            version = self.registry.tool(name)
            self.number += 1
            status = CallStatus.OK if success else CallStatus.ERROR
            is_trusted = version.image in ("", image)
            tier = version.tier if is_trusted else Tier.SANDBOX
            given = Use(
                version.digest, f"sha256:{self.number}", status, 0.1, self.registry.now(),
                tier=tier, image=image,
            )  # fmt: skip
            self.registry.record(given)
            self.counted[version.digest, version.since_use, version.tier, image] += is_trusted

    @precondition(lambda self: self.known("inner") and self.known("outer"))
    @rule(name=names)
    def promote(self, name: str) -> None:
        before = self.registry.tool(name)
        if before.tier is Tier.FULL or before.state is not State.ACTIVE:
            return
        step = self.registry.governance.promotion(name)
        if step.is_earned:
            assert self.registry.governance.promote(name, why="earned").tier > before.tier
        else:
            with pytest.raises(PromotionRefusedError):
                self.registry.governance.promote(name, why="earned")
            assert self.registry.tool(name) == before

    @precondition(lambda self: self.known("inner"))
    @rule(name=names, state=st.sampled_from(State))
    def move(self, name: str, state: State) -> None:
        if not self.known(name):
            return
        before = self.registry.tool(name).state
        if state is before or state in TRANSITIONS[before]:
            assert self.registry.set_state(name, state, why="a test").state is state
        else:
            with pytest.raises(RegistryError):
                self.registry.set_state(name, state, why="a test")

    @precondition(lambda self: self.known("inner"))
    @rule(name=names, tier=st.sampled_from([None, Tier.SANDBOX, Tier.RESTRICTED]))
    def demote(self, name: str, tier: Tier | None) -> None:
        if not self.known(name):
            return
        before = self.registry.tool(name)
        try:
            after = self.registry.governance.demote(name, tier, why="a test")
        except RegistryError:
            assert before.tier <= (tier or Tier.SANDBOX)
        else:
            assert after.tier <= before.tier

    @precondition(lambda self: self.known("inner"))
    @rule(name=names)
    def rollback(self, name: str) -> None:
        if not self.known(name):
            return
        before = self.registry.tool(name)
        if before.number == 1 or self.is_proposed(f"{name}@{before.number - 1}"):
            with pytest.raises(RegistryError):
                self.registry.governance.rollback(name, why="a test")
        else:
            after = self.registry.governance.rollback(name, why="a test")
            assert self.registry.tool(name) == after
            assert after.number == before.number - 1

    @precondition(lambda self: self.known("inner") and self.known("outer"))
    @invariant()
    def no_composite_above_its_part(self) -> None:
        if not self.is_proposed("inner"):
            assert self.registry.tool("outer").tier <= self.registry.tool("inner").tier

    @invariant()
    def only_active_versions_are_trusted(self) -> None:
        for tool in self.registry.tools():
            assert tool.state is State.ACTIVE or tool.tier is Tier.SANDBOX

    @invariant()
    def each_image_has_a_record_and_a_tier_is_of_one(self) -> None:
        for tool in self.registry.tools():
            in_sandbox = tool.tier is Tier.SANDBOX
            assert not (in_sandbox and tool.image)
            if tool.tier is Tier.FULL or tool.state is not State.ACTIVE:
                continue
            images = ["production", "laptop"] if in_sandbox else [tool.image]
            record = [
                self.counted[tool.digest, tool.since_use, tool.tier, image] for image in images
            ]
            uses = self.registry.governance.promotion(tool.ref).gates[0]
            assert (uses.name, uses.found) == ("uses", str(max(record)))

    @invariant()
    def the_trail_tells_it_all(self) -> None:
        assert verify(self.registry).ok

    def teardown(self) -> None:
        self.registry.close()
        self.folder.cleanup()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
