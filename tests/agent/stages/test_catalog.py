"""Which tools there are to choose from, and which are looked at first."""

from __future__ import annotations

import pytest
from stage_runs import OWN, configuration, reconfigure, terminate

from toolguild.agent.scripted import Calls
from toolguild.agent.stages import CallEnded, Catalog
from toolguild.policies import Capability, Tier
from toolguild.registry import Registry, State, ToolSpec

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def spec(name: str, body: str, **fields) -> ToolSpec:
    text = '"""Give a number.\n\n    Args:\n        n: One.\n    """'
    source = f"def {name}(n: int) -> int:\n    {text}\n{body}"
    return ToolSpec(name, "Double a number.", source, NUMBER, {"type": "integer"}, **fields)


DOUBLE = spec("double", "    return 2 * n\n")


def test_the_callers_own_and_the_registrys_tools_with_tags(registry, toolbox) -> None:
    registry.register(DOUBLE)
    catalog = Catalog.of(toolbox)
    assert {*catalog} == {*OWN, "double"}
    assert catalog["double"].categories == ("learned",)
    assert catalog["send_note"].categories == ("network",)
    assert catalog["double"].is_repeatable
    assert not catalog["send_note"].is_repeatable


def test_tools_that_their_tier_holds_back_are_left_out(registry: Registry, toolbox) -> None:
    writing = spec(
        "keep", "    open('x', 'w')\n    return n\n", needs=frozenset({Capability.WRITE})
    )
    calling = spec("tell", "    return call_tool('send_note', {})\n", calls=("send_note",))
    lacking = spec("lack", "    return call_tool('nobody', {})\n", calls=("nobody",))
    for one in (writing, calling, lacking):
        registry.register(one)
    assert {*Catalog.of(toolbox)} == {*OWN}
    registry.set_tier("keep", Tier.RESTRICTED, why="a test")
    registry.set_tier("tell", Tier.FULL, why="a test")
    catalog = Catalog.of(toolbox)
    assert {*catalog} == {*OWN, "keep", "tell"}
    assert catalog["tell"].categories == ("learned", "network")


def test_no_tool_of_the_registry_takes_the_place_of_the_callers_own(registry, toolbox) -> None:
    registry.register(spec("add", "    return n\n"))
    assert Catalog.of(toolbox)["add"].description == "Add two numbers."


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("What is the weather in Rome?", "find_weather"),
        ("sending a note to Bob", "send_note"),
        ("adding numbers", "add"),
    ],
)
def test_what_fits_the_words_best_comes_first(toolbox, text, first) -> None:
    assert Catalog.of(toolbox).short_list(text, 2)[0].name == first


def test_what_is_registered_during_a_run_shows_up_at_the_next_stage(
    play, registry, toolbox
) -> None:
    script = iter(
        [
            configuration("add", "find_city"),
            reconfigure("Double 4."),
            configuration("double", "add", sub_goal="Double 4."),
            Calls(("double", {"n": 4})),
            terminate("8"),
        ]
    )

    def reply(_body):
        turn = next(script)
        if isinstance(turn, Calls) and turn.calls[0][0] == "reconfigure":
            registry.register(DOUBLE)
        return turn

    run = play(script=reply, tools=toolbox)
    assert [call.text for call in run.of(CallEnded)] == ["8"]


def test_what_is_quarantined_during_a_stage_is_called_no_more(play, registry, toolbox) -> None:
    registry.register(DOUBLE)
    script = iter(
        [configuration("double", "add"), Calls(("double", {"n": 4})), terminate("nothing")]
    )

    def reply(_body):
        turn = next(script)
        if isinstance(turn, Calls) and turn.calls[0][0] == "double":
            registry.set_state("double", State.QUARANTINED, why="a test")
        return turn

    run = play(script=reply, tools=toolbox)
    (call,) = run.of(CallEnded)
    assert (call.ok, call.ran) == (False, False)
    assert "quarantined" in call.text
