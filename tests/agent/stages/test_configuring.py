"""What becomes of a configuration as the model wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import configuration, terminate

from toolguild.agent.scripted import Says
from toolguild.agent.stages import Catalog, CatalogTool, Configuration, Configured
from toolguild.agent.stages.configuring import settled
from toolguild.policies import Capability
from toolguild.synth.models import UnfitReplyError


def catalog_of(*names: str) -> Catalog:
    return Catalog(
        CatalogTool(name, f"Do {name}.", {}, ("things",), frozenset({Capability.READ}))
        for name in names
    )


def written(*toolbox: str, **fields: str) -> Configuration:
    return Configuration.model_validate(configuration(*toolbox, **fields))


NAMES = st.lists(st.sampled_from([f"tool_{letter}" for letter in "abcdefgh"]), unique=True)


@given(there=NAMES, chosen=st.lists(st.sampled_from(["tool_a", "tool_b", "tool_h", "xyz", ""])))
def test_a_stage_has_two_tools_where_there_are_two_and_never_all_of_more(there, chosen) -> None:
    catalog = catalog_of(*there)
    try:
        made, _ = settled(written(*chosen), [*catalog.values()], catalog, most=4)
    except UnfitReplyError:
        assert not {*chosen} & {*there}
        return
    assert {*made.toolbox} <= {*there}
    assert len({*made.toolbox}) == len(made.toolbox)
    assert len(made.toolbox) >= min(2, len(there))
    if len(there) > 2:
        assert len(made.toolbox) < len(there)
    assert len(made.toolbox) <= 4


def test_what_had_to_be_mended_is_told() -> None:
    catalog = catalog_of("find_city", "find_weather", "send_note", "add")
    made, notes = settled(written("find_citty", "fly"), [*catalog.values()], catalog, most=8)
    assert made.toolbox == ("find_city", "find_weather")
    assert notes == (
        "'find_citty' was taken for find_city",
        "'fly' was left out: there is no such tool to choose",
        "find_weather was added: a stage has 2 tools at least",
    )


def test_the_tools_that_fit_least_go_where_there_are_too_many() -> None:
    catalog = catalog_of("a", "b", "c", "d")
    short_list = [catalog[name] for name in "dcba"]
    made, notes = settled(written("a", "b", "c", "d"), short_list, catalog, most=2)
    assert made.toolbox == ("d", "c")
    assert notes == ("b, a left out: a stage has 2 tools at most",)


def test_the_model_is_told_which_tools_there_are(play) -> None:
    run = play(configuration("fly", "swim"), configuration("add", "find_city"), terminate())
    assert "there is no tool 'fly'" in run.endpoint.requests[1]["messages"][-1]["content"]
    assert run.of(Configured)[0].configuration.toolbox == ("add", "find_city")


@pytest.mark.parametrize(
    "reply", ["", "Sure!", "{}", '{"sub_goal": ""}', "[]", "```json\n3\n```", "\x00\ud800"]
)
def test_a_model_that_writes_none_begins_with_the_task_itself(play, reply) -> None:
    run = play(*[Says(reply)] * 3, terminate())
    (first,) = run.of(Configured)
    assert first.configuration.sub_goal == "Find out where Ada lives."
    assert first.notes[0].startswith("the model wrote none")
    assert 2 <= len(first.configuration.toolbox) < 4
    assert run.result.result == "done"


def test_without_any_tools_there_are_the_two_that_every_stage_has(play, registry, sandbox) -> None:
    from toolguild.registry import Toolbox

    run = play(configuration(), terminate("42"), tools=Toolbox(registry, sandbox))
    assert run.offered() == [["reconfigure", "terminate"]]
    assert run.result.result == "42"
