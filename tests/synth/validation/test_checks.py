"""What validation compares a tool with: its original, itself in one process, unseen cases."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from toolguild.sandbox import Json, JsonObject, Limits, Sandbox
from toolguild.synth.drafting import Case, Draft, OriginalCalls, OriginalCode
from toolguild.synth.plans import CallStep, FromItem, FromResult, LoopStep, Parameter
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place, ToolCall
from toolguild.synth.validation import Check, CheckName, ValidationSettings, validate

SETTINGS = ValidationSettings(inputs=60, repeats=10, limits=Limits(wall_s=1.0), mutants=0)
PLACE = Place("log.jsonl", 1)


def tool(signature: str, body: str, *cases: Case, original: str = "", before: str = "") -> Draft:
    """Return the draft of one function; `original` is the body of what it replaces."""
    head = signature.partition("(")[2].split(")")[0]
    names = [part.split(":")[0] for part in head.split(", ")]
    described = "\n".join(f"        {name}: A value." for name in names)
    docs = f'    """Do it.\n\n    Args:\n{described}\n\n    Returns:\n        A value.\n    """\n'
    text = f"{before}\n\ndef {signature}:\n{docs}{_indented(body)}\n"
    drafted = draft_from_text(text, cases)
    plain = f"{before}\n\ndef f({', '.join(names)}):\n{_indented(original)}\n"
    return replace(drafted, original=OriginalCode(plain, "f") if original else None)


def _indented(body: str) -> str:
    return "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())


def case(value: Json, **arguments: Json) -> Case:
    return Case(arguments, value, None, (), "task", PLACE)


def judged(draft: Draft, sandbox: Sandbox, name: CheckName) -> Check:
    report = validate(draft, sandbox, SETTINGS)
    [check] = [check for check in report.checks if check.name is name]
    return check


def failed(draft: Draft, sandbox: Sandbox) -> list[CheckName]:
    report = validate(draft, sandbox, SETTINGS)
    return [check.name for check in report.checks if check.passed is False]


# -- the original


DOUBLE = "return x * 2"


def test_a_tool_that_does_what_the_code_did_passes(local: Sandbox) -> None:
    good = tool("f(x: int) -> int", "return x + x", case(4, x=2), original=DOUBLE)
    check = judged(good, local, CheckName.ORIGINAL)
    assert check.passed
    assert "as the code that agents wrote" in check.detail


@pytest.mark.parametrize(
    "body",
    [
        "return 4 if x == 2 else x * 2 + (x == 9)",
        "return {2: 4}.get(x, 0)",
        "return abs(x) * 2",
        "return x * 2 if x < 50 else x",
    ],
)
def test_one_that_agrees_on_recorded_cases_alone_does_not(local: Sandbox, body: str) -> None:
    bad = tool("f(x: int) -> int", body, case(4, x=2), original=DOUBLE)
    assert failed(bad, local) == [CheckName.ORIGINAL]


def test_the_counterexample_is_the_simplest_and_says_both_ends(local: Sandbox) -> None:
    bad = tool("f(x: int) -> int", "return x * 2 if x < 7 else 0", case(4, x=2), original=DOUBLE)
    (found,) = judged(bad, local, CheckName.ORIGINAL).counterexamples
    assert found.arguments == {"x": 7}
    assert (found.expected, found.observed) == ("returns 14", "returns 0")


def test_an_exception_of_another_type_is_something_else(local: Sandbox) -> None:
    body = "if x < 0:\n    raise {}('negative')\nreturn x"
    original = body.format("ValueError")
    same = tool("f(x: int) -> int", original, case(2, x=2), original=original)
    other = tool("f(x: int) -> int", body.format("KeyError"), case(2, x=2), original=original)
    silent = tool("f(x: int) -> int", "return max(x, 0)", case(2, x=2), original=original)
    assert failed(same, local) == []
    assert failed(other, local) == failed(silent, local) == [CheckName.ORIGINAL]


def test_an_original_without_an_end_says_nothing(local: Sandbox) -> None:
    endless = tool("f(x: bool) -> bool", "return x", original="while True:\n    pass")
    settings = replace(SETTINGS, limits=Limits(wall_s=0.1))
    report = validate(endless, local, settings)
    [check] = [check for check in report.checks if check.name is CheckName.ORIGINAL]
    assert check.passed is None
    assert report.passed


def test_far_slower_than_the_original_is_too_slow(local: Sandbox) -> None:
    slow = "if len(xs) > 3:\n    sum(n for n in range(20_000_000))\nreturn len(xs)"
    bad = tool("f(xs: list[int]) -> int", slow, case(1, xs=[1]), original="return len(xs)")
    settings = replace(SETTINGS, limits=Limits(wall_s=30.0), inputs=12)
    report = validate(bad, local, settings)
    assert [one.name for one in report.checks if one.passed is False] == [CheckName.LIMITS]
    assert "more than 10 times as long as the original" in report.reasons[0]


# -- the plan of a composite


def calls(*made: tuple[str, JsonObject, Json]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(name, given, result, None, PLACE) for name, given, result in made)


LOOP = """
listing = call_tool("get_list", {"key": key})
items = [
    call_tool("get_item", {"number": number})
    for number in listing["numbers"]
]
return {
    "list": listing,
    "numbers": items,
}
"""
RECORDED = calls(
    ("get_list", {"key": "a"}, {"numbers": [1, 2]}),
    ("get_item", {"number": 1}, "one"),
    ("get_item", {"number": 2}, "two"),
)
PLAN = (
    CallStep("get_list", (("key", Parameter("key")),)),
    LoopStep("get_item", FromResult(0, ("numbers",)), (("number", FromItem(())),)),
)


def composite(body: str) -> Draft:
    value: Json = {"list": {"numbers": [1, 2]}, "numbers": ["one", "two"]}
    recorded = Case({"key": "a"}, value, None, RECORDED, "task", PLACE)
    drafted = tool("f(key: str) -> dict[str, object]", body, recorded)
    return replace(drafted, original=OriginalCalls(PLAN))


def test_a_composite_that_does_as_its_plan_passes(local: Sandbox) -> None:
    assert failed(composite(LOOP), local) == []
    assert judged(composite(LOOP), local, CheckName.ORIGINAL).passed


@pytest.mark.parametrize(
    "other",
    [
        LOOP.replace('{"key": key}', '{"key": key if len(key) < 2 else key[:2]}'),
        LOOP.replace('for number in listing["numbers"]', 'for number in listing["numbers"][:2]'),
        LOOP.replace('"list": listing', '"list": listing if key < "b" else {}'),
    ],
)
def test_one_that_calls_otherwise_on_other_inputs_does_not(local: Sandbox, other: str) -> None:
    # Three items in some result, so that a slice shows.
    draft = composite(other)
    further = calls(("get_list", {"key": "b"}, {"numbers": [1, 2, 1]}))
    recorded = replace(draft.cases[0], calls=(*draft.cases[0].calls, *further))
    assert failed(replace(draft, cases=(recorded,)), local) == [CheckName.ORIGINAL]


# -- state and arguments


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("_SEEN: list[int] = []", "_SEEN.append(x)\nreturn x + len(_SEEN) - 1"),
        ("_SEEN: dict[int, int] = {}", "_SEEN[x] = _SEEN.get(x, 0) + 1\nreturn _SEEN[x] + x - 1"),
    ],
)
def test_what_is_kept_between_calls_shows(local: Sandbox, before: str, body: str) -> None:
    from toolguild.synth.validation import validator

    stateful = tool("f(x: int) -> int", body, case(2, x=2), before=before)
    with pytest.MonkeyPatch.context() as patch:
        # The static gate knows of these; here they must be seen by what they do.
        patch.setattr(validator, "check_source", lambda *_, **__: [])
        assert failed(stateful, local) == [CheckName.STATE]


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ('return float("nan")', "raises ValueError"),
        ("while True:\n        pass", "ends by timeout"),
        ('return "x" * 2_000_000', "after other calls"),
    ],
)
def test_what_ends_a_whole_process_after_some_calls_is_state(
    local: Sandbox, what: str, status: str
) -> None:
    from toolguild.synth.validation import validator

    body = f"_SEEN.append(x)\nif len(_SEEN) > 10:\n    {what}\nreturn x"
    stateful = tool("f(x: int) -> int", body, case(2, x=2), before="_SEEN: list[int] = []")
    settings = replace(SETTINGS, limits=Limits(wall_s=0.5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validator, "check_source", lambda *_, **__: [])
        report = validate(stateful, local, settings)
    (check,) = [check for check in report.checks if check.passed is False]
    assert check.name is CheckName.STATE
    assert status in check.detail
    (found,) = check.counterexamples
    assert found.expected == f"returns {found.arguments['x']}"


def test_a_tool_without_parameters_is_called_often_enough(local: Sandbox) -> None:
    from toolguild.synth.validation import validator

    body = "_SEEN.append(1)\nreturn len(_SEEN) > 50"
    text = f'_SEEN: list[int] = []\n\n\ndef f() -> bool:\n    """Do it."""\n{_indented(body)}\n'
    stateful = draft_from_text(text, [case(False)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validator, "check_source", lambda *_, **__: [])
        assert failed(stateful, local) == [CheckName.STATE]


def test_results_that_json_cannot_carry_keep_no_others_from_being_compared(local: Sandbox) -> None:
    """The tool says that it raises this error, and the sandbox raises it where nan is returned."""
    body = 'if x > 900:\n    raise ValueError("much")\nreturn x if x else float("nan")'
    draft = tool("f(x: int) -> float", body, case(2, x=2), original=body)
    check = judged(draft, local, CheckName.STATE)
    assert check.passed, check.detail


def test_arguments_that_are_changed(local: Sandbox) -> None:
    bad = tool("f(xs: list[int]) -> int", "xs.sort()\nreturn sum(xs)", case(3, xs=[2, 1]))
    check = judged(bad, local, CheckName.ARGUMENTS)
    assert check.passed is False
    (found,) = check.counterexamples
    assert found.observed.startswith("changes them to {")
    good = tool("f(xs: list[int]) -> int", "xs = sorted(xs)\nreturn sum(xs)", case(3, xs=[2, 1]))
    assert failed(good, local) == []


# -- held-out cases


def test_a_held_out_case_decides(local: Sandbox) -> None:
    good = tool("f(x: int) -> int", DOUBLE, case(4, x=2))
    assert failed(replace(good, held_out=(case(6, x=3),)), local) == []
    wrong = replace(good, held_out=(case(6, x=3), case(9, x=4)))
    check = judged(wrong, local, CheckName.HELD_OUT)
    assert check.passed is False
    assert "overfitted: it explains what it was made from, and 1 of 2" in check.detail


@pytest.mark.parametrize(
    ("unseen", "why"),
    [(case(5.0, x=2.5), "does not take these arguments"), (case("4", x=2), "may not return")],
)
def test_schemas_too_narrow_for_a_held_out_case(local: Sandbox, unseen: Case, why: str) -> None:
    narrow = replace(tool("f(x: int) -> int", DOUBLE, case(4, x=2)), held_out=(unseen,))
    assert why in judged(narrow, local, CheckName.HELD_OUT).detail


def test_a_plan_that_explains_too_few_unseen_tasks_is_refused_with_its_reason(
    local: Sandbox,
) -> None:
    doubtful = replace(composite(LOOP), original=OriginalCalls(PLAN, "1 of 9 unseen tasks"))
    assert judged(doubtful, local, CheckName.HELD_OUT).detail == "overfitted: 1 of 9 unseen tasks"


# -- what the evidence amounts to


def test_evidence_without_an_unseen_occurrence_is_thin(local: Sandbox) -> None:
    mined = tool("f(x: int) -> int", DOUBLE, case(4, x=2), original=DOUBLE)
    (why,) = validate(mined, local, SETTINGS).thin
    assert "no occurrence confirms it" in why
    assert not validate(replace(mined, held_out=(case(6, x=3),)), local, SETTINGS).is_thin


def test_runs_that_hit_the_deadline_again_and_again_are_not_all_made(local: Sandbox) -> None:
    endless = tool("f(x: int) -> int", "while True:\n    pass\nreturn x")
    settings = replace(SETTINGS, limits=Limits(wall_s=0.05))
    from toolguild.synth.validation import validator

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validator, "check_source", lambda *_, **__: [])
        report = validate(endless, local, settings)
    assert report.inputs < 10
    assert CheckName.LIMITS in [check.name for check in report.checks if check.passed is False]
