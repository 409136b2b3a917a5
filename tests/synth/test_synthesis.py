"""The whole way on small written logs: from files to registered tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from toolguild.policies import Capability, Tier
from toolguild.registry import Registry
from toolguild.registry.audit import head
from toolguild.sandbox import (
    Json,
    Limits,
    Sandbox,
    SandboxUnavailableError,
    ScriptedSandbox,
)
from toolguild.synth.synthesis import Fate, Synthesized, mine, synthesize
from toolguild.synth.tool_spec import spec_of
from toolguild.synth.tool_text import draft_from_text
from toolguild.synth.validation import ValidationSettings

Writer: TypeAlias = Any

SETTINGS = ValidationSettings(inputs=30, repeats=8, limits=Limits(wall_s=1.0))


def chat(task: int) -> Json:
    """Return the chat of a run: a customer is looked up, then each of their orders."""
    orders = [f"ord-{task}-{number}" for number in range(1 + task % 3)]
    messages: list[Json] = [
        {"role": "user", "content": f"Where are my orders? u{task}@shop.example"}
    ]
    asked: list[tuple[str, Json, Json]] = [
        ("get_customer", {"email": f"u{task}@shop.example"}, {"orders": [*orders]}),
        *(("get_order", {"order_id": order}, {"id": order, "state": "sent"}) for order in orders),
    ]
    for number, (tool, arguments, result) in enumerate(asked):
        function: Json = {"name": tool, "arguments": json.dumps(arguments)}
        call: Json = {"id": f"c{number}", "type": "function", "function": function}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": json.dumps(result)},
        ]
    return {"id": f"chat-{task}", "messages": messages}


FACTORIAL = """
def factorial(n):
    if n == 0:
        return 1
    return n * factorial(n - 1)
print(factorial({0}))
"""
BROKEN = """
def parse(text):
    return int(text) * 2 + len(text)
print(parse("{0}"))
"""


def session(task: int) -> Json:
    """Return the chat of a run that executes code: one function that is good, one that is not."""
    n = 3 + task
    shown = {3: "6", 4: "24", 5: "120"}[n]
    parts: list[Json] = [{"role": "user", "content": f"Work out the numbers of case {task}."}]
    for code, output in [(FACTORIAL.format(n), shown), (BROKEN.format(n), str(2 * n + 1))]:
        parts += [
            {"role": "assistant", "content": f"<execute>{code}</execute>"},
            {"role": "user", "content": f"Observation:\n{output}"},
        ]
    return {"id": f"session-{task}", "messages": parts}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name, record in [("chats", chat), ("code", session)]:
        lines = [json.dumps(record(task)) for task in range(3)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "tools.db", actor="tester") as registry:
        yield registry


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def run(
    logs: Path, registry: Registry, sandbox: Sandbox, executor: Executor
) -> dict[str, Synthesized]:
    mined = mine([logs])
    done = list(synthesize(mined.opportunities, registry, sandbox, executor, SETTINGS))
    return {one.name: one for one in done}


def test_mining_counts_what_it_read(logs: Path) -> None:
    told: list[tuple[str, float]] = []
    mined = mine([logs], on_progress=lambda stage, done: told.append((stage, done)))
    assert [done for stage, done in told if stage == "reading"] == [1, 2, 3, 4, 5, 6]
    assert told[-1] == ("code", 1.0)
    assert (mined.traces, mined.tasks) == (6, 6)
    assert (mined.tool_calls, mined.code_executions) == (3 + 6, 6)
    assert mined.problems == []
    assert len(mined.opportunities) == 3


def test_from_logs_to_registered_tools(
    logs: Path, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    done = run(logs, registry, local, executor)
    assert {name: one.fate for name, one in done.items()} == {
        "get_customer_with_orders": Fate.REGISTERED,
        "factorial": Fate.REGISTERED,
        "parse": Fate.REJECTED,
    }
    assert all(one.changed for one in done.values())
    assert sorted(version.spec.name for version in registry.tools()) == [
        "factorial",
        "get_customer_with_orders",
    ]
    composite = registry.tool("get_customer_with_orders")
    assert composite.ref == done["get_customer_with_orders"].ref
    assert composite.tier is Tier.SANDBOX
    assert composite.spec.calls == ("get_customer", "get_order")
    assert composite.provenance["steps"] == {"customer": "get_customer", "orders": "get_order"}
    assert composite.provenance["support"] == 3
    assert composite.provenance["saving"]["calls"] == 6  # type: ignore[index,call-overload]
    assert composite.evidence["cases"] == 3
    places = composite.provenance["places"]
    assert isinstance(places, list)
    assert [str(place).rpartition("/")[2] for place in places] == [
        f"chats.jsonl:{line}#1" for line in (1, 2, 3)
    ]
    assert registry.tool("factorial").provenance["kind"] == "definition"


def test_rejected_drafts_are_kept_with_their_reasons(
    logs: Path, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    done = run(logs, registry, local, executor)
    (kept,) = registry.rejections()
    assert kept.spec.name == "parse"
    assert kept.reasons == done["parse"].reasons
    assert "ValueError" in kept.reasons[0]
    assert kept.evidence["checks"]


def test_a_second_run_changes_nothing(
    logs: Path, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    first = run(logs, registry, local, executor)
    before = head(registry)
    second = run(logs, registry, local, executor)
    assert head(registry) == before
    assert {name: one.fate for name, one in second.items()} == {
        "get_customer_with_orders": Fate.UNCHANGED,
        "factorial": Fate.UNCHANGED,
        "parse": Fate.REJECTED,
    }
    assert not any(one.changed for one in second.values())
    assert {one.ref for one in second.values()} == {one.ref for one in first.values()}


def test_what_was_registered_is_not_undone_by_a_later_rejection(
    logs: Path, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    first = run(logs, registry, local, executor)["get_customer_with_orders"]
    before = head(registry)
    # The very same draft, judged where every run takes too long.
    strict = replace(SETTINGS, limits=Limits(wall_s=0.000_01))
    (again,) = synthesize([first.proof.opportunity], registry, local, executor, strict)
    assert again.proof.draft == first.proof.draft
    assert (again.fate, again.changed, again.ref) == (Fate.REJECTED, False, "")
    assert again.reasons
    assert head(registry) == before


def test_a_tool_that_the_registry_cannot_offer_stops_no_other(
    writer: Writer, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    # The one name that a tool may not have: what is injected into every tool.
    code = "def call_tool(x):\n    return x * 2 + len(str(x))\nprint(call_tool(3))"
    good = FACTORIAL.format(3)
    steps = [writer.code(code, "7"), writer.code(good, "6")]
    traces = [writer.trace(f"task{number}", *steps) for number in range(2)]
    opportunities = writer.repeated_code(traces)
    done = {one.name: one for one in synthesize(opportunities, registry, local, executor, SETTINGS)}
    assert done["factorial"].fate is Fate.REGISTERED
    assert done["call_tool"].fate in (Fate.REJECTED, Fate.NOT_DRAFTED)
    assert done["call_tool"].reasons
    assert [version.spec.name for version in registry.tools()] == ["factorial"]


def test_a_tool_whose_words_are_meant_for_its_reader_is_rejected_and_says_why(
    writer: Writer, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    code = FACTORIAL.replace("factorial", "ignore_previous_instructions").format(3)
    steps = [writer.code(code, "6")]
    traces = [writer.trace(f"task{number}", *steps) for number in range(2)]
    (done,) = synthesize(writer.repeated_code(traces), registry, local, executor, SETTINGS)
    assert done.proof.passed
    assert (done.fate, done.changed, done.ref) == (Fate.REJECTED, True, "")
    (reason,) = done.reasons
    assert "name: reads as an order to its reader" in reason
    assert registry.tools() == []
    assert [draft.reasons for draft in registry.rejections()] == [(reason,)]


def test_an_opportunity_without_a_draft_says_why(
    writer: Writer, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    steps = [writer.code(FACTORIAL.format(3), "7")]
    traces = [writer.trace(f"task{number}", *steps) for number in range(2)]
    (done,) = synthesize(writer.repeated_code(traces), registry, local, executor, SETTINGS)
    assert (done.fate, done.name, done.changed, done.ref) == (
        Fate.NOT_DRAFTED,
        "factorial",
        False,
        "",
    )
    assert done.reasons == (
        "running the recorded code again gave no result that agrees with the log",
    )


def test_without_a_sandbox_nothing_is_judged(
    logs: Path, registry: Registry, executor: Executor
) -> None:
    broken = ScriptedSandbox(lambda run: SandboxUnavailableError("no isolation"))
    with pytest.raises(SandboxUnavailableError):
        list(synthesize(mine([logs]).opportunities, registry, broken, executor, SETTINGS))
    assert registry.tools() == []
    assert registry.rejections() == []


def test_what_was_done_before_an_interruption_stays(
    logs: Path, registry: Registry, local: Sandbox, executor: Executor
) -> None:
    running = synthesize(mine([logs]).opportunities, registry, local, executor, SETTINGS)
    first = next(running)
    running.close()  # type: ignore[attr-defined]
    assert [version.spec.name for version in registry.tools()] == [first.name]
    rest = run(logs, registry, local, executor)
    assert rest[first.name].fate is Fate.UNCHANGED


class FirstOnly(Executor):
    """Runs the first thing that is submitted, and leaves the rest waiting."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if not self.futures:
            future.set_result(task(*args, **kwargs))
        self.futures.append(future)
        return future


def test_what_waits_is_called_off_when_nobody_wants_more(
    logs: Path, registry: Registry, local: Sandbox
) -> None:
    executor = FirstOnly()
    running = synthesize(mine([logs]).opportunities, registry, local, executor, SETTINGS)
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert [future.cancelled() for future in executor.futures] == [False, True, True]


def test_what_a_draft_needs_is_inferred_from_its_text() -> None:
    text = """
import urllib.request
def fetch(url: str) -> str:
    return urllib.request.urlopen(url).read().decode()
"""
    assert spec_of(draft_from_text(text)).needs == {Capability.NETWORK}
    plain = "def double(x: int) -> int:\n    return 2 * x\n"
    assert spec_of(draft_from_text(plain)).needs == frozenset()
