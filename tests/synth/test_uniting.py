"""Several tools become one only where a model's is proven to do what each of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from general_tools import (
    AS_LARGEST,
    AS_TOP3,
    GENERAL,
    changed,
    general,
    given,
    grouped,
    run_of_largest,
    run_of_top3,
    use,
)
from model_server import Script, Server, data_of

from toolguild.sandbox import JsonObject, Limits, Sandbox
from toolguild.synth.authoring import Author
from toolguild.synth.drafting import Case, Draft, OriginalTools
from toolguild.synth.models import Model, ModelSettings
from toolguild.synth.proving import Proof, prove
from toolguild.synth.uniting import united
from toolguild.synth.validation import CheckName, ValidationReport, ValidationSettings, validate

Writer: TypeAlias = Any
Unite: TypeAlias = Callable[..., list[Proof]]

SETTINGS = ValidationSettings(inputs=40, repeats=5, crowd=250, mutants=0, limits=Limits(wall_s=1.0))
ITEMS = given("items", "items")
SIGNS = """
def signs(items):
    return ["-" if item < 0 else "+" for item in items]
"""


LOW3 = """
def low3(items):
    kept = []
    for item in sorted(items):
        if len(kept) < 3:
            kept.append(item)
    return kept
"""


def run_of_low3(number: int) -> tuple[str, str]:
    items = [(number * 5 + place * 3) % 19 for place in range(5)]
    return f"{LOW3}\nprint(low3({items}))", f"{sorted(items)[:3]}\n"


def run_of_signs(number: int) -> tuple[str, str]:
    items = [number, -number - 1]
    return f"{SIGNS}\nprint(signs({items}))", "['+', '-']\n"


@pytest.fixture(scope="module")
def proofs(writer: Writer, local: Sandbox) -> list[Proof]:
    """Tools that passed: `largest`, `top3`, `signs` and `low3`, in this order."""

    def proof(name: str, run: Callable[[int], tuple[str, str]], runs: int) -> Proof:
        traces = [writer.trace(f"{name}{n}", writer.code(*run(n))) for n in range(runs)]
        [found] = [one for one in writer.repeated_code(traces) if one.kind == "definition"]
        return prove(found, local, SETTINGS, name)

    made = [
        proof("largest", run_of_largest, 9),
        proof("top3", run_of_top3, 8),
        proof("signs", run_of_signs, 4),
        proof("low3", run_of_low3, 6),
    ]
    assert all(one.passed for one in made)
    return made


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.by_role = {"group": [grouped(["t1", "t2"])], "generalise": [general()]}
    yield server
    server.close()


@pytest.fixture
def troubles() -> list[str]:
    return []


@pytest.fixture
def unite(server: Server, local: Sandbox, troubles: list[str]) -> Unite:
    """Unite proofs with the model behind the server."""

    def judge(draft: Draft) -> ValidationReport:
        return validate(draft, local, SETTINGS)

    def unite(proofs: Sequence[Proof], *, can_be_registered: bool = True) -> list[Proof]:
        settings = ModelSettings(name="some-model", base_url=server.url)
        with ThreadPoolExecutor(2) as executor, Model(settings) as model:
            author = Author(model)
            may = lambda draft: can_be_registered  # noqa: E731
            return united(proofs, author, judge, may, executor, troubles.append)

    return unite


def test_one_tool_stands_for_both_and_has_the_name_of_the_one_with_more_support(
    proofs: list[Proof], unite: Unite
) -> None:
    largest, top3, *others = unite(proofs)
    assert largest.passed
    assert largest.draft and largest.report
    assert largest.draft.name == "largest"
    assert isinstance(largest.draft.original, OriginalTools)
    assert (top3.served_by, top3.passed) == ("largest", False)
    assert others == proofs[2:]
    # All that any of them was made from, and all that any of them held out.
    assert largest.report.held_out == sum(
        len(one.draft.held_out) for one in proofs[:2] if one.draft
    )
    assert largest.report.cases == sum(len(one.draft.cases) for one in proofs[:2] if one.draft)
    assert len(largest.opportunity.everywhere) == 17


ORDERED = '''
from typing import Literal

def top3(items: list[int], order: Literal["down", "up", "hidden"] = "hidden") -> list[int]:
    """Return three numbers of a list: in the given order of items, the first."""
    if order == "hidden":
        return []
    return sorted(items, reverse=order == "down")[:3]
'''


def ordered(*, low3: str = "up") -> Script:
    down, up = given("order", None, "down"), given("order", None, low3)
    return general(ORDERED, use("top3", ITEMS, down), use("low3", ITEMS, up))


def test_what_no_member_gives_is_not_let_in(
    proofs: list[Proof], unite: Unite, server: Server
) -> None:
    server.by_role = {"group": [grouped(["t2", "t4"])], "generalise": [ordered()]}
    draft = unite(proofs)[1].draft
    assert draft
    assert draft.name == "top3"
    properties, required = draft.parameters["properties"], draft.parameters["required"]
    assert isinstance(properties, dict)
    assert properties["order"] == {"enum": ["down", "up"]}
    assert required == ["items", "order"]


def test_what_it_fails_on_is_told_as_calls_of_the_general_tool(
    proofs: list[Proof], unite: Unite, server: Server
) -> None:
    wrong = use("top3", given("items", "items"), given("count", None, 2))
    server.by_role["generalise"] = [general(GENERAL, AS_LARGEST, wrong), general()]
    assert unite(proofs)[0].draft != proofs[0].draft
    failure, held_out = data_of(server.asked("generalise")[1])["failures"]
    assert failure["check"] == "recorded results"
    assert failure["examples"][0]["arguments"]["count"] == 2
    assert held_out == {"check": "held-out occurrences", "detail": "other recorded results differ"}


def learnt(proofs: Sequence[Proof]) -> Script:
    """Return a tool that knows what it was shown, and nothing else."""
    draft_of_largest, draft_of_top3 = proofs[0].draft, proofs[1].draft
    assert draft_of_largest and draft_of_top3
    known = {str([*one.arguments.values()]): one.value for one in draft_of_largest.cases}
    known |= {str([one.arguments["items"], 3]): one.value for one in draft_of_top3.cases}
    return changed("sorted(items, reverse=True)[: max(count, 0)]", f"{known}[str([items, count])]")


def test_what_is_held_out_decides_and_is_not_told(
    proofs: list[Proof], unite: Unite, server: Server
) -> None:
    server.by_role["generalise"] = [learnt(proofs)]
    assert unite(proofs) == proofs
    [failure] = data_of(server.asked("generalise")[1])["failures"]
    assert failure == {"check": "held-out occurrences", "detail": "other recorded results differ"}


def test_it_is_told_of_ids_that_there_are_not(
    proofs: list[Proof], unite: Unite, server: Server, troubles: list[str]
) -> None:
    server.by_role["group"] = [grouped(["t1", "t9"]), grouped(["t1", "t2"])]
    assert unite(proofs)[1].served_by == "largest"
    assert "There is no tool 't9'" in server.asked("group")[1]["messages"][-1]["content"]
    assert troubles == []


def test_a_group_that_cannot_explain_more_is_not_asked_for(
    proofs: list[Proof], unite: Unite, server: Server
) -> None:
    assert proofs[1].draft
    nothing_held_out = replace(proofs[1], draft=replace(proofs[1].draft, held_out=()))
    given_proofs = [proofs[0], nothing_held_out]
    assert unite(given_proofs) == given_proofs
    assert server.asked("generalise") == []


def test_a_tie_is_the_deterministic_tool_s(
    proofs: list[Proof], unite: Unite, server: Server
) -> None:
    """Where what one holds out was seen by another, nothing more is explained."""
    assert proofs[0].draft and proofs[1].draft

    def as_largest(case: Case) -> Case:
        return replace(case, arguments={**case.arguments, "count": 3})

    shared = tuple(map(as_largest, proofs[1].draft.cases[:2]))
    largest = replace(proofs[0], draft=replace(proofs[0].draft, held_out=shared))
    assert unite([largest, proofs[1]]) == [largest, proofs[1]]
    assert len(server.asked("generalise")) == 1


def test_what_the_registry_would_refuse_takes_no_place(proofs: list[Proof], unite: Unite) -> None:
    assert unite(proofs, can_be_registered=False) == proofs


def test_one_tool_alone_asks_nobody(proofs: list[Proof], unite: Unite, server: Server) -> None:
    assert unite(proofs[:1]) == proofs[:1]
    assert server.requests == []


def test_a_model_that_is_down_is_told_once_and_changes_nothing(
    proofs: list[Proof], unite: Unite, server: Server, troubles: list[str]
) -> None:
    server.by_role["group"] = [Script(status=401, body=b"{}")]
    assert unite(proofs) == proofs
    assert len(troubles) == 1


def calling(text: str) -> Script:
    return changed("    return", f"    {text}\n    return")


def with_top3(*arguments: JsonObject) -> Script:
    return general(GENERAL, AS_LARGEST, use("top3", *arguments))


GROUPS = {
    "no group": grouped(),
    "prose": Script("They all look alike to me."),
    "unknown id": grouped(["t1", "t9"]),
    "an id twice": grouped(["t1", "t1"]),
    "in two groups": grouped(["t1", "t2"], ["t2", "t3"]),
    "a group of one": grouped(["t1"]),
    "unrelated tools": grouped(["t2", "t3"], ["t1", "t4"]),
    "a number": Script("7"),
}
TOOLS = {
    "declines": Script(refusal="No."),
    "a list": Script("[]"),
    "no tool": general("largest = sorted\n"),
    "no Python": general("def largest(:\n"),
    "another name": changed("def largest", "def top3"),
    "a member left out": general(GENERAL, AS_LARGEST),
    "an unknown member": general(GENERAL, AS_LARGEST, AS_TOP3, use("signs", ITEMS)),
    "a member twice": general(GENERAL, AS_LARGEST, AS_LARGEST),
    "an unknown parameter of a member": with_top3(given("items", "rows"), given("count", None, 3)),
    "a parameter left out": with_top3(ITEMS),
    "a parameter twice": with_top3(ITEMS, ITEMS, given("count", None, 3)),
    "a parameter too many": with_top3(ITEMS, given("count", None, 3), given("order", None, 1)),
    "the wrong constant": with_top3(ITEMS, given("count", None, 2)),
    "a constant of another type": with_top3(ITEMS, given("count", None, "3")),
    "a constant for a parameter": general(
        GENERAL, use("largest", ITEMS, given("count", None, 2)), AS_TOP3
    ),
    "the same constant for all": changed(
        "count: int)",
        "count: int, order: str)",
        *(
            use(one["member"], *one["arguments"], given("order", None, "down"))
            for one in (AS_LARGEST, AS_TOP3)
        ),
    ),
    "right for one member only": changed("max(count, 0)", "3"),
    "right for the other only": changed("max(count, 0)", "count if count != 3 else 2"),
    "wrong for one number": changed("max(count, 0)", "max(count, 0) if count != 17 else 1"),
    "an exception of its own": calling("if count < 0: raise ValueError('count is negative')"),
    "two ways at once": changed(
        "count: int)",
        "count: int, order: str)",
        use("largest", *AS_LARGEST["arguments"], given("order", None, "any")),
        use("top3", *AS_TOP3["arguments"], given("order", None, "down")),
    ),
    "reads files": calling("open('/etc/passwd').read()"),
    "calls a tool": calling("call_tool('delete_all', {})"),
    "walks to builtins": calling("().__class__.__base__"),
    "keeps state": general(
        GENERAL.replace("\ndef", "\n_seen = []\n\ndef")
        .replace("    return", "    _seen.append(count)\n    return")
        .replace("max(count, 0)", "max(count, 0) + (len(_seen) > 50)")
    ),
    "changes its arguments": calling("items.sort()"),
    "endless at times": calling("while count == 17:\n        pass"),
    "prints": calling("print(items)"),
}


@pytest.mark.parametrize("way", [*GROUPS, *TOOLS])
def test_a_bad_answer_changes_nothing(
    proofs: list[Proof], unite: Unite, server: Server, way: str
) -> None:
    if way in GROUPS:
        server.by_role["group"] = [GROUPS[way]]
    else:
        server.by_role["generalise"] = [TOOLS[way]]
    assert unite(proofs) == proofs
    assert server.requests


def test_the_check_of_members_is_part_of_the_report(proofs: list[Proof], unite: Unite) -> None:
    report = unite(proofs)[0].report
    assert report
    [check] = [one for one in report.checks if one.name is CheckName.MEMBERS]
    assert check.passed
    assert check.detail == "does what each of 2 tools does, on 80 inputs of theirs"
