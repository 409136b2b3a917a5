"""Drafts that touch files: what their runs are given, and that they do no more than they show.

The sandbox is scripted, so that each run does what the test wants it to have done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from toolguild.policies import Capability, Tier
from toolguild.sandbox import (
    Access,
    FileChange,
    Json,
    JsonObject,
    Mount,
    Outcome,
    ScriptedRun,
    ScriptedSandbox,
    Status,
)
from toolguild.sandbox.access import NOTHING
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place
from toolguild.synth.validation import Check, CheckName, ValidationReport, inferred_needs, validate

READ, WRITE, NETWORK = Capability.READ, Capability.WRITE, Capability.NETWORK
Answer: TypeAlias = Callable[[ScriptedRun], Outcome]

TEXT = '''
def size(path: str) -> int:
    """Do something with a file.

    Args:
        path: Where it is.

    Returns:
        How many characters there are.
    """
    {body}
'''
READS = "with open(path) as file:\n        return len(file.read())"
WRITES = 'with open(path, "w") as file:\n        return file.write("x")'
PURE = "return len(path)"


def draft(body: str, *known: Mapping[str, str]) -> Draft:
    cases = [
        Case({**one}, 1, None, (), "task", Place("log", number))
        for number, one in enumerate(known, 1)
    ]
    return draft_from_text(TEXT.format(body=body), cases)


def judged(
    body: str, answer: Answer, *known: Mapping[str, str], access: Access = NOTHING
) -> tuple[ValidationReport, list[ScriptedRun]]:
    sandbox = ScriptedSandbox(answer)
    return validate(draft(body, *known), sandbox, access=access), sandbox.runs


def the(report: ValidationReport, name: CheckName) -> Check:
    [check] = [check for check in report.checks if check.name is name]
    return check


def failed(report: ValidationReport) -> list[CheckName]:
    return [check.name for check in report.checks if check.passed is False]


def one(run: ScriptedRun) -> Outcome:
    return Outcome(Status.OK, _ones(run))


def _ones(run: ScriptedRun) -> Json:
    """Return what a program tells that gives 1: for each input, where it is given many at once."""
    inputs = run.arguments.get("inputs")
    if not isinstance(inputs, list):
        return 1
    return [{"value": 1, "arguments": given} for given in inputs]


@pytest.mark.parametrize(("body", "needs"), [(PURE, set()), (READS, {READ}), (WRITES, {WRITE})])
def test_every_run_gets_what_the_text_shows_that_it_needs(
    tmp_path: Path, body: str, needs: set[Capability]
) -> None:
    access = Access((Mount(tmp_path, "/data"),), tmp_path)
    report, runs = judged(body, one, {"path": "a.txt"}, access=access)
    assert failed(report) == []
    assert {run.program.needs for run in runs} == {frozenset(needs)}
    assert {run.tier for run in runs} == {Tier.SANDBOX}
    assert {run.access for run in runs} == {access}
    assert inferred_needs(draft(body).source) == needs


def test_a_text_that_uses_the_network_is_refused_before_it_runs() -> None:
    body = "import urllib.request\n    return len(urllib.request.urlopen(path).read())"
    report, runs = judged(body, one)
    assert failed(report) == [CheckName.STATIC]
    assert "needs the capability network" in report.reasons[0]
    assert runs == []


# -- no undeclared effect


def test_an_effect_that_the_text_does_not_show_fails_with_the_input_that_showed_it() -> None:
    def answer(run: ScriptedRun) -> Outcome:
        long = len(str(run.arguments["path"])) > 12
        return Outcome(Status.OK, 1, effects=frozenset({READ, WRITE} if long else {READ}))

    report, _ = judged(READS, answer)
    assert failed(report) == [CheckName.EFFECTS]
    [counterexample] = the(report, CheckName.EFFECTS).counterexamples
    assert len(str(counterexample.arguments["path"])) > 12
    assert counterexample.expected == "no effect but read"
    assert counterexample.observed == "uses write"
    [reason] = report.reasons
    assert reason.startswith("no undeclared effect: uses write, which its text does not show, for ")


def test_it_fails_although_the_run_failed_too_and_in_whichever_run() -> None:
    seen: list[JsonObject] = []

    def second_time(run: ScriptedRun) -> Outcome:
        again = run.arguments in seen
        seen.append(run.arguments)
        return Outcome(Status.OK, _ones(run), effects=frozenset({NETWORK} if again else ()))

    report, _ = judged(PURE, second_time)
    assert failed(report) == [CheckName.EFFECTS]

    def asks(run: ScriptedRun) -> Outcome:
        return Outcome(Status.ERROR, error="PermissionError: no", effects=frozenset({WRITE}))

    report, _ = judged(PURE, asks)
    assert failed(report) == [CheckName.GENERATED, CheckName.EFFECTS]
    report, _ = judged(PURE, asks, {"path": "recorded"})
    assert failed(report) == [CheckName.REPLAY, CheckName.EFFECTS]
    [counterexample] = the(report, CheckName.EFFECTS).counterexamples
    assert counterexample.arguments == {"path": "recorded"}


def test_effects_that_the_text_shows_pass() -> None:
    def answer(run: ScriptedRun) -> Outcome:
        return Outcome(Status.OK, 1, effects=frozenset({WRITE}))

    report, _ = judged(WRITES, answer)
    assert failed(report) == []
    assert the(report, CheckName.EFFECTS).detail == "write as its text shows"
    assert the(judged(PURE, one)[0], CheckName.EFFECTS).detail == "none seen"


# -- generated inputs and determinism, with files


def missing_but(*names: str) -> Answer:
    def answer(run: ScriptedRun) -> Outcome:
        path = run.arguments.get("path")
        if path in names:
            return Outcome(Status.OK, 1)
        if "\0" in str(path):
            return Outcome(Status.ERROR, error="ValueError: embedded null byte")
        return Outcome(Status.ERROR, error="FileNotFoundError: no such file")

    return answer


def test_a_file_that_is_not_there_is_no_fault_of_the_tool() -> None:
    report, _ = judged(READS, missing_but("a.txt"), {"path": "a.txt"})
    assert failed(report) == []
    assert the(report, CheckName.GENERATED).detail.endswith(" of them with no such file")


def test_a_tool_that_finds_no_file_at_all_is_not_proven() -> None:
    report, _ = judged(READS, missing_but())
    assert failed(report) == [CheckName.GENERATED]


def test_a_tool_without_files_has_no_such_excuse() -> None:
    report, _ = judged(PURE, missing_but("a.txt"), {"path": "a.txt"})
    assert failed(report) == [CheckName.GENERATED]


def test_other_files_the_second_time_are_not_deterministic() -> None:
    count = 0

    def answer(run: ScriptedRun) -> Outcome:
        nonlocal count
        count += 1
        changes = (FileChange("same", b"x"), FileChange("log", str(count).encode()))
        return Outcome(Status.OK, 1, effects=frozenset({WRITE}), changes=changes)

    report, _ = judged(WRITES, answer)
    assert failed(report) == [CheckName.DETERMINISM]
    assert report.reasons == ("determinism: leaves other files the second time: log",)
