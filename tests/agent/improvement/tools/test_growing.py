"""An agent's own traces become tools, which a change brings or nobody has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from shop_runs import AGENT, SHOP, keep, shop_attempt

from toolguild.agent.improvement.tools.growing import Grown, Workshop, grow
from toolguild.agent.stages import Catalog
from toolguild.policies import Profile, Tier, load_profile
from toolguild.registry import CallStatus, Registry, State, Toolbox
from toolguild.registry.audit import verify
from toolguild.registry.improvement import ChangeKind, ScoredRun
from toolguild.sandbox import Limits, Sandbox, ScriptedSandbox, open_sandbox
from toolguild.synth import Fate
from toolguild.synth.validation import ValidationSettings

SETTINGS = ValidationSettings(inputs=30, repeats=8, limits=Limits(wall_s=1.0))
GROWN = "get_customer_with_orders"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox("local", size=2) as sandbox:
        yield sandbox


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "tools.db", actor="a test") as registry:
        yield registry


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    return tmp_path / "traces"


@pytest.fixture
def worked(registry: Registry, traces: Path) -> list[ScoredRun]:
    """Four tasks that were done, with their traces."""
    return [work(registry, traces, task) for task in range(4)]


def work(registry: Registry, traces: Path, task: int, score: float = 1.0) -> ScoredRun:
    toolbox = Toolbox(registry, ScriptedSandbox(), SHOP)
    attempt = shop_attempt(toolbox, task, run=f"run-{task}", score=score)
    return keep(registry, attempt, traces, registry.now())


@pytest.fixture
def learn(registry: Registry, traces: Path, sandbox: Sandbox) -> Callable[..., Grown]:
    def learn(runs: list[ScoredRun] | None = None, *, within: Registry = registry) -> Grown:
        known = within.improvements.runs(AGENT) if runs is None else runs
        return grow(within, AGENT, traces, known, Workshop(sandbox, SETTINGS))

    return learn


def test_what_recurs_in_its_runs_becomes_a_tool_that_the_change_brings(registry, worked, learn):
    change = learn().change
    [version] = registry.tools()
    assert version.spec.name == GROWN
    assert (version.state, version.tier) == (State.ACTIVE, Tier.SANDBOX)
    assert change.kind is ChangeKind.TOOLS
    assert change.brings == (version.digest,)
    assert change.runs == tuple(run.number for run in worked)
    found = change.evidence["tools"][version.ref]
    assert found["cases"] + found["held_out"] == len(worked)
    assert change.evidence["opportunities"]["registered"] == 1
    made = registry.improvements.apply(change)
    assert [one.digest for _, one in registry.improvements.brought_tools(AGENT)] == [version.digest]
    assert registry.improvements.unclaimed_tools(AGENT) == []
    registry.improvements.undo(made.number, why="a test")
    assert registry.tool(GROWN).state is State.RETIRED
    assert learn().change is None
    verify(registry)


def test_a_cycle_that_died_before_its_change_is_made_good_by_the_next_one(registry, learn, worked):
    first = learn().change
    again = learn()
    assert [one.fate for one in again.made if one.ref] == [Fate.UNCHANGED]
    assert again.change.brings == first.brings
    assert again.change.runs == first.runs
    # Even where nothing can be read any more.
    assert learn([]).change.brings == first.brings


def test_tools_of_somebody_else_are_never_brought(registry, learn, worked, traces, sandbox):
    other = grow(registry, "other", traces, worked, Workshop(sandbox, SETTINGS))
    assert other.change is not None
    assert learn().change is None
    assert registry.improvements.unclaimed_tools(AGENT) == []


def test_runs_that_failed_teach_no_tool(registry, traces, learn):
    for task in range(4):
        work(registry, traces, task, score=0.0)
    assert learn() == Grown(None, (), ())
    assert registry.tools() == []


def test_a_file_in_the_place_of_a_trace_is_told_of_and_not_learned_from(
    registry, traces, learn, worked
):
    (traces / "run-0.json").write_bytes((traces / "run-1.json").read_bytes())
    (traces / "run-2.json").write_text("{")
    strange = replace(worked[3], run="../traces/run-3")
    grown = learn([*worked[:3], strange])
    assert grown.change is None
    told = " ".join(str(problem) for problem in grown.problems)
    assert "is not the trace of run run-0" in told
    assert "run-2.json" in told
    assert "run-3" not in told


def test_what_validation_rejects_brings_nothing(registry, traces, worked):
    in_no_sandbox_does_it_work = Workshop(ScriptedSandbox(), SETTINGS)
    grown = grow(registry, AGENT, traces, worked, in_no_sandbox_does_it_work)
    assert [one.fate for one in grown.made] == [Fate.REJECTED]
    assert grown.change is None
    assert registry.tools() == []


def test_a_tool_without_room_in_the_budget_waits_and_is_brought_all_the_same(
    tmp_path, traces, worked, learn
):
    tables = load_profile().tables()
    tables["trust"]["budget"] |= {"new_tools_a_cycle": 0}
    profile = Profile.of_tables("closed", tables)
    with Registry.open(tmp_path / "tools.db", profile=profile) as closed:
        change = learn(within=closed).change
        assert change.brings == (closed.tool(GROWN).digest,)
        assert closed.tool(GROWN).state is State.PROPOSED


def test_withdrawn_tools_are_gone_and_do_not_come_back(registry, learn, worked):
    change = learn().change
    registry.improvements.withdraw(change, why="no better on held-out tasks")
    assert registry.tool(GROWN).state is State.RETIRED
    assert learn().change is None
    registry.improvements.withdraw(change, why="twice changes nothing")
    verify(registry)


def test_an_agent_may_be_tried_with_what_a_change_brings_and_without(
    registry, learn, worked, sandbox
):
    change = learn().change
    with_it = Toolbox(registry, sandbox, SHOP)
    without = Toolbox(registry, sandbox, SHOP, without=change.brings)
    assert {GROWN} == Catalog.of(with_it).keys() - Catalog.of(without).keys()
    given = {"email": "u2@shop.example"}
    assert with_it.call(GROWN, given).status is CallStatus.OK
    assert without.call(GROWN, given).status is CallStatus.REFUSED


def test_tools_of_a_change_that_was_made_are_not_withdrawn(registry, learn, worked):
    change = learn().change
    registry.improvements.apply(change)
    registry.improvements.withdraw(change, why="too late")
    assert registry.tool(GROWN).state is State.ACTIVE
