"""Naming the parameters of a data flow."""

from __future__ import annotations

from toolguild.synth.mining import MiningSettings, SequenceMiner
from toolguild.synth.plans import Parameter
from toolguild.synth.traces import Outcome, Place, Task, ToolCall, Trace


def test_a_numbered_parameter_never_takes_the_name_of_another_argument() -> None:
    miner = SequenceMiner(MiningSettings())
    for number in range(4):
        first = {"city": f"from-{number}", "city_2": f"over-{number}"}
        calls = [
            ("get_route", first),
            ("get_weather", {"city": f"to-{number}", "city_2": f"over-{number}"}),
        ]
        steps = tuple(
            ToolCall(tool, {**arguments}, {"ok": number}, None, Place("log", number + 1, step + 1))
            for step, (tool, arguments) in enumerate(calls)
        )
        task = Task(f"task-{number}", f"from-{number} over-{number} to-{number}")
        place = Place("log", number + 1)
        miner.add(Trace(f"trace-{number}", task, steps, Outcome(), place))
    [found] = miner.mine()
    names = [
        origin.name
        for step in found.plan
        for _, origin in step.arguments
        if isinstance(origin, Parameter)
    ]
    assert len(names) == 4
    assert len(set(names)) == 3
    assert found.occurrences[0].bindings == {
        name: value
        for step, call in zip(found.plan, found.occurrences[0].calls, strict=True)
        for (argument, origin) in step.arguments
        if isinstance(origin, Parameter)
        for name, value in [(origin.name, call.arguments[argument])]
    }
