"""Very many inputs in one process, tool beside original, and what is wrong for few of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import load_profile
from toolguild.sandbox import Json, JsonObject, Limits, Sandbox, ToolCallError
from toolguild.synth.drafting import Case, Draft, OriginalCalls, OriginalCode
from toolguild.synth.mining import canonical
from toolguild.synth.plans import CallStep, FromResult, Parameter
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.traces import Place, ToolCall
from toolguild.synth.validation import Check, CheckName, ValidationSettings, validate
from toolguild.synth.validation.chance import new_sources_of_chance
from toolguild.synth.validation.inputs import arguments_strategy, neighbours
from toolguild.synth.validation.recordings import SimulatedTools, VariedTools, with_repeats

SETTINGS = ValidationSettings(inputs=20, repeats=3, limits=Limits(wall_s=1.0), mutants=0)
PLACE = Place("log.jsonl", 1)


def tool(body: str, *, original: str = "return text.upper()", before: str = "") -> Draft:
    text = f'''{before}


def f(text: str) -> str:
    """Do it.

    Args:
        text: A text.

    Returns:
        A text.
    """
    {body.replace(chr(10), chr(10) + "    ")}
'''
    case = Case({"text": "sun-flower"}, "SUN-FLOWER", None, (), "task", PLACE)
    code = OriginalCode(f"def f(text):\n    {original}", "f")
    return replace(draft_from_text(text, [case]), original=code)


def crowd(draft: Draft, sandbox: Sandbox) -> Check:
    report = validate(draft, sandbox, SETTINGS)
    [check] = [check for check in report.checks if check.name is CheckName.CROWD]
    return check


def test_a_tool_that_does_the_same_is_compared_on_very_many_inputs(local: Sandbox) -> None:
    check = crowd(tool("return text.upper()"), local)
    assert check.passed
    assert int(check.detail.split()[0].replace(",", "")) > 1000


@pytest.mark.parametrize(
    "body",
    [
        "return text if sum(map(ord, text)) % 211 == 5 else text.upper()",
        "if sum(map(ord, text)) % 97 == 5:\n    raise ValueError(text)\nreturn text.upper()",
        "while sum(map(ord, text)) % 211 == 5:\n    pass\nreturn text.upper()",
        "kept = [0] * 20_000_000 if sum(map(ord, text)) % 97 == 5 else []\n"
        "return text.upper() + text[:len(kept) * 0]",
        "return text if len(text) > 90 else text.upper()",
    ],
)
def test_what_is_wrong_for_few_inputs_is_found(local: Sandbox, body: str) -> None:
    report = validate(tool(body), local, replace(SETTINGS, inputs=8))
    failed = [check.name for check in report.checks if check.passed is False]
    assert set(failed) <= {CheckName.CROWD, CheckName.ORIGINAL, CheckName.LIMITS}
    assert failed


def test_what_takes_far_more_memory_for_a_generated_input_is_found(local: Sandbox) -> None:
    # "sun-flowers" is a constant of the text, so generated inputs hold it; nothing near it fails.
    body = (
        "kept = [0] * 9_000_000 if text == 'sun-flowers' else []\n"
        "return text.upper() + ''[len(kept):]"
    )
    check = crowd(tool(body), local)
    assert check.passed is False
    assert "sun-flowers" in check.detail


@pytest.mark.parametrize("what", ["return [float('inf')]", "while True:\n        pass"])
def test_what_ends_a_process_only_after_many_inputs_is_found(local: Sandbox, what: str) -> None:
    from toolguild.synth.validation import validator

    body = f"_SEEN.append(text)\nif len(_SEEN) > 200:\n    {what}\nreturn text.upper()"
    with pytest.MonkeyPatch.context() as patch:
        # The static gate knows of such state; here it must be seen by what it does.
        patch.setattr(validator, "check_source", lambda *_, **__: [])
        check = crowd(tool(body, before="_SEEN: list[str] = []"), local)
    assert check.passed is False
    assert check.detail.startswith("among 250 inputs: ")


def test_an_original_that_is_slow_for_some_is_compared_on_the_others(local: Sandbox) -> None:
    slow = "return text.upper() if len(text) < 30 else [0 for _ in iter(int, 1)]"
    check = crowd(tool("return text.upper()", original=slow), local)
    assert check.passed is not False


# -- composites


RECORDED = (
    ToolCall("get_a", {"key": "a"}, {"legs": [{"day": "1"}, {"day": "1"}]}, None, PLACE),
    ToolCall("get_b", {"day": "1"}, "found", None, PLACE),
)
PLAN = (
    CallStep("get_a", (("key", Parameter("key")),)),
    CallStep("get_b", (("day", FromResult(0, ("legs", 1, "day"))),)),
)
COMPOSITE = '''
def f(key: str) -> dict[str, object]:
    """Do it.

    Args:
        key: A key.

    Returns:
        An object.
    """
    a = call_tool("get_a", {"key": key})
    b = call_tool("get_b", {"day": a["legs"][1]["day"]})
    return {"a": a, "b": b}
'''


def composite(text: str = COMPOSITE) -> Draft:
    value: Json = {"a": RECORDED[0].result, "b": "found"}
    case = Case({"key": "a"}, value, None, RECORDED, "task", PLACE)
    return replace(draft_from_text(text, [case]), original=OriginalCalls(PLAN))


@pytest.mark.parametrize(
    "other",
    [
        # Equal in every recording: only results whose parts are told apart show it.
        COMPOSITE.replace('["legs"][1]', '["legs"][0]'),
        # Calls hardly ever fail in recordings.
        COMPOSITE.replace(
            '    b = call_tool("get_b", {"day": a["legs"][1]["day"]})\n',
            "    try:\n"
            '        b = call_tool("get_b", {"day": a["legs"][1]["day"]})\n'
            "    except ToolCallError:\n"
            '        b = ""\n',
        ),
    ],
)
def test_composites_are_tried_on_results_that_were_not_recorded(local: Sandbox, other: str) -> None:
    good = crowd(composite(), local)
    assert good.passed, good.detail
    assert crowd(composite(other), local).passed is False


def test_a_composite_that_counts_its_calls_keeps_state(local: Sandbox) -> None:
    counting = "_SEEN: list[str] = []\n" + COMPOSITE.replace(
        "    return", "    _SEEN.append(key)\n    b = b if len(_SEEN) < 5 else a\n    return"
    )
    report = validate(composite(counting), local, SETTINGS)
    failed = {check.name for check in report.checks if check.passed is False}
    assert failed & {CheckName.STATIC, CheckName.STATE, CheckName.CROWD}


def test_varied_results_have_the_recorded_shape_and_differ_in_every_leaf() -> None:
    tools = SimulatedTools(RECORDED)
    varied = VariedTools(tools, 0)("get_a", {"key": "x"})
    assert isinstance(varied, dict)
    legs = varied["legs"]
    assert isinstance(legs, list)
    days = [leg["day"] for leg in legs if isinstance(leg, dict)]
    assert len({str(day) for day in days}) == 2
    assert VariedTools(tools, 0)("get_a", {"key": "x"}) == varied
    assert VariedTools(tools, 3)("get_a", {"key": "x"}) == RECORDED[0].result
    failing = VariedTools(tools, 1)
    with pytest.raises(ToolCallError):
        failing("get_a", {"key": "x"})


# -- neighbours


texts = st.text("abc 1", max_size=4)
objects = st.fixed_dictionaries(
    {"n": st.integers(-50, 50), "t": texts, "xs": st.lists(st.integers(0, 9), max_size=3)}
)
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": -60},
        "t": {"type": "string"},
        "xs": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["n", "t", "xs"],
    "additionalProperties": False,
}


@given(st.lists(objects, min_size=1, max_size=5), st.integers(0, 300))
def test_neighbours_fit_and_are_new_and_always_the_same(
    inputs: list[JsonObject], count: int
) -> None:
    strategy = arguments_strategy(SCHEMA, inputs)
    found = neighbours(strategy, inputs, count)
    assert found == neighbours(strategy, inputs, count)
    keys = [canonical(one) for one in found]
    assert len(keys) == len(set(keys)) <= count
    assert not set(keys) & {canonical(one) for one in inputs}
    assert all(strategy.allows(one) for one in found)


def test_one_argument_and_all_of_them_are_changed_by_turns() -> None:
    base: JsonObject = {"n": 1000, "t": "quite", "xs": [7, 8]}
    strategy = arguments_strategy(SCHEMA, [base])
    found = neighbours(strategy, [base], 60)
    changed = [{name for name in base if one[name] != base[name]} for one in found[:20]]
    single, whole = changed[::2], changed[1::2]
    assert all(len(names) == 1 for names in single)
    assert set().union(*single[:3]) == {"n", "t", "xs"}
    assert all(len(names) == 3 for names in whole)
    assert {"n": 1000, "t": "quitee", "xs": [7, 8]} in found
    assert {"n": 2003, "t": "quite", "xs": [7, 8]} in found


def test_schemas_that_tie_arguments_to_one_another_are_kept_when_all_are_changed() -> None:
    tied: JsonObject = {
        **SCHEMA,
        "if": {"properties": {"n": {"minimum": 5}}},
        "then": {"properties": {"t": {"minLength": 4}}},
    }
    strategy = arguments_strategy(tied, [{"n": 3, "t": "abcde", "xs": [1]}])
    found = neighbours(strategy, [{"n": 3, "t": "ab", "xs": [1]}], 300)
    assert len(found) > 100
    assert all(strategy.allows(one) for one in found)


@given(st.lists(st.integers(), max_size=60))
def test_no_input_is_there_only_with_a_call_that_fails(numbers: list[int]) -> None:
    inputs: list[JsonObject] = [{"n": number} for number in numbers]
    tools = SimulatedTools(RECORDED)
    unfailing = []
    for number, arguments in enumerate(with_repeats(inputs)):
        answers = VariedTools(tools, number)
        try:
            for _ in range(9):
                answers("get_a", {"key": "x"})
        except ToolCallError:
            continue
        unfailing.append(arguments)
    assert unfailing == inputs


# -- chance


@pytest.mark.parametrize(
    ("before", "body", "named"),
    [
        ("import time", "return text if time.time() < 0 else text.upper()", "`time` on line 1"),
        (
            "from datetime import date",
            "return text.upper() if date.today().year < 2030 else text",
            "`.today`",
        ),
        ("", "return text.upper() if hash(text) % 50 else text", "`hash`"),
        ("", "return text.upper() if id(text) % 50 else text", "`id`"),
    ],
)
def test_what_may_vary_is_told_unless_the_original_reads_it_too(
    before: str, body: str, named: str
) -> None:
    profile = load_profile()
    draft = tool(body, before=before)
    assert named in new_sources_of_chance(draft, profile)
    same = replace(draft, original=OriginalCode(draft.source, "f"))
    assert new_sources_of_chance(same, profile) == ""
    assert new_sources_of_chance(replace(draft, original=None), profile) == ""


def test_a_parameter_called_id_is_no_identity() -> None:
    draft = tool("id = text\nreturn id.upper()")
    assert new_sources_of_chance(draft, load_profile()) == ""


def test_printing_what_the_original_does_not_print_is_something_else(local: Sandbox) -> None:
    report = validate(tool("print(text)\nreturn text.upper()"), local, SETTINGS)
    failed = [check for check in report.checks if check.passed is False]
    assert [check.name for check in failed] in ([CheckName.ORIGINAL], [CheckName.STATIC])
