"""A plan that is interpreted does what the text does that is drafted of it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Program, Sandbox, Status, ToolCallError
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.mining import RepeatedSequence, canonical
from toolguild.synth.plans import (
    CallStep,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Parameter,
    Plan,
)
from toolguild.synth.validation.plan_run import run_composite, run_plan

USERS = {
    "ann": {"name": "Ann", "orders": [{"id": 7}, {"id": 8}]},
    "bob": {"name": "Bob", "orders": []},
}


def shop(name: str, arguments: JsonObject) -> Json:
    match name, arguments:
        case "get_user", {"user": str(user)} if user in USERS:
            return USERS[user]
        case "get_order", {"id": int(number)}:
            return {"total": number * 10}
    raise ToolCallError(f"{name} fails")


ORDERS: Plan = (
    CallStep("get_user", (("user", Parameter("user")),)),
    LoopStep("get_order", FromResult(0, ("orders",)), (("id", FromItem(("id",))),)),
)


def one_call(path: tuple[str | int, ...]) -> Plan:
    """Return a plan whose second call takes a part of the first one's result."""
    return (ORDERS[0], CallStep("get_order", (("id", FromResult(0, path)),)))


def over(step: int, key: str) -> LoopStep:
    """Return a loop over what may be no list."""
    return LoopStep("get_order", FromResult(step, (key,)), (("id", FromItem(())),))


def test_each_step_has_its_result_and_a_loop_a_list_of_them() -> None:
    results = run_plan(ORDERS, {"user": "ann"}, shop)
    assert results == [USERS["ann"], [{"total": 70}, {"total": 80}]]
    assert run_plan(ORDERS, {"user": "bob"}, shop) == [USERS["bob"], []]


def test_a_composite_run_has_the_keys_of_the_drafted_tool_and_the_calls_in_order() -> None:
    run = run_composite(ORDERS, {"user": "ann"}, shop)
    assert run.value == {"user_2": USERS["ann"], "orders": [{"total": 70}, {"total": 80}]}
    assert run.error is None
    assert run.calls == (
        ("get_user", {"user": "ann"}),
        ("get_order", {"id": 7}),
        ("get_order", {"id": 8}),
    )


@pytest.mark.parametrize(
    ("plan", "user", "error"),
    [
        (one_call(("address",)), "ann", KeyError),
        (one_call(("orders", 0, "id")), "bob", IndexError),
        (one_call(("name", "first")), "ann", TypeError),
        (one_call(("orders", "id")), "ann", TypeError),
        (one_call(("name",)), "ann", ToolCallError),
        (ORDERS, "eve", ToolCallError),
        ((ORDERS[0], over(0, "name")), "ann", ToolCallError),
        ((*one_call(("orders", 0, "id")), over(1, "total")), "ann", TypeError),
    ],
)
def test_it_fails_as_the_drafted_python_does(plan: Plan, user: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run_plan(plan, {"user": user}, shop)
    run = run_composite(plan, {"user": user}, shop)
    assert (run.value, run.error) == (None, error.__name__)


def test_the_calls_of_a_failed_run_are_kept() -> None:
    run = run_composite(one_call(("name",)), {"user": "ann"}, shop)
    assert run.calls == (("get_user", {"user": "ann"}), ("get_order", {"id": "Ann"}))


@pytest.mark.parametrize("arguments", [{}, {"user": "ann", "more": 1}, {"name": "ann"}])
def test_other_arguments_than_the_tools_are_a_type_error(arguments: JsonObject) -> None:
    run = run_composite(ORDERS, arguments, shop)
    assert (run.error, run.calls) == ("TypeError", ())


def test_parameters_go_by_the_names_that_the_tool_has_for_them() -> None:
    plan: Plan = (CallStep("get_user", (("user", Parameter("theUser")),)),)
    assert run_composite(plan, {"the_user": "bob"}, shop).error is None
    assert run_plan(plan, {"theUser": "bob"}, shop) == [USERS["bob"]]


def test_a_tool_that_keeps_what_it_is_given_changes_neither_plan_nor_results() -> None:
    kept: list[Json] = []

    def hoarder(name: str, arguments: JsonObject) -> Json:
        tags = arguments["tags"]
        assert isinstance(tags, list)
        tags.append(len(kept))
        kept.append(tags)
        return tags

    plan: Plan = (
        CallStep("put", (("tags", Constant(["a"])),)),
        CallStep("put", (("tags", FromResult(0, ())),)),
        CallStep("put", (("tags", Constant(["a"])),)),
    )
    assert run_plan(plan, {}, hoarder) == [["a", 0], ["a", 0, 1], ["a", 2]]
    assert plan[0].arguments == (("tags", Constant(["a"])),)
    calls = run_composite(plan, {}, hoarder).calls
    assert [given["tags"] for _, given in calls] == [["a"], ["a", 3], ["a"]]


def test_a_tool_that_gives_out_what_it_changes_later_changes_no_result() -> None:
    log: list[Json] = []

    def logger(name: str, arguments: JsonObject) -> Json:
        log.append(name)
        return log

    assert run_plan((CallStep("one", ()), CallStep("two", ())), {}, logger) == [
        ["one"],
        ["one", "two"],
    ]


# -- the law: text and plan are one


ANSWERS: list[Json] = [
    {"a": 1, "b": ["x", "y"]},
    {"a": {"b": [{"a": 5}, {"a": None}]}},
    [{"a": "p"}, {"a": "q", "b": []}],
    [[1, 2], [3]],
    "abc",
    ["abc", "abd"],
    12,
    None,
    True,
    [],
    {},
]


def oracle_of(seed: int, failures: int):
    """Return tools that answer anything, always the same, and fail now and then."""

    def answer(name: str, arguments: JsonObject) -> Json:
        digest = hashlib.sha256(f"{seed}{name}{canonical(arguments)}".encode()).digest()
        if failures and digest[0] % failures == 0:
            raise ToolCallError("no")
        return ANSWERS[digest[1] % len(ANSWERS)]

    return answer


paths = st.lists(st.sampled_from(["a", "b", 0, -1]), max_size=3).map(tuple)
values = st.sampled_from([1, "it's", 'say "x"', None, True, [1, {"a": 2.5}], {"k": "\n"}])


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    steps: list[CallStep | LoopStep] = []
    for number in range(draw(st.integers(1, 4))):
        results = (
            st.builds(FromResult, st.integers(0, number - 1), paths) if number else st.nothing()
        )
        known = st.one_of(
            st.builds(Parameter, st.sampled_from(["user", "theUser", "class", "b-c", "get"])),
            st.builds(Constant, values),
            results,
        )
        tool = draw(st.sampled_from(["get_user", "put_user", "list", "call_tool"]))
        names = draw(st.lists(st.sampled_from(["x", "of", "it's"]), unique=True, max_size=3))
        if number and draw(st.booleans()):
            origins = st.one_of(st.builds(FromItem, paths), known)
            arguments = tuple((name, draw(origins)) for name in names)
            steps.append(LoopStep(tool, draw(results), arguments))
        else:
            steps.append(CallStep(tool, tuple((name, draw(known)) for name in names)))
    return tuple(steps)


@settings(max_examples=150)
@given(plan=plans(), seed=st.integers(0, 50), failures=st.sampled_from([0, 3]), value=values)
@example(plan=ORDERS, seed=0, failures=0, value="ann")
def test_a_plan_does_what_the_text_drafted_of_it_does(
    local: Sandbox, plan: Plan, seed: int, failures: int, value: Json
) -> None:
    drafted = draft_composite(RepeatedSequence(plan, ()), "tool")
    properties = drafted.parameters["properties"]
    assert isinstance(properties, dict)
    arguments = dict.fromkeys(properties, value)
    tools = oracle_of(seed, failures)
    calls: list[tuple[str, JsonObject]] = []

    def noted(name: str, arguments: JsonObject) -> Json:
        calls.append((name, arguments))
        return tools(name, arguments)

    program = Program(drafted.source, drafted.name)
    outcome = local.run(program, arguments, tier=Tier.SANDBOX, tools=noted)
    run = run_composite(plan, arguments, tools)
    kind = outcome.error.split(":")[0] if outcome.status is Status.ERROR else None
    assert (outcome.value, kind) == (run.value, run.error), outcome.error
    assert tuple(calls) == run.calls
