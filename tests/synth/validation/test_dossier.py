"""Whole reports: what they hold is enough to validate again, with the same report as result."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from toolguild.policies import load_profile
from toolguild.registry import canonical_json, digest
from toolguild.sandbox import JsonObject, Limits, Sandbox
from toolguild.synth.drafting import Case, Draft, OriginalCode
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place, ToolCall
from toolguild.synth.validation import (
    DossierError,
    ValidationSettings,
    dossier,
    read_dossier,
    validate,
)

SETTINGS = ValidationSettings(inputs=30, repeats=5, mutants=6, limits=Limits(wall_s=1.0))
TEXT = '''
def share(total: int, people: int) -> int:
    """Share something.

    Args:
        total: How much there is.
        people: How many there are.

    Returns:
        How much each gets.
    """
    return total // people
'''


def draft(*cases: Case) -> Draft:
    original = OriginalCode("def share(total, people):\n    return total // people", "share")
    return replace(draft_from_text(TEXT, cases), original=original)


def case(total: int, people: int, value: int) -> Case:
    place = Place("odd: name.jsonl", 3, 4)
    return Case({"total": total, "people": people}, value, None, (), "task", place, "trace")


def report_of(one: Draft, sandbox: Sandbox) -> JsonObject:
    return dossier(one, validate(one, sandbox, SETTINGS), SETTINGS)


def test_it_is_validated_again_with_the_same_report(local: Sandbox) -> None:
    before = report_of(replace(draft(case(6, 3, 2)), held_out=(case(9, 2, 4),)), local)
    read = read_dossier(before, load_profile())
    after = dossier(read.draft, validate(read.draft, local, read.settings), read.settings)
    assert canonical_json(after) == canonical_json(before)
    assert digest(after) == digest(before)


def test_it_says_what_was_in_force_and_what_failed(local: Sandbox) -> None:
    report = report_of(draft(case(6, 3, 2)), local)
    assert report["passed"] is False
    surroundings = report["surroundings"]
    assert isinstance(surroundings, dict)
    assert surroundings["sandbox"] == f"local ({local.level})"
    assert surroundings["profile"] == {
        "name": SETTINGS.profile.name,
        "digest": SETTINGS.profile.digest,
    }
    assert isinstance(surroundings["packages"], dict)
    assert {"hypothesis", "toolguild"} <= surroundings["packages"].keys()
    findings = report["findings"]
    assert isinstance(findings, dict)
    assert isinstance(findings["checks"], list)
    [failed] = [
        one
        for one in findings["checks"]
        if isinstance(one, dict) and not one["passed"] and one["passed"] is not None
    ]
    found = failed["counterexamples"]
    assert isinstance(found, list)
    assert isinstance(found[0], dict)
    arguments = found[0]["arguments"]
    assert isinstance(arguments, dict)
    assert arguments["people"] == 0
    assert len(str(found[0]["id"])) == 12


def test_a_failure_keeps_its_id_from_run_to_run_and_others_have_another(local: Sandbox) -> None:
    one, again = (report_of(draft(case(6, 3, 2)), local) for _ in range(2))
    assert one == again
    other = report_of(draft(case(8, 4, 2)), local)
    assert digest(other) != digest(one)


def test_recorded_calls_come_back_as_they_were() -> None:
    call = ToolCall("get", {"x": 1}, {"y": [1.5, None]}, None, Place("log", 1))
    failing = ToolCall("get", {"x": 2}, None, "not found", Place("log", 1))
    one = replace(case(6, 3, 2), calls=(call, failing))
    report = validate(replace(draft(one), name="other"), _Never(), SETTINGS)
    read = read_dossier(dossier(draft(one), report, SETTINGS), SETTINGS.profile)
    [back] = read.draft.cases
    assert back == replace(one, calls=tuple(replace(each, place=one.place) for each in one.calls))


class _Never(Sandbox):
    """A sandbox in which nothing runs: the text is refused before."""

    name = "never"
    level = "none"

    def run(self, *_: object, **__: object) -> object:  # type: ignore[override]
        raise AssertionError

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("tool", "source"), 7, "tool.source"),
        (("settings", "inputs"), "many", "settings.inputs"),
        (("cases",), None, "cases"),
        (("original", "plan"), [{"call": 1}], "original"),
        (("surroundings", "profile"), {}, "surroundings.profile"),
    ],
)
def test_what_is_no_report_is_told_by_its_field(
    local: Sandbox, path: tuple[str, ...], value: object, named: str
) -> None:
    broken = copy.deepcopy(report_of(draft(case(6, 3, 2)), local))
    place: dict[str, object] = dict(broken)
    top = place
    for key in path[:-1]:
        inner = dict(place[key])  # type: ignore[call-overload]
        place[key] = inner
        place = inner
    place[path[-1]] = value
    with pytest.raises(DossierError, match=named):
        read_dossier(top, SETTINGS.profile)  # type: ignore[arg-type]
