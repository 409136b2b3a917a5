"""What depends on a drift is found by running it, and re-opened; nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from toolguild.policies import Tier, load_profile
from toolguild.registry import Registry, State, ToolSpec, ToolVersion, tail, verify
from toolguild.sandbox import Json, JsonObject, Sandbox, ToolCallError
from toolguild.synth.drafting import Case
from toolguild.synth.drift import (
    DriftReport,
    calls_of_live_tools,
    find_drift,
    reopen_dependents,
)
from toolguild.synth.traces import Place, ToolCall

Register = Callable[..., ToolVersion]
NAMES = ("ann", "bob", "cy")

PASSES_ON = '''
def whole_user(name: str) -> object:
    """Return a user."""
    return call_tool("get_user", {"name": name})
'''
READS = '''
def province_of(name: str) -> object:
    """Return where a user lives."""
    return call_tool("get_user", {"name": name})["address"]["province"]
'''
LOOKS_AWAY = '''
def orders_of(name: str) -> object:
    """Return the numbers of a user's orders."""
    return call_tool("get_user", {"name": name})["orders"]
'''
CALLS_BY_IT = '''
def tax_of(name: str) -> object:
    """Return the tax where a user lives; 0 where that is not known."""
    user = call_tool("get_user", {"name": name})
    if "province" in user["address"]:
        call_tool("note", {"text": user["address"]["province"]})
    return 0
'''
OVER_PASSES_ON = '''
def user_twice(name: str) -> object:
    """Return a user, and the number of orders."""
    user = call_tool("whole_user", {"name": name})
    return {"user": user, "orders": len(user["orders"])}
'''
OVER_COUNTS = '''
def count_orders(name: str) -> object:
    """Return how many orders a user has."""
    return len(call_tool("whole_user", {"name": name})["orders"])
'''


def user(name: str, key: str = "province") -> JsonObject:
    orders: list[Json] = [f"{name}-1", f"{name}-2"]
    return {"name": name, "address": {"city": "Austin", key: "TX"}, "orders": orders}


def call(tool: str, arguments: JsonObject, result: Json) -> ToolCall:
    return ToolCall(tool, arguments, result, None, Place("written.jsonl", 1))


def cases(tool: str = "get_user", *also: ToolCall) -> list[Case]:
    """Return a run for each user, in which a tool returns the user."""
    return [
        Case(
            {"name": name},
            None,
            None,
            (call(tool, {"name": name}, user(name)), *also),
            f"task of {name}",
            Place("written.jsonl", number),
            trace_id=f"run of {name}",
        )
        for number, name in enumerate(NAMES, 1)
    ]


def today(result: Callable[[str], Json], tool: str = "get_user") -> Iterator[tuple[str, ToolCall]]:
    """Yield the same calls, as they are answered now."""
    return (("today", call(tool, {"name": name}, result(name))) for name in NAMES)


def moved(name: str) -> Json:
    return user(name, "state")


@pytest.fixture
def find(registry: Registry, local: Sandbox) -> Callable[..., DriftReport]:
    def find(calls: Iterator[tuple[str, ToolCall]], profile: str = "balanced") -> DriftReport:
        return find_drift(registry, calls, local, load_profile(profile))

    return find


def consequences(report: DriftReport) -> dict[str, str]:
    [drift] = report.found
    return {one.version.ref: one.consequence.value for one in drift.dependences}


def test_only_what_depends_on_the_field_is_reopened(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    register(PASSES_ON, cases(), Tier.RESTRICTED)
    register(LOOKS_AWAY, cases(), Tier.RESTRICTED)
    note = call("note", {"text": "TX"}, "noted")
    register(CALLS_BY_IT, cases("get_user", note), Tier.RESTRICTED)
    before = registry.tool("orders_of")
    report = find(today(moved))
    [drift] = report.found
    assert str(drift.change) == (
        "get_user: address.province -> address.state, in 3 of 3 comparable calls"
    )
    assert consequences(report) == {
        "orders_of@1": "untouched",
        "tax_of@1": "re-opened",
        "whole_user@1": "re-opened",
    }
    assert reopen_dependents(registry, report) == ["tax_of@1", "whole_user@1"]
    assert registry.tool("orders_of") == before
    for name in ("tax_of", "whole_user"):
        assert registry.tool(name).tier is Tier.SANDBOX
        gates = {gate.name: gate for gate in registry.governance.promotion(name).gates}
        assert not gates["drift"].passed
        assert "address.province -> address.state" in gates["drift"].found
    gates = {gate.name: gate for gate in registry.governance.promotion("orders_of").gates}
    assert gates["drift"].passed
    [*_, row] = tail(registry)
    assert (row.action, row.subject) == ("reopen", registry.tool("whole_user").digest)
    assert row.content["drift"]["changes"] == [
        {
            "tool": "get_user",
            "field": "address.province",
            "change": "renamed",
            "to": "address.state",
            "changed": 3,
            "comparable": 3,
        }
    ]
    assert "3 of 3 recorded runs come out otherwise" in row.content["why"]
    assert verify(registry).ok


def test_a_drift_that_is_known_is_not_told_of_again(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    register(PASSES_ON, cases())
    assert reopen_dependents(registry, find(today(moved))) == ["whole_user@1"]
    rows = tail(registry, 100)
    assert reopen_dependents(registry, find(today(moved))) == []
    assert tail(registry, 100) == rows


def test_a_tool_that_only_fails_now_is_quarantined(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    register(READS, cases())
    assert consequences(find(today(moved))) == {"province_of@1": "quarantined"}
    reopen_dependents(registry, find(today(moved)))
    assert registry.tool("province_of").state is State.QUARANTINED


def test_callers_depend_where_what_they_call_hands_the_field_on(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    register(PASSES_ON, cases(), Tier.RESTRICTED)
    register(OVER_PASSES_ON, cases("whole_user"), Tier.RESTRICTED)
    register(OVER_COUNTS, cases("whole_user"), Tier.RESTRICTED)
    report = find(today(moved))
    assert consequences(report) == {
        "whole_user@1": "re-opened",
        "count_orders@1": "untouched",
        "user_twice@1": "re-opened",
    }
    assert [one.through for one in report.found[0].dependences] == [
        (),
        ("whole_user@1",),
        ("whole_user@1",),
    ]
    assert reopen_dependents(registry, report) == ["whole_user@1", "user_twice@1"]
    # It stands no higher than what it calls, but what is known of it still holds.
    counting = registry.tool("count_orders")
    gates = {gate.name: gate for gate in registry.governance.promotion("count_orders").gates}
    assert (counting.tier, gates["drift"].passed) == (Tier.SANDBOX, True)


def test_earlier_versions_are_held_against_their_own_recordings(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    first = register(PASSES_ON, cases(), Tier.RESTRICTED)
    caller = register(OVER_COUNTS, cases("whole_user"))
    recorded_since = [
        replace(one, calls=(call("get_user", one.arguments, moved(name)),))
        for one, name in zip(cases(), NAMES, strict=True)
    ]
    register(PASSES_ON.replace("Return a user", "Return one user"), recorded_since, Tier.RESTRICTED)
    registry.set_tier(caller.ref, Tier.RESTRICTED, why="trusted")
    report = find(today(moved))
    assert consequences(report) == {"whole_user@1": "re-opened"}
    reopen_dependents(registry, report)
    assert registry.tool(first.ref).tier is Tier.SANDBOX
    # What is not called any more takes nobody down with it.
    assert registry.tool("whole_user").tier is Tier.RESTRICTED
    assert registry.tool(caller.ref).tier is Tier.RESTRICTED


def test_what_was_recorded_of_others_says_it_as_well(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    ann, *others = cases()
    register(PASSES_ON, others)
    register(READS, [ann])
    register(LOOKS_AWAY, [ann])
    report = find((run, made) for run, made in today(moved) if made.arguments != ann.arguments)
    assert report.comparable == 2
    assert consequences(report) == {
        "whole_user@1": "re-opened",
        "province_of@1": "quarantined",
        "orders_of@1": "untouched",
    }


def test_other_values_reopen_only_where_a_profile_says_so(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    twice = [*cases(), *(replace(one, trace_id="another run") for one in cases())]
    register(PASSES_ON, twice)
    register(LOOKS_AWAY, twice)

    def elsewhere(name: str) -> Json:
        return {**user(name), "address": {"city": "Boston", "province": "TX"}}

    report = find(today(elsewhere))
    assert (report.found, len(report.drifts)) == ((), 1)
    assert consequences(find(today(elsewhere), "strict")) == {
        "orders_of@1": "untouched",
        "whole_user@1": "re-opened",
    }


def test_logs_that_are_the_recordings_show_nothing(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    register(PASSES_ON, cases())
    report = find(today(user), "strict")
    assert (report.comparable, report.drifts) == (3, ())


def test_a_tool_that_cannot_be_replayed_is_reopened(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    """Whether it depends on the field cannot be seen: its recordings are not what it does."""
    version = register(LOOKS_AWAY, cases())
    changed = version.spec.source.replace('["orders"]', '["order"]')
    report = registry.report(str(version.evidence["report"]))
    registry.register(_with_source(version, changed), evidence={}, report=report)
    assert consequences(find(today(moved))) == {
        "orders_of@1": "untouched",
        "orders_of@2": "re-opened",
    }


def _with_source(version: ToolVersion, source: str) -> ToolSpec:
    return replace(version.spec, source=source)


def test_a_tool_that_does_not_do_the_same_twice_is_reopened(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    dice = "import random\n" + LOOKS_AWAY.replace('["orders"]', '["orders"], random.random()')
    register(dice, cases())
    report = find(today(moved))
    assert consequences(report) == {"orders_of@1": "re-opened"}
    assert "can be replayed" in report.found[0].dependences[0].words


def test_the_same_field_of_another_tool_is_another_field(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    shop = LOOKS_AWAY.replace('["orders"]', '["orders"], call_tool("get_shop", {})["address"]')
    register(shop, cases("get_user", call("get_shop", {}, user("shop"))))
    assert consequences(find(today(moved))) == {"orders_of@1": "untouched"}


def test_what_has_no_recordings_of_its_own_is_named(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    version = register(LOOKS_AWAY, cases())
    registry.register(_with_source(version, version.spec.source + "\n"), report={"of": "a guest"})
    report = find(today(moved))
    assert [one.ref for one in report.without_recordings] == ["orders_of@2"]


def test_retired_versions_are_left_alone(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    version = register(PASSES_ON, cases())
    registry.set_state(version.ref, State.RETIRED, why="not needed")
    report = find(today(moved))
    assert (report.comparable, report.drifts) == (0, ())


def test_parts_that_call_one_another_come_to_an_end(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    """Nothing keeps anybody from registering such tools."""
    circle = PASSES_ON.replace(
        "    return call_tool", '    call_tool("user_twice", {"name": name})\n    return call_tool'
    )
    inner: Sequence[ToolCall] = [call("user_twice", {"name": name}, None) for name in NAMES]
    register(circle, cases("get_user", *inner))
    register(OVER_PASSES_ON, cases("whole_user"))
    assert consequences(find(today(moved))) == {
        "whole_user@1": "re-opened",
        "user_twice@1": "re-opened",
    }


class World:
    """Users whose province is a state now, but for one whom there is not any more."""

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        if arguments["name"] == "cy":
            raise ToolCallError("no such user")
        return moved(str(arguments["name"]))

    def state(self) -> Json:
        return None

    def scratch(self, case: Case) -> World | None:
        return None if case.arguments["name"] == "bob" else self


def test_live_tools_are_asked_where_logs_are_not_at_hand(
    registry: Registry, register: Register, find: Callable[..., DriftReport]
) -> None:
    register(PASSES_ON, cases())
    report = find(calls_of_live_tools(registry, load_profile(), World()), "strict")
    assert {str(drift.change) for drift in report.found} == {
        "get_user: address.province -> address.state, in 1 of 1 comparable calls",
        "get_user: the whole result is a failure now, in 1 of 2 comparable calls",
    }
