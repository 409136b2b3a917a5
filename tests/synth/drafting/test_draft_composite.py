"""The composite drafted from a sequence: its text, its schemas, its cases."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Program, Sandbox
from toolguild.synth.drafting import Case, Draft, DraftOrigin
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.mining import RepeatedSequence
from toolguild.synth.traces import ToolDefinition, Trace
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.static import check_source

Writer: TypeAlias = Any


def mined(writer: Writer, traces: list[Trace]) -> RepeatedSequence:
    (found,) = writer.sequences(traces)
    return found  # type: ignore[no-any-return]


def shop(writer: Writer, tools: tuple[ToolDefinition, ...] = ()) -> RepeatedSequence:
    def trace(task: int) -> Trace:
        orders = [f"ord-{task}-{number}" for number in range(1 + task % 3)]
        customer: Json = {"name": f"name{task}", "orders": list(orders)}
        return writer.trace(  # type: ignore[no-any-return]
            f"task{task}",
            writer.call("get_customer", {"email": f"u{task}@shop.example"}, customer),
            *(
                writer.call("get_order", {"order_id": order, "full": True}, {"state": order})
                for order in reversed(orders)
            ),
            tools=tools,
        )

    # Too few tasks to hold any out.
    return mined(writer, [trace(task) for task in range(3)])


def test_a_loop_is_drafted_as_a_reader_would_write_it(writer: Writer) -> None:
    draft = draft_composite(shop(writer))
    head, _, tail = draft.source.partition("return all their")
    assert f"{head}...{tail}" == dedent('''\
        def get_customer_with_orders(email: str) -> dict[str, object]:
            """Call get_customer, then get_order for every item of `customer.orders`, and ...
            results.

            Args:
                email: The email for get_customer, such as 'u0@shop.example'.

            Returns:
                An object with `customer` (what get_customer returns) and `orders` (a list of what
                get_order returns for each item).
            """
            customer = call_tool("get_customer", {"email": email})
            orders = [
                call_tool("get_order", {"order_id": order, "full": True})
                for order in customer["orders"]
            ]
            return {"customer": customer, "orders": orders}
    ''')
    assert draft.name == "get_customer_with_orders"
    assert draft.calls == ("get_customer", "get_order")
    assert draft.origin is DraftOrigin.DETERMINISTIC


def test_the_results_of_a_loop_stand_in_the_order_of_its_list(writer: Writer) -> None:
    case = draft_composite(shop(writer)).cases[2]
    assert case.arguments == {"email": "u2@shop.example"}
    assert isinstance(case.value, dict)
    assert case.value["orders"] == [{"state": f"ord-2-{number}"} for number in range(3)]
    assert [call.tool for call in case.calls] == ["get_customer", *["get_order"] * 3]


def test_schemas_and_annotations_agree(writer: Writer) -> None:
    draft = draft_composite(shop(writer))
    assert draft.parameters == {
        "type": "object",
        "properties": {
            "email": {
                "type": "string",
                "description": "The email for get_customer, such as 'u0@shop.example'",
            }
        },
        "required": ["email"],
        "additionalProperties": False,
    }
    assert draft.returns == {
        "type": "object",
        "properties": {
            "customer": {
                "description": "What get_customer returns (an object with name and orders)"
            },
            "orders": {
                "type": "array",
                "description": "What get_order returns (an object with state), for each item",
            },
        },
        "required": ["customer", "orders"],
    }


def test_the_words_of_the_tool_that_is_called_describe_a_parameter(writer: Writer) -> None:
    parameters: JsonObject = {
        "type": "object",
        "properties": {"email": {"type": "string", "description": "Mail address. Lower case."}},
    }
    tool = ToolDefinition("get_customer", "Find a customer.", parameters)
    draft = draft_composite(shop(writer, (tool,)))
    assert "        email: Mail address.\n" in draft.source


def test_the_same_sequence_gives_the_same_draft(writer: Writer) -> None:
    assert draft_composite(shop(writer)) == draft_composite(shop(writer))


def test_parameters_of_every_json_type_are_annotated(writer: Writer) -> None:
    values: dict[str, list[Json]] = {
        "text": ["abc", "def", "ghi"],
        "whole": [100, 200, 300],
        "part": [0.5, 1.5, 2],
        "flag": [True, False, True],
        "names": [["aa"], ["bb"], ["cc", "dd"]],
        "fields": [{"k": 100}, {"k": 200}, {"k": 300}],
        "odd": [None, 1, "x"],
        "class": ["c1x", "c2x", "c3x"],
    }

    def trace(task: int) -> Trace:
        arguments = {name: column[task] for name, column in values.items()}
        return writer.trace(  # type: ignore[no-any-return]
            f"task{task}",
            writer.call("find_things", arguments, {"hit": f"hit-{task}"}),
            writer.call("get_thing", {"hit": f"hit-{task}"}, {}),
        )

    draft = draft_composite(mined(writer, [trace(task) for task in range(3)]))
    (function,) = ast.parse(draft.source).body
    assert isinstance(function, ast.FunctionDef)
    annotations = {
        argument.arg: ast.unparse(argument.annotation)
        for argument in function.args.args
        if argument.annotation
    }
    assert annotations == {
        "text": "str",
        "whole": "int",
        "part": "float",
        "flag": "bool",
        "names": "list[str]",
        "fields": "dict[str, object]",
        "odd": "int | str | None",
        "class_": "str",
    }
    assert '"class": class_' in draft.source
    assert check_source(draft.source, Tier.SANDBOX, entry=draft.name) == []


# -- the law: what is mined from simulated runs of a plan does again what the runs did


@st.composite
def plans(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw calls, each tied to an earlier one by data; a call may loop over an earlier list."""
    calls: list[dict[str, Any]] = [{"loop": None, "arguments": {"key": ("given", 0)}}]
    for number in range(1, draw(st.integers(2, 4))):
        single = [n for n, call in enumerate(calls) if call["loop"] is None]
        source = draw(st.sampled_from(single))
        loop = draw(st.sampled_from([None, None, "names", "rows"]))
        tie = (
            ("item", None)
            if loop
            else draw(
                st.sampled_from(
                    [("result", (source, "id")), ("result", (source, "last")), ("given", 0)]
                )
            )
        )
        arguments: dict[str, Any] = {"key": tie}
        if draw(st.booleans()):
            arguments["extra"] = draw(
                st.sampled_from([("given", number), ("constant", 7), ("result", (source, "id"))])
            )
        verb = draw(st.sampled_from(["get", "book"]))
        calls.append({"loop": loop, "over": source, "arguments": arguments, "verb": verb})
    return calls


def simulate(writer: Writer, plan: list[dict[str, Any]], task: int) -> tuple[Trace, list[Json]]:
    """Return a run of the plan, with the results of its calls (a list for a loop)."""
    results: list[Any] = []
    steps = []
    for number, call in enumerate(plan):
        tool = f"{call.get('verb', 'get')}_thing{number}"
        listed: list[Any] = results[call["over"]][call["loop"]] if call["loop"] else [None]
        answers: list[Any] = []
        for turn, item in enumerate(listed):

            def value(origin: tuple[str, Any], item: Any = item) -> Json:
                kind, detail = origin
                if kind == "given":
                    return f"given{detail}-of-{task}"
                if kind == "result":
                    part = results[detail[0]]
                    return part["id"] if detail[1] == "id" else part["names"][-1]  # type: ignore[no-any-return]
                if kind == "item":
                    return item["id"] if isinstance(item, dict) else item  # type: ignore[no-any-return]
                return detail  # type: ignore[no-any-return]

            arguments = {name: value(origin) for name, origin in call["arguments"].items()}
            mark = f"{number}-{turn}-of-{task}"
            names = [f"name{n}-{mark}" for n in range(2 + task % 3)]
            rows = [{"id": f"row{n}-{mark}", "size": n} for n in range(2 + (task + 1) % 2)]
            answer: Json = {"id": f"id-{mark}", "names": list(names), "rows": list(rows)}
            answers.append(answer)
            steps.append(writer.call(tool, arguments, answer))
        results.append(answers if call["loop"] else answers[0])
    told = " ".join(f"given{number}-of-{task}" for number in range(len(plan)))
    return writer.trace(f"task{task}", *steps, text=told), results


def run_again(draft: Draft, case: Case, sandbox: Sandbox) -> Json:
    tools = RecordedTools(case.calls)
    program = Program(draft.source, draft.name)
    outcome = sandbox.run(program, case.arguments, tier=Tier.SANDBOX, tools=tools)
    assert outcome.ok, outcome.error
    assert tools.unrecorded == []
    assert tools.writes_agree
    return outcome.value


@settings(max_examples=60)
@given(plan=plans())
def test_a_plan_mined_from_simulated_runs_gives_their_results_again(
    writer: Writer, local: Sandbox, plan: list[dict[str, Any]]
) -> None:
    runs = [simulate(writer, plan, task) for task in range(4)]
    found = writer.sequences([trace for trace, _ in runs])
    assert [len(one.plan) for one in found] == [len(plan)]
    draft = draft_composite(found[0])
    assert check_source(draft.source, Tier.SANDBOX, entry=draft.name) == []
    assert len(draft.held_out) == 1
    cases = sorted([*draft.cases, *draft.held_out], key=lambda case: case.task_id)
    for case, (trace, results) in zip(cases, runs, strict=True):
        assert case.calls == trace.steps
        value = run_again(draft, case, local)
        assert value == case.value
        assert isinstance(value, dict)
        assert list(value.values()) == results
