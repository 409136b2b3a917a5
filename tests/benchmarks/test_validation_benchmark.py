"""The logic of the benchmark of validation: its equivalents, its adversary, its witnesses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

import toolguild
from toolguild.sandbox import Sandbox, open_sandbox
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place

faults = pytest.importorskip("benchmarks.validation.faults", reason="run in the repository only")

from benchmarks.validation import rewriting, side_by_side, tools  # noqa: E402
from benchmarks.validation.proposer import KINDS, PER_KIND, BadTool, candidates, propose  # noqa: E402

_BESIDE = Path(toolguild.__file__).resolve().parent.parent / "shared"
SHARED = Path(os.environ.get("TOOLGUILD_SHARED", _BESIDE))

SQUARE = '''\
def square(n: int) -> int:
    """Multiply `n` by itself; returns the product."""
    result = n * n
    return result
'''


def case(number: int, value: int) -> Case:
    return Case({"n": number}, value, None, (), str(number), Place("written.jsonl", 1))


@pytest.fixture(scope="module")
def local() -> Iterator[Sandbox]:
    with open_sandbox("local") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def square() -> Draft:
    return draft_from_text(SQUARE, [case(3, 9), case(5, 25)])


@pytest.fixture(scope="module")
def real(local: Sandbox) -> list[tools.RealTool]:
    if not (SHARED / "traces").is_dir():
        pytest.skip(f"no traces in {SHARED}; set TOOLGUILD_SHARED to where they are")
    with ThreadPoolExecutor(2) as executor:
        return tools.drafted_tools(local, executor, 45)


@pytest.fixture(scope="module")
def bad_tools(real: list[tools.RealTool], local: Sandbox) -> list[BadTool]:
    with ThreadPoolExecutor(2) as executor:
        return propose([tool.draft for tool in real], local, executor, per_kind=2)


def test_there_are_twenty_kinds_of_which_twenty_five_are_handed_in() -> None:
    assert (len(KINDS), PER_KIND) == (20, 25)


@pytest.mark.traces
@pytest.mark.parametrize("kind", KINDS)
def test_the_real_tools_give_room_for_every_kind(real: list[tools.RealTool], kind: str) -> None:
    # Many more than are wanted, for some turn out to do no harm.
    room = islice(candidates(kind, [tool.draft for tool in real]), 2 * PER_KIND)
    assert len({attempt.source for _, attempt in room}) == 2 * PER_KIND


@pytest.mark.traces
def test_so_many_bad_tools_of_every_kind_come_as_are_asked_for(bad_tools: list[BadTool]) -> None:
    assert Counter(bad.kind for bad in bad_tools) == dict.fromkeys(KINDS, 2)


def test_too_few_good_tools_for_the_bad_ones_are_an_error(square: Draft, local: Sandbox) -> None:
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(ValueError, match="only 0 bad tools of the kind 'wrong for one rare input'"),
    ):
        propose([], local, executor)
    assert not list(candidates("wrong beyond ASCII", [square]))


@pytest.mark.traces
@pytest.mark.parametrize("kind", KINDS)
def test_the_witness_of_a_bad_tool_shows_nothing_in_the_good_one(
    bad_tools: list[BadTool], local: Sandbox, kind: str
) -> None:
    bad = next(one for one in bad_tools if one.kind == kind)
    good = bad.good.source
    assert side_by_side.is_shown(bad.good, bad.source, bad.arguments, bad.probe, local)
    assert not side_by_side.is_shown(bad.good, good, bad.arguments, bad.probe, local)


@pytest.mark.traces
def test_a_bad_tool_is_the_good_one_but_for_its_text(bad_tools: list[BadTool]) -> None:
    for bad in bad_tools:
        assert bad.draft != bad.good
        assert replace(bad.draft, source=bad.good.source) == bad.good


def test_every_equivalent_says_what_and_why() -> None:
    assert all(one.why.endswith(".") for one in faults.equivalents().values())


@pytest.mark.traces
def test_every_equivalent_is_a_change_that_can_be_made(real: list[tools.RealTool]) -> None:
    known = faults.equivalents()
    made = {fault.id: fault.tool.name for fault in faults.seeded(real, of_one_tool=400)}
    named = {one.id: one.tool for one in known.values() if one.tool in {t.name for t in real}}
    assert named.keys() <= made.keys()
    assert all(made[id] == tool for id, tool in named.items())


@pytest.mark.parametrize(
    "text",
    [
        '[[equivalent]]\nid = "a"\ntool = "t"\nchange = "c"\nwhy = ""\n',
        '[[equivalent]]\nid = "a"\ntool = "t"\nchange = "c"\n',
        2 * '[[equivalent]]\nid = "a"\ntool = "t"\nchange = "c"\nwhy = "w."\n',
    ],
)
def test_an_equivalent_without_a_reason_or_twice_is_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"an entry has|twice"):
        faults.equivalents(path)


def test_the_id_of_a_fault_does_not_depend_on_words_and_types(square: Draft) -> None:
    other = square.source.replace("n: int", "n: float").replace("the product", "what comes of it")
    first, second = (
        {fault.id for fault in faults.seeded([tools.RealTool(one, "", "")])}
        for one in (square, replace(square, source=other))
    )
    assert first
    assert first == second


def test_what_is_known_to_be_equivalent_is_no_fault_that_was_missed(
    square: Draft, local: Sandbox
) -> None:
    seeded = faults.seeded([tools.RealTool(square, "", "")])
    same = seeded[0].mutant
    harmless = replace(seeded[0], mutant=replace(same, source=rewriting.reworded(square.source)))
    known = {harmless.id: faults.Equivalent(harmless.id, "square", "names", "It does the same.")}
    with ThreadPoolExecutor(1) as executor:
        judged = faults.judge([harmless, *seeded[1:]], known, local, executor)
    assert judged[0].refused_by == ()
    assert judged[0].equivalent is known[harmless.id]
    assert all(one.refused_by and one.equivalent is None for one in judged[1:])


def test_a_search_finds_the_one_input_that_differs(square: Draft, local: Sandbox) -> None:
    other = square.source.replace("n * n", "n * n if n != 17 else 0")
    inputs = side_by_side.inputs_of(square, 400, 1)
    found = side_by_side.search(square, other, inputs, local)
    assert found is not None
    assert found.arguments == {"n": 17}


def test_a_search_finds_nothing_between_two_wordings(square: Draft, local: Sandbox) -> None:
    other = rewriting.reworded(square.source)
    assert "result_here" in other
    inputs = side_by_side.inputs_of(square, 400, 1)
    assert side_by_side.search(square, other, inputs, local) is None


def test_tools_that_differ_in_names_only_have_one_shape() -> None:
    assert tools.shape(SQUARE) != tools.shape(SQUARE.replace("n * n", "n + n"))
    assert tools.shape("def f(a):\n    b = a\n    return b") == tools.shape(
        "def g(x):\n    y = x\n    return y"
    )
