"""Whatever a model answers, a run ends within its bounds, and its events tell how."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage_runs import OWN, configuration

from toolguild.agent.stages import Ended, Event, Limits, RunState, StageLoop, open_log, read_log
from toolguild.agent.stages.atif import trace_of
from toolguild.registry import Toolbox
from toolguild.sandbox import JsonObject
from toolguild.synth.models import Answer, AsyncModel, FunctionCall, ModelSettings

LIMITS = Limits(stages=3, steps=12, stage_steps=5, context_tokens=3000)
MOST_REQUESTS = 12 + 2 + 3 * 12
"""Steps, last words, and what a refused or granted change takes at each of the steps."""

SHORT = st.text(max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | SHORT,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from([*OWN, "reconfigure", "terminate", "nobody"]) | st.text(max_size=8)
FIELDS = {
    "reconfigure": (
        "execution_summary",
        "update_reason",
        "new_sub_goal",
        "toolbox_requirements",
        "knowledge_requirements",
        "strategy_requirements",
        "context_requirements",
    ),
    "find_city": ("person",),
    "send_note": ("to", "text"),
}


@st.composite
def calls(draw: st.DrawFn) -> FunctionCall:
    name = draw(NAMES)
    fields = FIELDS.get(name, ())
    fitting = st.fixed_dictionaries({field: st.text(max_size=9) for field in fields}).map(
        json.dumps
    )
    arguments = draw(fitting | JSON.map(json.dumps) | st.text(max_size=9))
    return FunctionCall(draw(st.text(max_size=3)), name, arguments)


TEXTS = (
    st.text(max_size=40)
    | JSON.map(json.dumps)
    | st.lists(st.sampled_from([*OWN, "nobody"]), max_size=5).map(
        lambda names: json.dumps(configuration(*names))
    )
    | st.text(min_size=1, max_size=9).map(
        lambda goal: json.dumps(configuration("add", "find_city", sub_goal=goal, strategy=goal))
    )
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    called = draw(st.lists(calls(), max_size=3, unique_by=lambda call: call.id))
    return Answer(
        text=draw(TEXTS),
        ended=draw(st.sampled_from(["whole", "whole", "whole", "cut off", "refused"])),
        input_tokens=draw(st.none() | st.integers(0, 1000)),
        output_tokens=draw(st.none() | st.integers(0, 1000)),
        request_id="",
        calls=tuple(called),
    )


@dataclass
class Repeating:
    """Gives answers, and then the last of them again and again."""

    given: list[Answer]
    requests: int = 0

    async def probe(self) -> bool:
        return True

    async def send(self, body: JsonObject) -> Answer:
        json.dumps(body)
        self.requests += 1
        return self.given[min(self.requests, len(self.given)) - 1]

    async def close(self) -> None:
        pass


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(answers(), min_size=1, max_size=14))
def test_a_run_ends_within_its_bounds(registry, sandbox, tmp_path_factory, given_answers) -> None:
    endpoint, events = Repeating(given_answers), list[Event]()
    path = tmp_path_factory.mktemp("run") / "run.jsonl"

    async def run() -> None:
        async with AsyncModel(ModelSettings(name="any"), endpoint=endpoint) as model:
            toolbox = Toolbox(registry, sandbox, OWN)
            with open_log(path) as log:
                loop = StageLoop(model, toolbox, limits=LIMITS, log=log, on_event=events.append)
                await loop.run("Do it.")

    asyncio.run(run())
    state = RunState.of(events)
    assert isinstance(events[-1], Ended)
    assert state.stage <= LIMITS.stages
    assert endpoint.requests <= MOST_REQUESTS
    assert len(read_log(path)) == len(events)
    assert json.dumps(trace_of(events))
