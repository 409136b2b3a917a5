"""What drafting learns from a validation that failed."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import Any, TypeAlias

from toolguild.sandbox import Limits, Sandbox
from toolguild.synth.drafting import Case, Domain
from toolguild.synth.lessons import Known, learn
from toolguild.synth.mining import MiningSettings
from toolguild.synth.proving import Proof, prove
from toolguild.synth.validation import CheckName, ValidationSettings, validate

Writer: TypeAlias = Any
SETTINGS = ValidationSettings(inputs=40, repeats=10, mutants=0, limits=Limits(wall_s=1.0))


def proof(writer: Writer, sandbox: Sandbox, function: str, *runs: tuple[str, str]) -> Proof:
    steps = [writer.code(dedent(function)), *(writer.code(*run) for run in runs)]
    traces = [writer.trace(f"task{number}", *steps) for number in range(2)]
    (found,) = writer.repeated_code(traces, MiningSettings(statements_support=9))
    return prove(found, sandbox, SETTINGS)


COUNT = """
    def count(words, seen):
        for word in words:
            seen[word] = seen.get(word, 0) + 1
        return seen
"""


def test_a_tool_works_on_copies_of_what_its_code_changes(writer: Writer, local: Sandbox) -> None:
    proven = proof(writer, local, COUNT, ("print(count(['a', 'b'], {'a': 1}))", "{'a': 2, 'b': 1}"))
    assert proven.passed, proven.report and proven.report.reasons
    assert proven.draft is not None
    assert "seen = deepcopy(seen)" in proven.draft.source
    assert "words = " not in proven.draft.source
    assert "from copy import deepcopy" in proven.draft.source


def test_the_copy_takes_a_name_that_is_free(writer: Writer, local: Sandbox) -> None:
    function = COUNT.replace("word", "deepcopy")
    proven = proof(
        writer, local, function, ("print(count(['a', 'b'], {'a': 1}))", "{'a': 2, 'b': 1}")
    )
    assert proven.passed, proven.report and proven.report.reasons
    assert proven.draft is not None
    assert "seen = deepcopy_2(seen)" in proven.draft.source


SCALE = "def scale(value):\n    return value * 3 - len(str(value)) * 0"
RUNS = [(f"print(scale({n}))", str(3 * n)) for n in (1, 2, 4, 5)]


def test_a_held_out_case_that_is_wrong_is_not_learnt_from(writer: Writer, local: Sandbox) -> None:
    proven = proof(
        writer,
        local,
        SCALE,
        *RUNS,
    )
    assert proven.passed
    assert proven.draft is not None
    (unseen,) = proven.draft.held_out
    wrong = replace(unseen, value=-1)
    draft = replace(proven.draft, held_out=(wrong,))
    report = validate(draft, local, SETTINGS)
    assert [check.name for check in report.checks if check.passed is False] == [CheckName.HELD_OUT]
    assert learn(draft, report, Known(draft.cases, draft.held_out)) is None


def test_one_that_the_schemas_are_too_narrow_for_is_shown(writer: Writer, local: Sandbox) -> None:
    proven = proof(
        writer,
        local,
        SCALE,
        *RUNS,
    )
    assert proven.draft is not None
    (unseen,) = proven.draft.held_out
    odd: Case = replace(unseen, arguments={"value": 0.5}, value=1.5)
    draft = replace(proven.draft, held_out=(odd, unseen))
    report = validate(draft, local, SETTINGS)
    learned = learn(draft, report, Known(draft.cases, draft.held_out))
    assert learned == Known((*draft.cases, odd), (unseen,), Domain())
