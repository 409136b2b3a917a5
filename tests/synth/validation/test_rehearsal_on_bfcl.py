"""Composites of real call scripts, rehearsed on the simulators that the scripts ran against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.policies import Tier
from toolguild.sandbox import Program, Sandbox, ToolCallError
from toolguild.synth.drafting import Case, Draft, draft_tool, tool_names
from toolguild.synth.synthesis import mine
from toolguild.synth.validation import Rehearsal, rehearse_cases, rehearse_inputs
from toolguild.synth.validation.recordings import RecordedTools

pytest.importorskip("bfcl_eval", reason="needs pip install --no-deps bfcl-eval, and mpmath")
simulators = pytest.importorskip("benchmarks.bfcl.simulators", reason="the benchmarks are not here")

pytestmark = pytest.mark.traces

BfclTools: TypeAlias = Any


@pytest.fixture(scope="module")
def trajectories(real_traces: Path) -> Path:
    return real_traces / "bfcl-multi-turn" / "trajectories.json"


@pytest.fixture(scope="module")
def live(trajectories: Path) -> BfclTools:
    return simulators.BfclTools(trajectories)


@pytest.fixture(scope="module")
def drafts(trajectories: Path, local: Sandbox) -> dict[str, Draft]:
    opportunities = mine([trajectories]).opportunities
    drafted = [
        draft_tool(opportunity, local, name)
        for opportunity, name in zip(opportunities, tool_names(opportunities), strict=True)
    ]
    return {draft.name: draft for draft in drafted if isinstance(draft, Draft)}


LOCK = "lock_doors_then_press_brake_pedal_then_start_engine"
BRAKE = "press_brake_pedal_then_start_engine"
DISTANCE = "estimate_distance_by_city"
COPY = "cp_then_cd_then_mv"
FILE = "touch_then_echo"
SEND = "send_message_then_view_messages_sent"
FUEL = "fill_fuel_tank_then_activate_parking_brake"
MOVE = "mv_then_cd"


def cases_of(draft: Draft) -> int:
    """Return how many recorded cases a draft has, those held out included."""
    return len(draft.cases) + len(draft.held_out)


def test_the_tools_that_write_are_mined(drafts: dict[str, Draft]) -> None:
    assert {LOCK, BRAKE, DISTANCE, COPY, FILE, SEND, FUEL, MOVE} <= drafts.keys()


def test_every_composite_does_in_every_case_what_the_recorded_calls_did(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox
) -> None:
    for draft in drafts.values():
        found = rehearse_cases(draft, live, local)
        assert found.differing == ()
        assert (found.compared, found.inconclusive) == (cases_of(draft), {}), draft.name


def test_every_composite_does_what_its_plan_does_with_the_arguments_of_other_cases(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox
) -> None:
    total = Rehearsal()
    for draft in drafts.values():
        first, *others = [case.arguments for case in draft.cases]
        total += rehearse_inputs(draft, [*others, first], live, local)
    assert total.differing == ()
    assert total.compared == sum(len(draft.cases) for draft in drafts.values())
    assert total.changing - total.failing > 10


Change: TypeAlias = Callable[[str], str]


def put(old: str, new: str) -> Change:
    """Return what replaces a part of a text, which has to be there once or more."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def without(key: str) -> Change:
    """Return what takes out one call and gives None as its result."""
    return lambda text: "\n".join(
        f"    {key} = None" if line.startswith(f"    {key} = ") else line
        for line in text.splitlines()
    )


def swapped(one: str, other: str) -> Change:
    """Return what changes two calls, each in a line of its own, for one another."""

    def change(text: str) -> str:
        lines = text.splitlines()
        first, second = (
            next(n for n, line in enumerate(lines) if line.startswith(f"    {key} = "))
            for key in (one, other)
        )
        lines[first], lines[second] = lines[second], lines[first]
        return "\n".join(lines)

    return change


def also(call: str) -> Change:
    """Return what makes one more call before the end, and forgets its result."""
    return put("    return {", f"    {call}\n    return {{")


def rewritten(draft: Draft, change: Change) -> Draft:
    """Return a draft with another body; signature and docstring stay."""
    head, mark, body = draft.source.rpartition('"""')
    return replace(draft, source=head + mark + change(body) + "\n")


RESULT_IS_RIGHT: dict[str, tuple[str, Change]] = {
    "a dropped write": (FILE, without("echo")),
    "a dropped change of directory": (
        MOVE,
        put(
            'call_tool("cd", {"folder": destination})', '{"current_working_directory": destination}'
        ),
    ),
    "an extra message": (
        SEND,
        also('call_tool("send_message", {"receiver_id": receiver_id, "message": "psst"})'),
    ),
    "the message repeated": (
        SEND,
        also('call_tool("send_message", {"receiver_id": receiver_id, "message": message})'),
    ),
    "an extra file": (COPY, also('call_tool("touch", {"file_name": "left_behind"})')),
    "an extra write of another tool": (
        FUEL,
        also('call_tool("set_navigation", {"destination": "home"})'),
    ),
    "two writes in the wrong order": (LOCK, swapped("lock_doors", "press_brake_pedal")),
    "writes that are undone": (
        BRAKE,
        put(
            "    start_engine =",
            '    call_tool("releaseBrakePedal", {})\n'
            '    call_tool("pressBrakePedal", {"pedalPosition": pedal_position})\n'
            "    start_engine =",
        ),
    ),
    "another text than the argument": (FILE, put('"content": content', '"content": "3333"')),
}

RESULT_IS_WRONG: dict[str, tuple[str, Change]] = {
    "a write left to another one": (FILE, without("touch")),
    "swapped arguments": (
        FILE,
        put(
            '"content": content, "file_name": file_name',
            '"content": file_name, "file_name": content',
        ),
    ),
    "the result of the wrong step": (
        DISTANCE,
        put('city_2": zipcode_based_on_city_2', 'city_2": zipcode_based_on_city'),
    ),
    "the wrong step's result passed on": (
        DISTANCE,
        put('zipcode_based_on_city_2["zipcode"]', 'zipcode_based_on_city["zipcode"]'),
    ),
    "the first argument for both": (
        DISTANCE,
        put('{"city": city_2}', '{"city": city}'),
    ),
    "the wrong order": (COPY, swapped("cp", "mv")),
    "a dropped call": (COPY, without("cd")),
    "half of it": (FUEL, put("fuel_amount}", "fuel_amount / 2}")),
}


@pytest.mark.parametrize(("name", "change"), RESULT_IS_RIGHT.values(), ids=RESULT_IS_RIGHT)
def test_a_wrong_composite_with_the_recorded_result_is_refused(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox, name: str, change: Change
) -> None:
    found = rehearse_cases(rewritten(drafts[name], change), live, local)
    assert found.compared == cases_of(drafts[name])
    results = [case.value for case in drafts[name].cases]
    unseen = [wrong for wrong in found.differing if wrong.value in results]
    assert unseen
    assert all(wrong.observed.startswith("leaves ") for wrong in unseen)


@pytest.mark.parametrize(("name", "change"), RESULT_IS_WRONG.values(), ids=RESULT_IS_WRONG)
def test_a_composite_with_another_result_is_refused(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox, name: str, change: Change
) -> None:
    found = rehearse_cases(rewritten(drafts[name], change), live, local)
    assert found.differing


def test_a_constant_that_all_recordings_share_is_refused_on_other_inputs(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox
) -> None:
    draft = drafts[BRAKE]
    fixed = rewritten(draft, put("pedal_position}", "1.0}"))
    assert rehearse_cases(fixed, live, local).holds
    inputs = [{"pedal_position": 1.0}, {"pedal_position": 0.5}]
    assert rehearse_inputs(draft, inputs, live, local).holds
    (wrong,) = rehearse_inputs(fixed, inputs, live, local).differing
    assert wrong.arguments == {"pedal_position": 0.5}


def test_a_look_before_the_write_instead_of_after_is_what_no_recording_shows(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox
) -> None:
    tool = rewritten(drafts[SEND], swapped("send_message", "messages_sent"))
    for case in tool.cases:
        recorded = RecordedTools(case.calls)
        program = Program(tool.source, tool.name)
        outcome = local.run(program, case.arguments, tier=Tier.SANDBOX, tools=recorded)
        assert (outcome.value, recorded.unrecorded) == (case.value, [])
        assert recorded.writes_agree
    found = rehearse_cases(tool, live, local)
    assert len(found.differing) == found.compared == cases_of(tool)


def test_a_further_look_at_things_is_no_fault(
    drafts: dict[str, Draft], live: BfclTools, local: Sandbox
) -> None:
    for name, look in ((LOCK, "check_tire_pressure"), (FUEL, "get_current_speed"), (FILE, "pwd")):
        tool = rewritten(drafts[name], also(f'call_tool("{look}", {{}})'))
        assert rehearse_cases(tool, live, local).holds


# -- the simulators


def case_of(draft: Draft) -> Case:
    return draft.cases[0]


def test_what_happens_to_a_copy_happens_to_no_other(
    drafts: dict[str, Draft], live: BfclTools
) -> None:
    case = case_of(drafts[FILE])
    first, second = live.scratch(case), live.scratch(case)
    assert first.state() == second.state()
    first("touch", {"file_name": "new"})
    assert first.state() != second.state()
    assert live.scratch(case).state() == second.state()


def test_the_current_directory_is_state(drafts: dict[str, Draft], live: BfclTools) -> None:
    copy = live.scratch(case_of(drafts[FILE]))
    before = copy.state()["GorillaFileSystem"]
    copy("mkdir", {"dir_name": "deep"})
    copy("cd", {"folder": "deep"})
    assert copy.state()["GorillaFileSystem"]["at"] == f"{before['at']}/deep"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("no_such_tool", {}),
        ("_load_scenario", {"scenario": {}}),
        ("__init__", {}),
        ("cd", {"folder": "nowhere"}),
        ("cd", {}),
        ("cd", {"folder": 3}),
    ],
)
def test_what_a_simulator_does_not_do_fails_as_a_call(
    drafts: dict[str, Draft], live: BfclTools, tool: str, arguments: dict[str, Any]
) -> None:
    copy = live.scratch(case_of(drafts[FILE]))
    with pytest.raises(ToolCallError):
        copy(tool, arguments)


@pytest.mark.parametrize(
    "changed",
    [
        {"trace_id": "elsewhere"},
        {"trace_id": ""},
        {"calls": ()},
    ],
)
def test_there_is_no_copy_for_a_case_of_no_script(
    drafts: dict[str, Draft], live: BfclTools, changed: dict[str, Any]
) -> None:
    assert live.scratch(replace(case_of(drafts[FILE]), **changed)) is None


def test_a_copy_is_given_out_only_where_the_calls_before_are_answered_as_recorded(
    trajectories: Path, tmp_path: Path, drafts: dict[str, Draft]
) -> None:
    case = case_of(drafts[MOVE])
    assert case.place.step > 1
    text = trajectories.read_text("utf-8").replace("current_working_directory", "cwd")
    (tmp_path / "changed.json").write_text(text, "utf-8")
    assert simulators.BfclTools(trajectories).scratch(case) is not None
    assert simulators.BfclTools(tmp_path / "changed.json").scratch(case) is None
