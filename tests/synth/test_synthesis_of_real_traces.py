"""What synthesis makes of the real traces beside the repository."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.registry import Registry
from toolguild.sandbox import Program, Sandbox
from toolguild.synth.mining import (
    MiningSettings,
    Opportunity,
    RepeatedCode,
    RepeatedSequence,
    saving_of,
    support_of,
)
from toolguild.synth.plans import CallStep, FromItem, FromResult, LoopStep, Parameter
from toolguild.synth.synthesis import Fate, Synthesized, mine, synthesize
from toolguild.synth.validation import validate
from toolguild.synth.validation.recordings import RecordedTools

pytestmark = pytest.mark.traces


def synthesized(
    opportunities: Sequence[Opportunity], sandbox: Sandbox, folder: Path
) -> list[Synthesized]:
    with (
        Registry.open(folder / "tools.db", actor="tester") as registry,
        ThreadPoolExecutor(2) as executor,
    ):
        return list(synthesize(opportunities, registry, sandbox, executor))


@pytest.fixture(scope="module")
def airline(
    real_traces: Path, local: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> list[Synthesized]:
    mined = mine([real_traces / "tau-bench-airline" / "trajectories.json"])
    return synthesized(mined.opportunities, local, tmp_path_factory.mktemp("airline"))


@pytest.fixture(scope="module")
def mint(
    real_traces: Path, local: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Synthesized]]:
    mined = mine([real_traces / "mint"])
    yield synthesized(mined.opportunities, local, tmp_path_factory.mktemp("mint"))


def test_the_reservations_of_a_user_are_one_tool(airline: list[Synthesized]) -> None:
    loop = (
        CallStep("get_user_details", (("user_id", Parameter("user_id")),)),
        LoopStep(
            "get_reservation_details",
            FromResult(0, ("reservations",)),
            (("reservation_id", FromItem(())),),
        ),
    )
    taking_users = [
        one
        for one in airline
        if isinstance(one.proof.opportunity, RepeatedSequence)
        and one.proof.opportunity.plan[0] == loop[0]
    ]
    (tool,) = taking_users
    opportunity = tool.proof.opportunity
    assert isinstance(opportunity, RepeatedSequence)
    assert opportunity.plan == loop
    assert tool.fate is Fate.REGISTERED
    assert len(opportunity.everywhere) >= 16
    assert support_of(opportunity.everywhere) >= 8
    assert support_of(opportunity.held_out) == 2
    assert tool.proof.report is not None
    assert tool.proof.report.cases == len(opportunity.occurrences)


def test_no_airline_tool_writes_after_the_user_spoke(airline: list[Synthesized]) -> None:
    for one in airline:
        opportunity = one.proof.opportunity
        assert isinstance(opportunity, RepeatedSequence)
        for occurrence in opportunity.everywhere:
            writes = [call for call in occurrence.calls[1:] if not call.tool.startswith(READING)]
            assert not any(call.heard for call in writes)


READING = ("get_", "search_", "list_", "calculate")


def test_every_occurrence_of_every_airline_tool_is_replayed(
    airline: list[Synthesized], local: Sandbox
) -> None:
    for one in airline:
        draft = one.proof.draft
        assert draft is not None
        cases = (*draft.cases, *draft.held_out)
        assert len(cases) == len(one.proof.opportunity.everywhere)
        for case in cases:
            tools = RecordedTools(case.calls)
            program = Program(draft.source, draft.name)
            outcome = local.run(program, case.arguments, tier=Tier.SANDBOX, tools=tools)
            assert (outcome.value, tools.unrecorded) == (case.value, [])


def test_the_functions_that_agents_keep_writing_are_registered(mint: list[Synthesized]) -> None:
    registered = {one.name for one in mint if one.fate is Fate.REGISTERED}
    assert {"is_prime", "gcd", "factorial"} <= registered


def test_the_check_that_agents_keep_writing_is_registered(mint: list[Synthesized]) -> None:
    (check,) = [one for one in mint if one.name == "check_equal"]
    assert check.fate is Fate.REGISTERED
    opportunity = check.proof.opportunity
    assert isinstance(opportunity, RepeatedCode)
    assert opportunity.parameters == ("got", "expected")
    assert support_of(opportunity.occurrences) >= 100


WORK = (
    *(ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Call, ast.Subscript, ast.IfExp, ast.If),
    *(ast.AugAssign, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


def test_no_registered_tool_is_trivial(mint: list[Synthesized]) -> None:
    for one in mint:
        if one.fate is Fate.REGISTERED:
            assert one.proof.draft is not None
            nodes = list(ast.walk(ast.parse(one.proof.draft.source)))
            loops = any(isinstance(node, ast.For | ast.While) for node in nodes)
            opportunity = one.proof.opportunity
            assert isinstance(opportunity, RepeatedCode)
            if opportunity.kind == "check":
                # Small, and worth it for its message alone.
                saving = saving_of(opportunity.occurrences).characters
                assert saving > len(opportunity.source), one.name
                continue
            # A loop of two operations can be Euclid's; a line of two is not worth a tool.
            assert loops or sum(isinstance(node, WORK) for node in nodes) >= 5, one.name


def test_no_two_tools_share_a_name(airline: list[Synthesized], mint: list[Synthesized]) -> None:
    for done in (airline, mint):
        names = [one.name for one in done if one.fate is Fate.REGISTERED]
        assert len(set(names)) == len(names)


def test_every_registered_tool_passes_its_validation_again(
    mint: list[Synthesized], local: Sandbox
) -> None:
    for one in mint:
        if one.fate is Fate.REGISTERED:
            assert one.proof.draft is not None
            assert validate(one.proof.draft, local) == one.proof.report


def test_mining_does_not_depend_on_the_order_of_files(real_traces: Path) -> None:
    files = sorted((real_traces / "mint" / "gpt-4-0613").rglob("*.json*"))
    settings = MiningSettings(max_opportunities=5)
    forth, back = (mine(order, settings=settings) for order in (files, files[::-1]))
    assert forth.opportunities == back.opportunities
