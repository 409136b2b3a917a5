"""A composite's name tells what it does, as far as a name may be long."""

from __future__ import annotations

import pytest

from toolguild.synth.drafting.composite_names import composite_name
from toolguild.synth.plans import CallStep, FromResult, LoopStep, Parameter, Plan, PlanStep


def straight(*tools: str) -> Plan:
    """Return a plan of calls that have nothing to do with each other."""
    return tuple(CallStep(tool, (("key", Parameter("key")),)) for tool in tools)


LOOP: PlanStep = LoopStep("get_file", FromResult(0, ("files",)), ())


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        (straight("lock_doors", "press_brake"), "lock_doors_then_press_brake"),
        ((*straight("list_files"), LOOP), "list_files_with_each_file"),
        (straight("create_ticket", "create_ticket"), "create_ticket_twice"),
        # Too long with all that is called: both ends are told, if there is room for them.
        (
            straight("prepare_the_vehicle", "close_all_the_windows", "start_the_cold_engine_now"),
            "prepare_the_vehicle_through_start_the_cold_engine_now",
        ),
        (
            straight("prepare_" * 5 + "vehicle", "close_windows", "start_" * 5 + "engine"),
            "prepare_prepare_prepare_prepare_prepare_vehicle_and_2_more",
        ),
        (
            straight("prepare_" * 5 + "vehicle", "start_" * 5 + "engine"),
            "prepare_prepare_prepare_prepare_prepare_vehicle_and_1_more",
        ),
    ],
)
def test_a_name_tells_what_is_called(plan: Plan, name: str) -> None:
    assert composite_name(plan) == name
    assert len(name) <= 64
