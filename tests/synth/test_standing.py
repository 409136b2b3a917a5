"""When words alone make a new version of a tool, and when they leave the one that stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.registry import Registry, State, ToolSpec, ToolVersion
from toolguild.sandbox import JsonObject
from toolguild.synth.drafting import Authorship
from toolguild.synth.standing import kept_version, same_but_for_words, takes_words
from toolguild.synth.tool_spec import spec_of
from toolguild.synth.tool_text import draft_from_text

MODEL = Authorship("some-model", ("sha256:1",), ("req-1",), 30, 9, None)


def spec(says: str, body: str = "return n + 1") -> ToolSpec:
    """Return a tool with some words in each place that a model may put words in."""
    text = f'def succ(n: int) -> int:\n    """{says}."""\n    {body}\n'
    made = spec_of(draft_from_text(text))
    described: JsonObject = {"n": {"type": "integer", "description": says}}
    return replace(
        made,
        parameters={**made.parameters, "properties": described},
        returns={**made.returns, "description": says},
    )


PLAIN = spec("Return one more than n")
WORDED = spec("Return the successor of n")
OTHER_WORDS = spec("Return what comes after n")
OTHER_CODE = spec("Return one more than n", "return n + 2")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "tools.db", actor="tester") as registry:
        yield registry


def register(registry: Registry, spec: ToolSpec, authorship: Authorship | None) -> ToolVersion:
    provenance = authorship.to_json() if authorship else {}
    return registry.register(spec, provenance=provenance).version


def test_only_words_are_left_out(registry: Registry) -> None:
    version = register(registry, PLAIN, None)
    assert same_but_for_words(WORDED, registry) == [version]
    needing = replace(PLAIN, calls=("other",))
    narrower: JsonObject = {"n": {"type": "integer", "minimum": 0}}
    bounded = replace(PLAIN, parameters={**PLAIN.parameters, "properties": narrower})
    for other in (OTHER_CODE, needing, bounded, replace(PLAIN, returns={"type": "number"})):
        assert same_but_for_words(other, registry) == []


def test_a_parameter_called_description_is_no_words(registry: Registry) -> None:
    text = 'def say(description: str) -> str:\n    """Return a description."""\n    return "x"\n'
    one = spec_of(draft_from_text(text))
    other: JsonObject = {"description": {"type": "integer"}}
    registry.register(replace(one, parameters={**one.parameters, "properties": other}))
    assert same_but_for_words(one, registry) == []


def test_a_tool_that_is_new_or_has_other_code_is_registered(registry: Registry) -> None:
    assert takes_words(PLAIN, registry)
    assert kept_version(WORDED, MODEL, registry) is None
    register(registry, OTHER_CODE, MODEL)
    assert takes_words(PLAIN, registry)
    assert kept_version(PLAIN, None, registry) is None


def test_words_of_nobody_follow_each_other(registry: Registry) -> None:
    register(registry, PLAIN, None)
    assert kept_version(OTHER_WORDS, None, registry) is None


def test_the_first_words_of_a_model_stay(registry: Registry) -> None:
    register(registry, PLAIN, None)
    assert takes_words(PLAIN, registry)
    assert kept_version(WORDED, MODEL, registry) is None
    worded = register(registry, WORDED, MODEL)
    assert not takes_words(PLAIN, registry)
    assert kept_version(OTHER_WORDS, MODEL, registry) == worded
    assert kept_version(PLAIN, None, registry) == worded


def test_a_version_that_stands_without_being_the_last_is_the_one_that_is_named(
    registry: Registry,
) -> None:
    worded = register(registry, WORDED, MODEL)
    register(registry, OTHER_CODE, None)
    assert kept_version(PLAIN, None, registry) == worded
    assert not takes_words(PLAIN, registry)


@pytest.mark.parametrize("state", [State.QUARANTINED, State.RETIRED])
def test_words_do_not_bring_back_what_was_taken_away(registry: Registry, state: State) -> None:
    version = register(registry, PLAIN, None)
    taken = registry.set_state(version.ref, state, why="a test")
    assert not takes_words(PLAIN, registry)
    assert kept_version(WORDED, MODEL, registry) == taken


def test_words_do_not_cost_a_tier(registry: Registry) -> None:
    version = register(registry, PLAIN, None)
    risen = registry.set_tier(version.ref, Tier.RESTRICTED, why="a test")
    assert not takes_words(PLAIN, registry)
    assert kept_version(WORDED, MODEL, registry) == risen


def test_a_text_that_is_no_python_is_compared_as_it_is(registry: Registry) -> None:
    version = register(registry, replace(PLAIN, source="def succ("), None)
    assert same_but_for_words(PLAIN, registry) == []
    assert same_but_for_words(version.spec, registry) == [version]
