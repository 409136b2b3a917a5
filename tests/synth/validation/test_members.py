"""A stand-in calls the general tool as its member would have it called, and knows no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting import Draft, Member, OriginalCode, OriginalTools
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.validation import CheckName, ValidationSettings, dossier, read_dossier
from toolguild.synth.validation.members import check_members, stand_in
from toolguild.synth.validation.report import Check, Counterexample, ValidationReport

GENERAL = '''
def echo(first: object, second: object, third: object) -> list[object]:
    """Return first, second and third."""
    return [first, second, third]
'''
MEMBER = '''
from typing import Literal

def pair(left: Literal["a", "b"], right: str) -> list[object]:
    """Return what echo returns for left and right."""
    return [right, 0, left]
'''

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()


def member(constant: Json = 0) -> Member:
    takes = {"first": "right", "third": "left"}
    return Member(draft_from_text(MEMBER), takes, {"second": constant})


def run(draft: Draft, arguments: JsonObject) -> Any:
    names: dict[str, Any] = {}
    exec(draft.source, names)  # noqa: S102 - both texts stand above
    return names[draft.name](**arguments)


@given(constant=SCALARS | st.lists(SCALARS), left=st.text(), right=st.text())
def test_a_stand_in_is_a_call_of_the_general_tool(constant: Json, left: str, right: str) -> None:
    general, one = draft_from_text(GENERAL), member(constant)
    arguments: JsonObject = {"left": left, "right": right}
    assert run(stand_in(general, one), arguments) == run(general, one.given(arguments))


def test_a_text_cannot_know_the_name_of_its_stand_in() -> None:
    """Or it could do its duty only where it is called by one."""
    general = draft_from_text(GENERAL.replace("return", "pair = pair_ = None\n    return"))
    assert stand_in(general, member()).name not in general.source


def report(*checks: Check) -> ValidationReport:
    return ValidationReport("pair", checks, 1, 1, 0, "none", "balanced")


def test_what_was_held_out_is_not_told() -> None:
    secret = Counterexample({"left": "a", "right": "secret"}, "secret", "secret")
    failed = Check(CheckName.HELD_OUT, False, "first: secret", (secret,))
    check = check_members(draft_from_text(GENERAL), [member()], lambda draft: report(failed))
    assert check == Check(CheckName.MEMBERS, False, "called as for pair: held-out occurrences")


def test_a_failure_is_told_as_a_call_of_the_general_tool() -> None:
    shown = Counterexample({"left": "a", "right": "x"}, "returns 1", "returns 2")
    failed = Check(CheckName.ORIGINAL, False, "differs", (shown,))
    check = check_members(draft_from_text(GENERAL), [member(7)], lambda draft: report(failed))
    [found] = check.counterexamples
    assert found.arguments == {"first": "x", "second": 7, "third": "a"}


def test_members_are_read_back_from_a_report() -> None:
    one = member(["x", None])
    code = OriginalCode("def pair(left, right):\n    return [right, 0, left]", "pair")
    original = OriginalTools((replace(one, draft=replace(one.draft, original=code)),))
    draft = replace(draft_from_text(GENERAL), original=original)
    settings = ValidationSettings()
    document = dossier(draft, report(), settings)
    assert read_dossier(document, settings.profile).draft == draft
