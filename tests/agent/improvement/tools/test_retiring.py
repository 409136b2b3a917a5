"""Tools that do not help are retired: those that the agent brought, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.agent.improvement.tools.retiring import TRIALS_UNUSED, unhelpful
from toolguild.policies import load_profile
from toolguild.registry import Registry, State, ToolSpec, ToolVersion
from toolguild.registry.audit import verify
from toolguild.registry.improvement import Change, ChangeKind, NewChange, ScoredRun

AGENT = "clerk"
RULES = load_profile().improvement
TRIAL = RULES.lesson_trial
UNUSED = TRIALS_UNUSED * TRIAL
START = datetime(2026, 11, 22, tzinfo=UTC)


def open_at(path: Path) -> Registry:
    """Open a registry on which a second goes by whenever somebody looks at its clock."""
    seconds = iter(range(1_000_000))
    return Registry.open(
        path, actor="a test", clock=lambda: START + timedelta(seconds=next(seconds))
    )


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with open_at(tmp_path / "tools.db") as registry:
        yield registry


def spec(name: str, *calls: str) -> ToolSpec:
    return ToolSpec(
        name,
        "Give something back.",
        f"def {name}(text: str) -> str:\n    return text\n",
        {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        {"type": "string"},
        calls=calls,
    )


def bring(registry: Registry, *names: str, agent: str = AGENT) -> tuple[Change, list[ToolVersion]]:
    """Register tools, and make the change that brings them."""
    versions = [registry.register(spec(name)).version for name in names]
    brings = tuple(version.digest for version in versions)
    change = NewChange(agent, ChangeKind.TOOLS, "a test", brings=brings)
    return registry.improvements.apply(change), versions


Work = Callable[..., list[ScoredRun]]


@pytest.fixture
def work(registry: Registry) -> Work:
    """Record runs that call a tool, or none; return all runs of the agent."""

    def work(count: int, *called: ToolVersion, score: float = 1.0) -> list[ScoredRun]:
        known = len(registry.improvements.runs(AGENT))
        for number in range(known, known + count):
            digests = tuple(version.digest for version in called)
            run = ScoredRun(AGENT, f"run-{number}", "a task", score, registry.now(), tools=digests)
            registry.improvements.record(run)
        return registry.improvements.runs(AGENT)

    return work


def retired(registry: Registry, runs: list[ScoredRun]) -> list[str]:
    """Return the tools that are to go, by name."""
    change = unhelpful(registry, AGENT, runs, RULES)
    digests = change.retires if change else ()
    return [one.spec.name for one in registry.tools() if one.digest in digests]


def test_a_tool_that_nobody_calls_is_retired_after_its_trial(registry, work):
    bring(registry, "echo")
    assert unhelpful(registry, AGENT, work(UNUSED - 1), RULES) is None
    change = unhelpful(registry, AGENT, work(1), RULES)
    assert change.kind is ChangeKind.TOOLS
    assert change.retires == (registry.tool("echo").digest,)
    assert change.evidence["retired"]["echo@1"] == {
        "why": "was not called",
        "runs_since": UNUSED,
        "uncalled": UNUSED,
    }
    made = registry.improvements.apply(change)
    assert registry.tool("echo").state is State.RETIRED
    assert unhelpful(registry, AGENT, work(0), RULES) is None
    registry.improvements.undo(made.number, why="a test")
    assert registry.tool("echo").state is State.ACTIVE
    verify(registry)


def test_runs_from_before_it_could_be_called_say_nothing_of_a_tool(registry, work):
    work(UNUSED)
    bring(registry, "echo")
    assert unhelpful(registry, AGENT, work(UNUSED - 1), RULES) is None
    registry.set_state("echo", State.RETIRED, why="a test")
    registry.governance.restore("echo", why="a test")
    assert unhelpful(registry, AGENT, work(1), RULES) is None


def test_one_call_in_the_trial_keeps_a_tool(registry, work):
    _, [echo] = bring(registry, "echo")
    work(UNUSED - 1)
    assert unhelpful(registry, AGENT, work(1, echo), RULES) is None


def test_a_tool_in_worse_runs_goes_and_the_runs_are_named(registry, work):
    _, [echo] = bring(registry, "echo")
    bad = [run.number for run in work(TRIAL, echo, score=0.0)]
    assert unhelpful(registry, AGENT, work(TRIAL - 1), RULES) is None
    change = unhelpful(registry, AGENT, work(1), RULES)
    assert change.retires == (echo.digest,)
    assert change.runs == tuple(bad)
    assert change.evidence["retired"]["echo@1"]["rate_with"] == round(1 / (TRIAL + 2), 4)
    assert change.evidence["retired"]["echo@1"]["rate_without"] == round(
        (TRIAL + 1) / (TRIAL + 2), 4
    )


@pytest.fixture(scope="module")
def one_tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, str]]:
    """A registry that nothing more is written to, and the digest of the tool that was brought."""
    with open_at(tmp_path_factory.mktemp("registry") / "tools.db") as registry:
        _, [echo] = bring(registry, "echo")
        yield registry, echo.digest


@given(with_it=st.integers(0, TRIAL), without=st.integers(0, TRIAL))
def test_a_tool_stays_exactly_where_its_runs_are_no_worse(one_tool, with_it, without):
    registry, digest = one_tool
    runs = [
        ScoredRun(AGENT, f"{tools}-{place}", "a task", float(place < good), later, tools=tools)
        for later in [START + timedelta(days=1)]
        for good, tools in [(with_it, (digest,)), (without, ())]
        for place in range(TRIAL)
    ]
    assert (unhelpful(registry, AGENT, runs, RULES) is None) == (with_it >= without)


def test_a_tool_that_stayed_in_quarantine_goes_and_comes_back_to_quarantine(registry, work):
    bring(registry, "echo")
    work(TRIAL)
    registry.governance.demote("echo", None, why="it is wrong")
    assert unhelpful(registry, AGENT, work(TRIAL - 1), RULES) is None
    change = unhelpful(registry, AGENT, work(1), RULES)
    assert change.evidence["retired"]["echo@1"]["why"] == "stayed in quarantine"
    made = registry.improvements.apply(change)
    assert registry.tool("echo").state is State.RETIRED
    registry.improvements.undo(made.number, why="a test")
    assert registry.tool("echo").state is State.QUARANTINED
    verify(registry)


def test_a_part_of_a_composite_in_use_stays_until_the_composite_is_gone(registry, work):
    bring(registry, "echo")
    registry.register(spec("shout", "echo"))
    runs = work(UNUSED)
    assert retired(registry, runs) == []
    registry.governance.retire("shout", why="a test")
    assert retired(registry, runs) == ["echo"]


def test_tools_of_others_are_never_retired(registry, work):
    registry.register(spec("by_hand"))
    bring(registry, "of_another", agent="other")
    bring(registry, "shared")
    bring(registry, "shared", agent="other")
    bring(registry, "own")
    assert retired(registry, work(UNUSED)) == ["own"]


def test_what_was_undone_is_not_judged_again(registry, work):
    change, _ = bring(registry, "echo")
    registry.improvements.undo(change.number, why="a test")
    assert unhelpful(registry, AGENT, work(UNUSED), RULES) is None
