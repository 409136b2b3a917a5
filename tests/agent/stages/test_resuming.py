"""A run that was interrupted goes on as if it had not been."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import OWN, configuration, reconfigure, terminate

from toolguild.agent.scripted import Calls, ScriptedEndpoint, Turn
from toolguild.agent.stages import (
    CallEnded,
    CallStarted,
    Event,
    Replied,
    RunLogError,
    RunResult,
    RunState,
    StageLoop,
    UnsoundEventsError,
    open_log,
    read_log,
)
from toolguild.registry import Toolbox
from toolguild.sandbox import JsonObject
from toolguild.synth.models import Answer, AsyncModel, ModelDownError, ModelSettings

SCRIPT: list[Turn] = [
    configuration("find_city", "find_weather"),
    Calls(("find_city", {"person": "Ada"}), ("find_city", {"person": "Bob"})),
    # Both fail, so that the stage has to give way.
    Calls(("find_city", {"person": "Eve"}), ("find_city", {"person": "Mallory"})),
    reconfigure("Tell Ada."),
    configuration("send_note", "add", sub_goal="Tell Ada."),
    Calls(("send_note", {"to": "Ada", "text": "Hello"})),
    terminate("Told."),
]


def requests_before(events: list[Event]) -> int:
    """Return how many replies of the script were used up."""
    spent: list[Any] = [getattr(event, "tokens", None) for event in events]
    return sum(one.requests for one in spent if one)


async def run(toolbox: Toolbox, script: list[Turn], events: list[Event], **more: Any) -> RunResult:
    model = AsyncModel(ModelSettings(name="scripted"), endpoint=ScriptedEndpoint(script))
    async with model:
        loop = StageLoop(model, toolbox, on_event=events.append, **more)
        return await (loop.resume([*events]) if events else loop.run("Tell Ada.", "run-1"))


@pytest.fixture(scope="module")
def whole(sandbox, tmp_path_factory) -> tuple[Toolbox, list[Event], RunResult]:
    from toolguild.registry import Registry

    registry = Registry.open(tmp_path_factory.mktemp("registry") / "tools.db", actor="a test")
    toolbox = Toolbox(registry, sandbox, OWN)
    events: list[Event] = []
    result = asyncio.run(run(toolbox, SCRIPT, events))
    return toolbox, events, result


@given(st.data())
def test_wherever_it_was_cut_off_it_comes_to_the_same_end(whole, data) -> None:
    toolbox, events, result = whole
    cut = data.draw(st.integers(1, len(events) - 1))
    known = events[:cut]
    resumed = [*known]
    again = asyncio.run(run(toolbox, SCRIPT[requests_before(known) :], resumed))
    if isinstance(known[-1], CallStarted) and known[-1].name == "send_note":
        (lost,) = [one for one in resumed[cut:] if isinstance(one, CallEnded)][:1]
        assert "Nobody knows whether it took effect" in lost.text
        return
    assert again == result
    assert [one.kind for one in resumed if one.kind != "call_started"] == [
        one.kind for one in events if one.kind != "call_started"
    ]


def test_a_call_that_may_have_taken_effect_is_not_repeated(whole) -> None:
    toolbox, events, _ = whole
    sent: list[str] = []
    noting = replace(OWN["send_note"], function=lambda to, text: sent.append(to))
    watched = Toolbox(toolbox._registry, toolbox._sandbox, OWN | {"send_note": noting})
    begun = next(
        place
        for place, one in enumerate(events)
        if isinstance(one, CallStarted) and one.name == "send_note"
    )
    asyncio.run(run(watched, [terminate("Perhaps.")], [*events[: begun + 1]]))
    assert not sent


def test_a_model_that_goes_down_leaves_a_file_to_go_on_from(toolbox, tmp_path) -> None:
    path = tmp_path / "runs" / "one.jsonl"
    with open_log(path) as log, pytest.raises(ModelDownError):
        asyncio.run(run(toolbox, SCRIPT[:3], [], log=log))
    with open_log(path, resume=True) as log:
        result = asyncio.run(run(toolbox, SCRIPT[3:], log.events, log=log))
    assert result.result == "Told."
    state = RunState.of(read_log(path))
    assert state.end is not None
    assert (state.stage, state.tokens.requests) == (2, len(SCRIPT))


class TestTheFile:
    @pytest.fixture
    def path(self, whole, tmp_path):
        path = tmp_path / "run.jsonl"
        with open_log(path) as log:
            for event in whole[1]:
                log.add(event)
        return path

    def test_it_holds_every_event(self, whole, path) -> None:
        assert read_log(path) == whole[1]

    @given(cut=st.integers(1, 200))
    def test_what_a_write_that_was_cut_off_left_is_no_event(self, whole, tmp_path_factory, cut):
        path = tmp_path_factory.mktemp("cut") / "run.jsonl"
        with open_log(path) as log:
            for event in whole[1]:
                log.add(event)
        data = path.read_bytes()
        path.write_bytes(data[:-cut])
        assert [*read_log(path)] == whole[1][: len(read_log(path))]
        with open_log(path, resume=True) as log:
            left = [*log.events]
            log.add(whole[1][len(left)])
        assert read_log(path) == whole[1][: len(left) + 1]

    def test_nothing_is_written_over(self, path) -> None:
        with pytest.raises(RunLogError, match="resume that run"), open_log(path):
            pass

    def test_two_processes_do_not_write_to_one(self, path) -> None:
        with (
            open_log(path, resume=True),
            pytest.raises(RunLogError, match="another process"),
            open_log(path, resume=True),
        ):
            pass

    def test_secrets_are_not_kept(self, whole, tmp_path) -> None:
        secret = "sk-proj-" + "a1B2" * 12
        told = Replied(
            at="2026-11-22T12:00:00+00:00",
            offered=(),
            text=f"The key is {secret}.",
            calls=(),
            tokens={"requests": 1},
        )
        path = tmp_path / "secret.jsonl"
        with open_log(path) as log:
            log.add(whole[1][0])
            log.add(told)
        assert secret not in path.read_text()
        assert "[redacted" in path.read_text()

    @pytest.mark.parametrize(
        "line", ["", "{}", "[]", "nonsense", '{"kind": "unknown"}', '{"kind": "ended", "at": 3}']
    )
    def test_what_is_no_event_is_named_by_its_line(self, path, line) -> None:
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:2], line, *lines[2:]]) + "\n")
        with pytest.raises(RunLogError, match=r"run\.jsonl:3: no event"):
            read_log(path)

    def test_a_file_that_is_missing(self, tmp_path) -> None:
        with pytest.raises(RunLogError, match="No such file"):
            read_log(tmp_path / "none.jsonl")


def test_events_that_do_not_follow_on_each_other_are_refused(whole) -> None:
    _, events, _ = whole
    for unsound in ([], events[1:], [*events, events[-1]], [events[0], events[-2]]):
        with pytest.raises(UnsoundEventsError):
            RunState.of(unsound)


def test_a_call_that_reads_is_made_again(whole) -> None:
    toolbox, events, _ = whole
    begun = next(place for place, one in enumerate(events) if isinstance(one, CallStarted))
    resumed = [*events[: begun + 1]]
    asyncio.run(run(toolbox, [*SCRIPT[2:]], resumed))
    answered = next(one for one in resumed if isinstance(one, CallEnded))
    assert json.loads(json.dumps(answered.text)) == "Paris"


@pytest.mark.parametrize("moment", ["in a call", "while the model writes"])
def test_a_run_that_is_cancelled_ends_at_once_and_goes_on_later(whole, moment) -> None:
    toolbox, _, result = whole
    reached, released = threading.Event(), threading.Event()

    def slow(person: str) -> Any:
        reached.set()
        released.wait(60)
        return OWN["find_city"].function(person)

    class Slow(ScriptedEndpoint):
        async def send(self, body: JsonObject) -> Answer:
            if moment != "in a call" and len(self.requests) == 1:
                reached.set()
                await asyncio.sleep(60)
            return await super().send(body)

    tools = Toolbox(
        toolbox._registry,
        toolbox._sandbox,
        OWN | {"find_city": replace(OWN["find_city"], function=slow)},
    )
    events: list[Event] = []

    async def cancelled() -> None:
        model = AsyncModel(ModelSettings(name="scripted"), endpoint=Slow(SCRIPT))
        async with model:
            loop = StageLoop(model, tools, on_event=events.append)
            running = asyncio.create_task(loop.run("Tell Ada.", "run-1"))
            await asyncio.to_thread(reached.wait, 60)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    try:
        asyncio.run(cancelled())
    finally:
        released.set()
    assert not any(isinstance(event, CallEnded) for event in events)
    assert asyncio.run(run(toolbox, SCRIPT[requests_before(events) :], events)) == result
